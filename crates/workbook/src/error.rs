//! Why a workbook cannot be read, with messages for the person who sent it.

use std::io;

use dropcast_domain::problem::{Problem, ProblemList};

/// Why no further row can be read.
#[derive(Debug)]
pub enum ReadError {
    /// The file is not what it should be. The person who sent it can correct it.
    Rejected(ProblemList),
    /// The file cannot be read at all. The person who sent it can do nothing about it.
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A rejection with one problem. `at` is a cell, a sheet, or empty for the whole file.
pub(crate) fn rejected(at: &str, found: &str, allowed: &str, message: &str) -> ReadError {
    ReadError::Rejected(ProblemList::of(Problem::with_message(
        at, found, allowed, message,
    )))
}

const SOUND: &str = "a workbook that Excel opens without repairing it";

/// A workbook whose parts do not fit together, found before it is opened.
pub(crate) fn damaged(detail: &str) -> ReadError {
    rejected(
        "",
        "a damaged workbook",
        SOUND,
        &format!(
            "The workbook is damaged or incomplete ({detail}). Open it in Excel, \
             save it under a new name, and upload that file."
        ),
    )
}

/// A workbook that cannot be read to its end, with what its reader said.
pub(crate) fn damaged_at(at: &str, detail: &str) -> ReadError {
    rejected(
        at,
        "a damaged workbook",
        SOUND,
        &format!(
            "The workbook is damaged ({detail}). Open it in Excel, save it under a new name, and \
             upload that file."
        ),
    )
}

/// A workbook whose content is larger than its file may unpack to.
pub(crate) fn too_large(found: &str, allowed: &str) -> ReadError {
    rejected(
        "",
        found,
        allowed,
        &format!(
            "The workbook is too large inside: it has {found}; {allowed} is allowed. Copy the \
             table alone, as values, into a new workbook, and send that."
        ),
    )
}

/// A workbook that only opens with a password.
pub(crate) fn encrypted() -> ReadError {
    rejected(
        "",
        "a workbook that is protected with a password",
        "a workbook that opens without a password",
        "The workbook is encrypted: it opens only with a password. In Excel, choose File, Info, \
         Protect Workbook, Encrypt with Password, delete the password, save it, and send it \
         again.",
    )
}

/// Whether an error says that the content is wrong, not that the file cannot be reached: the
/// readers of archives and of compound files report both as errors of input.
pub(crate) fn is_of_content(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, NotFound, Other, UnexpectedEof, Unsupported};
    error.raw_os_error().is_none()
        && matches!(
            error.kind(),
            InvalidData | InvalidInput | NotFound | Other | UnexpectedEof | Unsupported
        )
}
