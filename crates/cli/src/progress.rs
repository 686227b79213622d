//! Progress of long steps: live on a terminal, otherwise one line per completed step.

use std::{sync::Mutex, time::Duration};

use dropcast_local_stack::{Progress, Reporter};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::SignedDuration;

use crate::{messages, screen::Screen};

/// Width of the column with the names of steps, in characters.
const NAME_WIDTH: usize = 44;

/// Reports the steps of starting, stopping and registering on stderr.
pub(crate) struct StepReporter {
    screen: Screen,
    indent: &'static str,
    running: Mutex<Option<ProgressBar>>,
}

impl StepReporter {
    /// A reporter for this screen.
    pub(crate) fn new(screen: Screen) -> Self {
        Self {
            screen,
            indent: "",
            running: Mutex::new(None),
        }
    }

    /// The same, indented.
    pub(crate) fn indented(self) -> Self {
        Self {
            indent: "   ",
            screen: self.screen,
            running: Mutex::new(None),
        }
    }

    fn draw(&self, next: Option<ProgressBar>) {
        // A bar is valid even if its lock is poisoned.
        let mut running = self
            .running
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(bar) = std::mem::replace(&mut *running, next) {
            bar.finish_and_clear();
        }
    }
}

impl Reporter for StepReporter {
    fn report(&self, progress: Progress) {
        match progress.took {
            None => self.draw(
                self.screen
                    .live
                    .then(|| start_spinner(&format!("{}{}", self.indent, progress.step))),
            ),
            Some(took) => {
                self.draw(None);
                let line = format_done(&progress.step, took, self.screen.stderr_style);
                self.screen.note(&format!("{}{line}", self.indent));
            }
        }
    }
}

impl Drop for StepReporter {
    fn drop(&mut self) {
        self.draw(None);
    }
}

/// Starts a spinner with a step's name.
pub(crate) fn start_spinner(step: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    // The template is a constant; if it were invalid, the default style would be used.
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}  {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(messages::sanitize(step));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// The line of a completed step, with its duration.
fn format_done(step: &str, took: Duration, style: crate::screen::Style) -> String {
    let took = SignedDuration::try_from(took).unwrap_or_default();
    format!(
        "{} {:NAME_WIDTH$} {}",
        style.success("✓"),
        messages::sanitize(step),
        style.dim(&messages::format_duration(took))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::Style;

    #[test]
    fn a_completed_step_shows_its_duration() {
        let style = Style::plain(80);
        let line = format_done("starting the emulator", Duration::from_millis(720), style);
        assert!(line.starts_with("✓ starting the emulator "), "{line}");
        assert!(line.ends_with(" 0.72 s"), "{line}");
    }
}
