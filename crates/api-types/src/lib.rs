//! The documents that Dropcast answers with: what `--json` prints, and what the web API is to
//! answer with.
//!
//! Their JSON Schemas are generated from these types by `cargo xtask codegen`, and so are the
//! texts in them: a doc comment here is part of their documentation. A field that is in a
//! schema keeps its name and its meaning; new ones may be added. The events and the run record are
//! in `dropcast-domain`, beside the rules that they follow.

#![warn(missing_docs)]

mod build;
mod demo;
mod doctor;
mod error;
mod local;
mod local_run;
mod log;
mod mail;
mod model;
mod push;
mod reading;
mod run;
mod validation;
mod version;

pub use build::{BuildFailureView, BuildView, Builds};
pub use demo::{Demo, Download, ReportedRun};
pub use doctor::{Check, CheckName, DoctorReport, Outcome};
pub use error::{ErrorDetail, ErrorDocument, Exit};
pub use local::{LocalEndpoints, LocalStatus};
pub use local_run::{Tested, TestedInput, WrittenOutput};
pub use log::{LoggedLine, RunLog};
pub use mail::{MailView, Mails};
pub use model::{Initialized, ModelDetail, ModelSummary, Models, Registered, VersionView};
pub use push::{PushStatus, Pushed, SourceView};
pub use reading::{FilledDefault, ReadingView, TextEncoding};
pub use run::{
    CancelRequested, FailureView, FileView, OutputView, RunDetail, RunDetailParts, RunSummary,
    Runs, Step, Submitted, SubmittedRun, seconds,
};
pub use validation::{
    CheckedModel, ExampleView, ExpectedOutcome, RejectionView, Validated, ValidatedModel,
};
pub use version::{DefaultView, Promoted, Retired, RetiredView, VersionSummary, Versions};

/// The patterns that several documents share.
mod patterns {
    /// A link.
    pub(crate) const LINK: &str = "^https?://";
    /// SHA-256 in hex.
    pub(crate) const SHA256: &str = "^[0-9a-f]{64}$";
}
