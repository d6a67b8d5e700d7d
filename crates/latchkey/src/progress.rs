//! The progress bars, on standard error: drawn on a terminal, silent elsewhere. They count what
//! has been answered, never what has only been sent.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Whether bars are wanted at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// On a terminal.
    Shown,
    /// For machines: never.
    Hidden,
}

/// One bar.
#[derive(Debug, Clone)]
pub(crate) struct Bar(ProgressBar);

impl Progress {
    /// A bar of so many steps.
    pub(crate) fn bar(self, name: &'static str, steps: usize) -> Bar {
        let target = match self {
            // Hides itself where standard error is no terminal.
            Self::Shown => ProgressDrawTarget::stderr(),
            Self::Hidden => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(u64::try_from(steps).ok(), target);
        // A template that doesn't parse would only cost the bar its look.
        if let Ok(style) = ProgressStyle::with_template("   {prefix:10} {bar:32} {pos:>6} of {len}") {
            bar.set_style(style.progress_chars("━━╌"));
        }
        bar.set_prefix(name);
        Bar(bar)
    }
}

impl Bar {
    /// One more was answered.
    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    /// So many of so many were answered.
    pub(crate) fn at(&self, done: u64, of: u64) {
        self.0.set_length(of);
        self.0.set_position(done);
    }

    /// Takes the bar away; the figures follow in the text.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
