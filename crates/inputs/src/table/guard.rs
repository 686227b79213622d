//! What a table's file must be before anything reads it: what its name says it is, and no
//! larger inside than its outside allows.
//!
//! A workbook is read by a library that trusts it: it reserves what a file declares, copies
//! what a file repeats, and follows what a file chains. So everything that it would take on
//! trust is checked here first, in one pass over the file with little memory: an archive is
//! inflated once and counted ([`archive`], [`xml`]); an xls file is taken apart and written anew
//! ([`compound`], and `biff` beside the reader).

mod archive;
mod compound;
mod signature;
mod xml;

use std::io::{self, Read, Seek, SeekFrom};

use dropcast_domain::{
    model::InputFormat,
    problem::{Problem, ProblemList},
};

use self::signature::Signature;
pub(crate) use self::{
    compound::{containing as compound_file, workbook_stream},
    signature::password,
};
use super::rows::ReadError;
use crate::Limits;

/// Checks that a file is what its extension says, and, for a workbook, that reading it
/// takes bounded memory and time.
pub(crate) fn check<R: Read + Seek>(
    file: &mut R,
    format: InputFormat,
    limits: &Limits,
) -> Result<(), ReadError> {
    file.seek(SeekFrom::Start(0))?;
    let signature = Signature::read(file)?;
    signature::agree(signature, format, file)?;
    match format {
        InputFormat::Xlsx => archive::check(file, limits),
        InputFormat::Xls => compound::check(file),
        InputFormat::Csv | InputFormat::Json => Ok(()),
    }
}

/// Whether an error says that the content is wrong, and not that it cannot be reached.
/// Readers of archives and compound files report both as errors of input.
pub(crate) fn is_of_content(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, NotFound, Other, UnexpectedEof, Unsupported};
    error.raw_os_error().is_none()
        && matches!(
            error.kind(),
            InvalidData | InvalidInput | NotFound | Other | UnexpectedEof | Unsupported
        )
}

/// Whether a number format can be looked into: the reader counts its brackets in one byte.
pub(crate) fn is_countable(format: &[u8]) -> bool {
    let brackets: usize = format.iter().map(|b| usize::from(*b == b'[')).sum();
    brackets < 200
}

/// A file that is refused, in a sentence of its own.
fn refused(found: &str, allowed: &str, message: &str) -> ReadError {
    ReadError::Rejected(ProblemList::of(Problem::with_message(
        "", found, allowed, message,
    )))
}

/// A workbook whose parts do not fit together.
pub(crate) fn damaged(detail: &str) -> ReadError {
    refused(
        "a damaged workbook",
        "a workbook that Excel opens without repairing it",
        &format!(
            "The workbook is damaged or was not sent completely ({detail}). Open it in Excel, \
             save it under a new name, and send that file."
        ),
    )
}

/// A workbook that is larger inside than its outside allows.
pub(crate) fn too_large(found: &str, allowed: &str) -> ReadError {
    refused(
        found,
        allowed,
        &format!(
            "The workbook is too large inside: it has {found}; {allowed} is allowed. Copy the \
             table alone, as values, into a new workbook, and send that."
        ),
    )
}

#[cfg(test)]
mod tests;
