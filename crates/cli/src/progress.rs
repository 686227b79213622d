//! Steps that take a while: drawn live on a terminal, else a line for each that is done.

use std::{sync::Mutex, time::Duration};

use dropcast_local_stack::{Progress, Reporter};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;

use crate::{screen::Screen, words};

/// Width of the column that steps' names stand in; longer ones stand out.
const NAME_WIDTH: usize = 44;

/// Tells about the steps of starting, stopping and registering on stderr.
pub(crate) struct Steps {
    screen: Screen,
    indent: &'static str,
    running: Mutex<Option<ProgressBar>>,
}

impl Steps {
    /// Tells on this screen.
    pub(crate) fn on(screen: Screen) -> Self {
        Self {
            screen,
            indent: "",
            running: Mutex::new(None),
        }
    }

    /// The same, a little to the right.
    pub(crate) fn indented(self) -> Self {
        Self {
            indent: "   ",
            screen: self.screen,
            running: Mutex::new(None),
        }
    }

    fn draw(&self, begun: Option<ProgressBar>) {
        // A poisoned lock holds a bar like any other.
        let mut running = self
            .running
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(bar) = std::mem::replace(&mut *running, begun) {
            bar.finish_and_clear();
        }
    }
}

impl Reporter for Steps {
    fn report(&self, progress: Progress) {
        match progress.took {
            None => self.draw(
                self.screen
                    .live
                    .then(|| spinner(&format!("{}{}", self.indent, progress.step))),
            ),
            Some(took) => {
                self.draw(None);
                let line = done(&progress.step, took, self.screen.stderr_paint);
                self.screen.note(&format!("{}{line}", self.indent));
            }
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.draw(None);
    }
}

/// A spinner beside a step's name.
pub(crate) fn spinner(step: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    // The template is a constant; should it be refused, the plain spinner does.
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(words::printable(step));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// A step that is done, and how long it took.
fn done(step: &str, took: Duration, paint: crate::screen::Paint) -> String {
    let took = SignedDuration::try_from(took).unwrap_or_default();
    format!(
        "{} {:NAME_WIDTH$} {}",
        paint.good("✓"),
        words::printable(step),
        paint.dim(&words::length(took))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Paint;

    #[test]
    fn a_step_that_is_done_says_how_long_it_took() {
        let paint = Paint::plain(80);
        let line = done("starting the emulator", Duration::from_millis(720), paint);
        assert!(line.starts_with("✓ starting the emulator "), "{line}");
        assert!(line.ends_with(" 0.72 s"), "{line}");
    }
}
