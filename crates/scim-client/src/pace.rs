//! How fast a target is asked: as fast as it lets us, and no faster.

use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

/// The requests that may be under way at once, and when the next one may begin.
///
/// The window opens by one for each window's worth of answers, and is halved when the target asks
/// for less, as TCP does it; then nobody sends until the time that the target named is over.
#[derive(Debug)]
pub struct Pace {
    permits: Semaphore,
    most: usize,
    every: Option<Duration>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    window: usize,
    /// Permits that are taken back as soon as they are given back.
    owed: usize,
    answers: usize,
    next: Instant,
    /// One halving for all that was under way at the time.
    calm_until: Instant,
}

impl Pace {
    /// At most so many at once, and so many a second.
    pub fn new(most: usize, per_second: Option<u64>) -> Self {
        let most = most.max(1);
        let now = Instant::now();
        let state = State { window: most, owed: 0, answers: 0, next: now, calm_until: now };
        let every =
            per_second.filter(|rate| *rate > 0).map(|rate| Duration::from_nanos(1_000_000_000 / rate));
        Self { permits: Semaphore::new(most), most, every, state: Mutex::new(state) }
    }

    /// Waits until a request may be sent, and counts it as under way until the result is dropped.
    pub(crate) async fn enter(&self) -> Turn<'_> {
        let permit = self.permits.acquire().await.ok();
        loop {
            let wait_until = self.with(|state| {
                let now = Instant::now();
                if state.next > now && self.every.is_none() {
                    return Some(state.next);
                }
                let begin = state.next.max(now);
                if let Some(every) = self.every {
                    state.next = begin + every;
                }
                (begin > now).then_some(begin)
            });
            match wait_until {
                // With a rate the slot is taken already; without one, others may have changed the time.
                Some(at) => {
                    tokio::time::sleep_until(at).await;
                    if self.every.is_some() {
                        break;
                    }
                }
                None => break,
            }
        }
        Turn { pace: self, permit }
    }

    /// The target asks for less: for so long nobody sends.
    pub(crate) fn slow_down(&self, wait: Duration) {
        self.with(|state| {
            let now = Instant::now();
            state.next = state.next.max(now + wait);
            if now >= state.calm_until {
                let halved = (state.window / 2).max(1);
                state.owed += state.window - halved;
                state.window = halved;
                state.answers = 0;
                state.calm_until = now + wait.max(Duration::from_millis(100));
            }
        });
    }

    /// An answer that had nothing against our pace.
    pub(crate) fn answered(&self) {
        self.with(|state| {
            state.answers += 1;
            if state.answers >= state.window && state.window < self.most {
                state.answers = 0;
                state.window += 1;
                if state.owed > 0 { state.owed -= 1 } else { self.permits.add_permits(1) }
            }
        });
    }

    /// How many may be under way now.
    pub fn window(&self) -> usize {
        self.with(|state| state.window)
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        act(&mut state)
    }
}

/// One request that is under way.
pub(crate) struct Turn<'p> {
    pace: &'p Pace,
    permit: Option<SemaphorePermit<'p>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let owed = self.pace.with(|state| {
            let owed = state.owed > 0;
            state.owed -= usize::from(owed);
            owed
        });
        if let (true, Some(permit)) = (owed, self.permit.take()) {
            permit.forget();
        }
    }
}
