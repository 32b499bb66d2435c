//! How far it is: on standard error, and only where that is a terminal.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// The bar counts the bytes of the files as they are, the rate those that were in them. The total grows while files are still being
/// counted.
#[derive(Clone, Debug)]
pub struct Progress {
    bar: ProgressBar,
    inflated: Arc<AtomicU64>,
}

impl Progress {
    /// A bar.
    #[must_use]
    pub fn new() -> Self {
        let inflated = Arc::new(AtomicU64::new(0));
        let (of, bar) =
            (Arc::clone(&inflated), ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()));
        let rate = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let seconds = state.elapsed().as_secs_f64().max(0.001);
            let _ = write!(out, "{:.0} MB/s", megabytes(of.load(Ordering::Relaxed)) / seconds);
        };
        let template = "{wide_bar} {percent}% of {total_bytes}, {rate} of JSON, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("rate", rate));
        }
        Self { bar, inflated }
    }

    /// There is more to read.
    pub fn more(&self, bytes: u64) {
        self.bar.inc_length(bytes);
    }

    /// Bytes were read from a file.
    pub fn read(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
    }

    /// Bytes came out of it.
    pub fn inflated(&self, bytes: usize) {
        self.inflated.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// How many bytes were read, and came out of them.
    #[must_use]
    pub fn end(&self) -> (u64, u64) {
        self.bar.finish_and_clear();
        (self.bar.position(), self.inflated.load(Ordering::Relaxed))
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

/// Bytes as megabytes.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "for people")]
pub fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
