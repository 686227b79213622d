//! Tables: kept on disk while they are read row by row, so that memory does not grow with them.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
};

use dropcast_domain::{
    model::{InputFormat, TableSpec},
    output,
    registry::Draft,
    run::{AcceptedInput, Run},
    table::TableReading,
};
use dropcast_inputs::{
    Limits,
    table::{self, Outcome, Rejected, RowSchema},
};

use crate::{Dropped, Error, Files, verdict::Rejection};

/// The longest clean CSV in bytes. Defaults could make a small table endless; the template's
/// `EphemeralStorage` holds this, the largest original and the marked copy.
const LONGEST_CLEAN: u64 = 4 * 1024 * 1024 * 1024;

/// What is read or written at a time, in bytes.
const BUFFER: usize = 1 << 18;

/// Where a table lies on disk while it is examined.
#[derive(Debug, Clone)]
struct Desk {
    original: PathBuf,
    clean: PathBuf,
    marked: PathBuf,
}

/// What came of reading it.
enum Read {
    Accepted(TableReading),
    Rejected(Rejection),
}

/// Reads a table of a format that the model takes and of a size that it may have. What is kept
/// of it: the original and its clean form, or the copy in which the faults are marked.
pub(crate) async fn examine<F: Files>(
    files: &F,
    run: &Run,
    draft: &Draft,
    format: InputFormat,
    dropped: Dropped,
) -> Result<Result<AcceptedInput, Rejection>, Error> {
    let input = &draft.manifest.input;
    // Checked at registration too, so this does not fail for what a user did.
    let schema = RowSchema::parse(draft.schema_of(format).as_bytes()).map_err(|_| Error::Schema)?;
    let spec = input.table.clone().unwrap_or_default();
    let limits = Limits::for_bytes(input.max_bytes_of(format));
    let folder = tempfile::tempdir()?;
    let desk = Desk {
        original: folder.path().join("original"),
        clean: folder.path().join("clean.csv"),
        marked: folder.path().join(output::MARKED_FILE),
    };
    dropped.spool(&desk.original).await?;
    let at = desk.clone();
    let read =
        tokio::task::spawn_blocking(move || read(&at, format, &spec, &schema, &limits)).await;
    match read.map_err(Error::BrokeOff)?? {
        Read::Accepted(reading) => {
            let file = run.upload.file_name();
            let key = output::input_key(&run.id, &file);
            let prepared_key = output::prepared_table_key(&run.id, &file);
            tokio::try_join!(
                files.keep_file(&key, "application/octet-stream", &desk.original),
                files.keep_file(&prepared_key, "text/csv", &desk.clean),
            )?;
            Ok(Ok(AcceptedInput {
                key,
                prepared_key,
                defaults: Vec::new(),
                table: Some(reading.for_record()),
            }))
        }
        Read::Rejected(rejection) => {
            if rejection.marked {
                let key = output::marked_key(&run.id);
                files
                    .keep_file(&key, output::WORKBOOK, &desk.marked)
                    .await?;
            }
            Ok(Err(rejection))
        }
    }
}

fn read(
    desk: &Desk,
    format: InputFormat,
    spec: &TableSpec,
    schema: &RowSchema,
    limits: &Limits,
) -> io::Result<Read> {
    let mut clean = Bounded::new(BufWriter::with_capacity(BUFFER, File::create(&desk.clean)?));
    let outcome = table::read(
        open(&desk.original)?,
        format,
        spec,
        schema,
        limits,
        &mut clean,
    );
    if clean.full {
        return Ok(Read::Rejected(Rejection::too_long_written_out(
            LONGEST_CLEAN,
        )));
    }
    match outcome? {
        Outcome::Accepted(accepted) => {
            clean.flush()?;
            Ok(Read::Accepted(accepted.reading))
        }
        Outcome::Rejected(rejected) => {
            let marked = mark(desk, format, spec, &rejected, limits);
            let mut rejection = Rejection::of_problems(rejected.problems);
            rejection.marked = marked.unwrap_or_else(|error| {
                // The problems say everything that the copy would.
                tracing::warn!(%error, "the marked copy could not be made");
                false
            });
            Ok(Read::Rejected(rejection))
        }
    }
}

/// Makes the copy in which the faults are marked, unless the table could not be read at all;
/// says whether it did.
fn mark(
    desk: &Desk,
    format: InputFormat,
    spec: &TableSpec,
    rejected: &Rejected,
    limits: &Limits,
) -> io::Result<bool> {
    if rejected.reading.is_none() {
        return Ok(false);
    }
    let out = File::create(&desk.marked)?;
    table::mark(
        open(&desk.original)?,
        format,
        spec,
        rejected,
        limits,
        BufWriter::with_capacity(BUFFER, out),
    )?;
    Ok(true)
}

fn open(path: &Path) -> io::Result<BufReader<File>> {
    Ok(BufReader::with_capacity(BUFFER, File::open(path)?))
}

/// Writes until [`LONGEST_CLEAN`] bytes are written.
struct Bounded<W> {
    to: W,
    left: u64,
    full: bool,
}

impl<W: Write> Bounded<W> {
    fn new(to: W) -> Self {
        Self {
            to,
            left: LONGEST_CLEAN,
            full: false,
        }
    }
}

impl<W: Write> Write for Bounded<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        match self.left.checked_sub(written as u64) {
            Some(left) => self.left = left,
            None => {
                self.full = true;
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_endless_is_written_up_to_the_bound_and_then_refused() {
        let mut bounded = Bounded::new(io::sink());
        bounded.left = 10;
        bounded.write_all(b"0123456789").unwrap();
        assert!(!bounded.full);
        assert_eq!(
            bounded.write_all(b"x").unwrap_err().kind(),
            io::ErrorKind::FileTooLarge
        );
        assert!(bounded.full);
    }
}
