//! What happened, line by line, for somebody who replays a seed.

use crate::clock;

/// The lines, if anybody will read them.
#[derive(Debug, Default)]
pub(crate) struct Trace(Option<Vec<String>>);

impl Trace {
    pub(crate) fn new(kept: bool) -> Self {
        Self(kept.then(Vec::new))
    }

    pub(crate) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.0 {
            let now = clock::milliseconds();
            let (seconds, milliseconds) = (now / 1_000, now % 1_000);
            lines.push(format!("{seconds:>8}.{milliseconds:03} s  {}", line()));
        }
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.0.unwrap_or_default()
    }
}
