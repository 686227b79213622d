//! What a mail about a run or a build says, and how it looks: as plain text, as HTML, and as the
//! message that SES is given.
//!
//! [`compose`] and [`compose_build`] are the whole rule of what it says. Whatever a user, a model
//! or a file gave comes out as short single lines without control or direction-changing
//! characters, so that the templates have only escaping left to do.

#![warn(missing_docs)]

mod build;
mod compose;
mod content;
mod facts;
mod input;
mod input_summary;
mod lengths;
pub mod mime;
pub mod render;
mod table;

pub use build::{BuildMailInput, compose_build};
pub use compose::compose;
pub use content::{ChartRow, Fact, MailContent, OutputRow, ProblemRow};
pub use input::{MailInput, MarkedCopy};
pub use input_summary::{InputSection, InputSummary, InputValue, MAX_VALUES};

/// The last lines of a failed job that a mail shows, at most.
pub const MAX_LOG_LINES: usize = 40;

/// A chart of at least so many bytes is linked and not shown inline: mail
/// systems refuse or cut large messages.
pub const CHART_BYTES: u64 = 300_000;

/// A marked copy of more bytes is linked and not attached: SES takes messages of 10 MB, and
/// attachments grow by a third on their way.
pub const ATTACHED_BYTES: u64 = 5_000_000;
