//! Step Functions: interprets `state-machines/run.asl.json` itself, so that a change of the state
//! machine is simulated and not typed a second time.
//!
//! Modelled: task, choice, pass, succeed and fail states; a new token for each attempt; an answer
//! to a token that no longer waits is refused; retriers that count separately, with back-off and
//! full jitter; catchers; the time limit of a task.
//!
//! <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>

mod definition;
mod execution;
mod expressions;

pub(crate) use definition::Definition;
pub(crate) use execution::{Execution, Outcome, TOKEN_MARKER};
