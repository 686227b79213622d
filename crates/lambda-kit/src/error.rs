//! A function's error, as Lambda, Step Functions and SQS see it.

use std::{error::Error, fmt};

use dropcast_aws::CallError;
use dropcast_store::StoreError;
use lambda_runtime::Diagnostic;

/// What a caller should do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Try again, with growing pauses: another service was slow or unavailable.
    Transient,
    /// Try again at once: another caller changed the same thing.
    Conflict,
    /// Trying again changes nothing.
    Permanent,
}

/// A function's error with its class and its stable name.
pub trait FunctionError: Error + Send + Sync + 'static {
    /// What to do about it.
    fn class(&self) -> Class;

    /// The name that the state machine matches on.
    fn name(&self) -> &'static str {
        self.class().name()
    }
}

impl Class {
    /// The name of an error that has no code of its own.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transient => "Transient",
            Self::Conflict => "Conflict",
            Self::Permanent => "Internal",
        }
    }
}

/// The class of a failed AWS call.
pub fn class_of_call(transient: bool) -> Class {
    if transient {
        Class::Transient
    } else {
        Class::Permanent
    }
}

/// A function's error on its way out of the process.
pub struct HandlerError(Box<dyn FunctionError>);

impl<E: FunctionError> From<E> for HandlerError {
    fn from(error: E) -> Self {
        Self(Box::new(error))
    }
}

impl From<HandlerError> for Diagnostic {
    fn from(failed: HandlerError) -> Self {
        let error_message = crate::telemetry::chain(failed.0.as_ref());
        let (name, class) = (failed.0.name(), failed.0.class());
        if name == class.name() {
            tracing::error!(error = %error_message, ?class, "the invocation failed");
        } else {
            // An error with its own name is reported to the run's user: it is no defect.
            tracing::warn!(error = %error_message, code = name, "the run ends here");
        }
        Self {
            error_type: name.to_owned(),
            error_message,
        }
    }
}

impl fmt::Debug for HandlerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The runtime logs this beside the answer; the chain is logged above, once.
        f.write_str(self.0.name())
    }
}

impl FunctionError for CallError {
    fn class(&self) -> Class {
        class_of_call(self.transient)
    }
}

impl FunctionError for StoreError {
    fn class(&self) -> Class {
        class_of_call(self.is_transient())
    }
}
