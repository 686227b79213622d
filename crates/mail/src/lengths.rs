//! The longest texts of each sort, in characters.

pub(crate) const TITLE_LENGTH: usize = dropcast_domain::title::TITLE_LENGTH;
pub(crate) const NAME_LENGTH: usize = 160;
pub(crate) const SENTENCE_LENGTH: usize = 1_000;
pub(crate) const LOG_LINE_LENGTH: usize = 400;
pub(crate) const PROBLEM_LENGTH: usize = 200;
/// A problem list keeps the end of a long pointer, so the place is not cut again.
pub(crate) const PLACE_LENGTH: usize = 3 * PROBLEM_LENGTH;
