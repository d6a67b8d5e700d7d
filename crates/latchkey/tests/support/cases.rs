//! Tables of cases: each is played, and all that fail are told together.

use std::fmt::Write as _;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

/// Plays one case; its panic becomes its story.
pub(crate) async fn caught<T>(case: impl Future<Output = T>) -> Result<T, String> {
    let mut case = Box::pin(case);
    poll_fn(move |context| match catch_unwind(AssertUnwindSafe(|| case.as_mut().poll(context))) {
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(story_of(&*panic))),
    })
    .await
}

fn story_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "a panic without words".to_owned())
}

/// What failed so far.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    stories: Vec<(String, String)>,
    played: usize,
}

impl Failures {
    /// Plays a case and keeps its story if it fails.
    pub(crate) async fn play(&mut self, name: impl Into<String>, case: impl Future<Output = ()>) {
        self.played += 1;
        if let Err(story) = caught(case).await {
            self.stories.push((name.into(), story));
        }
    }

    /// Fails with all stories, if there are any.
    pub(crate) fn tell(self) {
        let mut told = String::new();
        for (name, story) in &self.stories {
            write!(told, "\n── {name}\n{story}\n").expect("writing to a string does not fail");
        }
        assert!(self.stories.is_empty(), "{} of {} cases failed:{told}", self.stories.len(), self.played);
    }
}
