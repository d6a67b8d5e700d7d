//! What runs beside the requests: sealing the audit chain, and writing the flight recorder and
//! the tokens' use.
//!
//! Held rotations are not among it: they wait for a person's word, however long (A5).

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::{Engine, Error, flights, tokens};

/// How long the audit tail stays unsealed at most when nothing is wrong.
const SEAL_EVERY: Duration = Duration::from_millis(100);
/// How long a flight or a token's use waits to be written.
const WRITE_EVERY: Duration = Duration::from_secs(1);
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
        let tasks = vec![
            every("audit.seal", SEAL_EVERY, engine, &stopped, async |engine| seal(engine).await),
            every("flights.write", WRITE_EVERY, engine, &stopped, async |engine| {
                flights::write_waiting(engine).await?;
                tokens::write_uses(engine).await
            }),
        ];
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

/// Runs `work` again and again, `pause` after it ended, until told to stop. A failure is logged
/// and tried again after the next pause.
fn every(
    name: &'static str,
    pause: Duration,
    engine: &Engine,
    stopped: &watch::Receiver<bool>,
    work: impl AsyncFn(&Engine) -> Result<(), Error> + Send + Sync + 'static,
) -> JoinHandle<()>
where
    for<'a> &'a Engine: Send,
{
    let (engine, mut stopped) = (engine.clone(), stopped.clone());
    tokio::spawn(async move {
        while !*stopped.borrow() {
            if let Err(error) = work(&engine).await {
                tracing::warn!(job = name, error = &error as &dyn std::error::Error, "background work failed");
            }
            tokio::select! {
                _ = stopped.changed() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    })
}
