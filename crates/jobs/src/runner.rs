//! Takes jobs up as they are due, each in a task of its own.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use latchkey_engine::error_chain;
use latchkey_kernel::{Clock as _, SystemClock};
use latchkey_store::StoreError;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::Jobs;
use crate::hold::{HoldError, Key};
use crate::perform::Trouble;

/// How often jobs are looked for that others made due; what this process does wakes it at once.
const LOOK: Duration = Duration::from_millis(250);
/// Jobs of one node that are performed at once.
const AT_ONCE: usize = 16;

/// The performing of jobs on one node.
pub struct Runner {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Runner {
    /// Starts it.
    pub fn start(jobs: Jobs) -> Self {
        let (stop, stopped) = watch::channel(false);
        Self { stop, task: tokio::spawn(serve(jobs, stopped)) }
    }

    /// Stops it. A cycle under way is left where it is: whoever takes the job goes on with it.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        // A task that panicked has been logged.
        let _ = self.task.await;
    }
}

async fn serve(jobs: Jobs, mut stopped: watch::Receiver<bool>) {
    let store = jobs.engine.store().clone();
    if store.has_one_server() {
        // Whatever a server held is a dead one's.
        if let Err(error) = store.provisioning_jobs_free(&jobs.hands.name).await {
            tracing::warn!(error = error_chain(&error), "jobs of the last run wait for their leases");
        }
    }
    let mut running: JoinSet<(Key, Result<(), Trouble>)> = JoinSet::new();
    let mut under_way: HashSet<Key> = HashSet::new();
    let mut hurried: HashMap<Key, i64> = HashMap::new();
    while !*stopped.borrow() {
        match wanted(&jobs).await {
            Ok((due, fed)) => {
                for key in fed.iter().filter(|key| under_way.contains(*key)) {
                    let seen = hurried.entry(*key).or_default();
                    if let Err(error) = jobs.hurry(*key, seen).await {
                        tracing::warn!(job = %key.1, error = error_chain(&error), "leavers could not be looked for");
                    }
                }
                for key in fed.into_iter().chain(due) {
                    if running.len() < AT_ONCE && under_way.insert(key) {
                        hurried.remove(&key);
                        let jobs = jobs.clone();
                        running.spawn(async move { (key, Box::pin(jobs.perform(key)).await) });
                    }
                }
            }
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "provisioning jobs could not be looked for")
            }
        }
        tokio::select! {
            _ = stopped.changed() => {}
            Some(ended) = running.join_next() => match ended {
                Ok((key, done)) => {
                    under_way.remove(&key);
                    match done {
                        // Another node has it, or nobody any more.
                        Ok(()) | Err(Trouble::Hold(HoldError::Elsewhere | HoldError::Gone)) => {}
                        Err(error) => {
                            tracing::warn!(job = %key.1, error = error_chain(&error), "a provisioning job was given up");
                        }
                    }
                }
                Err(error) => {
                    // Which one it was is not known; none is left out for that.
                    tracing::error!(%error, "a provisioning job panicked");
                    under_way.clear();
                }
            },
            () = jobs.engine.jobs_woken() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
    running.shutdown().await;
}

/// Jobs that are due, and jobs whose workspace's own directory has changed.
async fn wanted(jobs: &Jobs) -> Result<(Vec<Key>, Vec<Key>), StoreError> {
    let store = jobs.engine.store();
    let (now, name) = (SystemClock.now(), &jobs.hands.name);
    let fed = store.provisioning_jobs_fed(now, name).await?;
    let due = store.provisioning_jobs_due(now, name, AT_ONCE * 4).await?;
    Ok((due, fed))
}
