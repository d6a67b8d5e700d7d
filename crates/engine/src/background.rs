//! What runs beside the requests: sealing the audit chain, and writing the flight recorder and
//! the tokens' use, and going on with replacements of keys.
//!
//! Held rotations are not among it: they wait for a person's word, however long (A5).

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::{Engine, Error, error_chain, flights, key_rotation, tokens};

/// How long the audit tail stays unsealed at most when nothing is wrong.
const SEAL_EVERY: Duration = Duration::from_millis(100);
/// How long a flight or a token's use waits to be written.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// How long a replacement of keys that was left unfinished waits for somebody to go on.
const RESEAL_EVERY: Duration = Duration::from_secs(30);
/// Records sealed in one transaction.
const SEAL_BATCH: usize = 2_000;

/// The background work of one node.
pub struct Background {
    engine: Engine,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts it.
    pub fn start(engine: &Engine) -> Self {
        let (stop, stopped) = watch::channel(false);
        let tasks = Job::ALL
            .into_iter()
            .map(|job| tokio::spawn(job.repeat(engine.clone(), stopped.clone())))
            .collect();
        Self { engine: engine.clone(), stop, tasks }
    }

    /// Stops it and writes what still waits, so that a graceful stop loses nothing.
    ///
    /// # Errors
    /// When the database fails; what could not be written is lost.
    pub async fn drain(self) -> Result<(), Error> {
        let _ = self.stop.send(true);
        for task in self.tasks {
            // A task that panicked has been logged; the others' work is written all the same.
            let _ = task.await;
        }
        flights::write_waiting(&self.engine).await?;
        tokens::write_uses(&self.engine).await?;
        seal(&self.engine).await
    }
}

/// Seals until nothing is left unsealed.
async fn seal(engine: &Engine) -> Result<(), Error> {
    loop {
        let report = engine.store().audit_seal(engine.now(), SEAL_BATCH).await?;
        if report.sealed < SEAL_BATCH {
            return Ok(());
        }
    }
}

/// What is done again and again.
#[derive(Debug, Clone, Copy)]
enum Job {
    SealAudit,
    WriteFlights,
    ResealSecrets,
}

impl Job {
    const ALL: [Self; 3] = [Self::SealAudit, Self::WriteFlights, Self::ResealSecrets];

    const fn name(self) -> &'static str {
        match self {
            Self::SealAudit => "audit.seal",
            Self::WriteFlights => "flights.write",
            Self::ResealSecrets => "secrets.reseal",
        }
    }

    const fn pause(self) -> Duration {
        match self {
            Self::SealAudit => SEAL_EVERY,
            Self::WriteFlights => WRITE_EVERY,
            Self::ResealSecrets => RESEAL_EVERY,
        }
    }

    async fn run(self, engine: &Engine) -> Result<(), Error> {
        match self {
            Self::SealAudit => seal(engine).await,
            Self::WriteFlights => {
                flights::write_waiting(engine).await?;
                tokens::write_uses(engine).await
            }
            Self::ResealSecrets => key_rotation::finish_all(engine).await,
        }
    }

    /// Runs, waits for the pause after it ended, and runs again, until told to stop. A failure is
    /// logged and tried again after the next pause.
    async fn repeat(self, engine: Engine, mut stopped: watch::Receiver<bool>) {
        while !*stopped.borrow() {
            if let Err(error) = self.run(&engine).await {
                tracing::warn!(job = self.name(), error = error_chain(&error), "background work failed");
            }
            tokio::select! {
                _ = stopped.changed() => {}
                () = tokio::time::sleep(self.pause()) => {}
            }
        }
    }
}
