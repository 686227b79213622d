//! The files on disk while an input is read: the original, the one that the model gets, and the
//! copy in which the problems are marked. Memory does not grow with a table.

use std::{
    fs::File,
    io::{self, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use dropcast_aws::s3::Object;
use dropcast_domain::{
    model::InputFormat,
    output,
    registry::VersionSpec,
    run::{AcceptedInput, Run},
};
use dropcast_inputs::file::{FileRejection, Outcome, Reader, Reading};

use crate::{
    Error,
    files::{Files, spool},
    rejection::RunRejection,
};

/// How many pointers to filled-in defaults the record has at most.
const MAX_DEFAULTS: usize = 100;

/// The longest of them, in bytes: a pointer may hold a key of the user's, and
/// the record ends at DynamoDB's 400 kB.
const MAX_POINTER_BYTES: usize = 500;

/// What is read or written at a time, in bytes.
const BUFFER: usize = 1 << 18;

/// The files of one run.
#[derive(Debug, Clone)]
struct StagedFiles {
    original: PathBuf,
    clean: PathBuf,
    marked: PathBuf,
}

/// Reads a file whose format and size the model accepts. Stores the original and the prepared
/// file, or the copy in which the problems are marked.
pub(crate) async fn validate_file<F: Files>(
    files: &F,
    run: &Run,
    spec: &VersionSpec,
    format: InputFormat,
    dropped: Object,
) -> Result<Result<AcceptedInput, RunRejection>, Error> {
    let input = &spec.manifest.input;
    // Checked at registration too, so this does not fail because of a user's input.
    let reader = Reader::new(input, format, spec.schema_of(format)).map_err(|_| Error::Schema)?;
    let folder = tempfile::tempdir()?;
    let staged = StagedFiles {
        original: folder.path().join("original"),
        clean: folder.path().join("clean"),
        marked: folder.path().join(output::MARKED_FILE),
    };
    spool(dropped, &staged.original).await?;
    let at = staged.clone();
    let read = tokio::task::spawn_blocking(move || at.read(&reader)).await;
    match read.map_err(Error::BrokeOff)?? {
        Ok(reading) => keep(files, run, &staged, reading).await.map(Ok),
        Err(rejection) => {
            if rejection.marked {
                let key = run.keys().marked();
                files
                    .keep_file(&key, output::WORKBOOK, &staged.marked)
                    .await?;
            }
            Ok(Err(rejection))
        }
    }
}

/// Stores an accepted file as it was uploaded and as the model gets it.
async fn keep<F: Files>(
    files: &F,
    run: &Run,
    staged: &StagedFiles,
    reading: Reading,
) -> Result<AcceptedInput, Error> {
    let file = run.upload.file_name();
    let key = run.keys().input(&file);
    let (prepared_key, media_type, defaults, table) = match reading {
        Reading::Document { defaults, .. } => {
            let shown = defaults
                .into_iter()
                .filter(|pointer| pointer.len() <= MAX_POINTER_BYTES)
                .take(MAX_DEFAULTS)
                .collect();
            let key = run.keys().prepared(&file);
            (key, "application/json", shown, None)
        }
        Reading::Table(reading) => {
            let key = run.keys().prepared_table(&file);
            (key, "text/csv", Vec::new(), Some(reading.for_record()))
        }
    };
    tokio::try_join!(
        files.keep_file(&key, "application/octet-stream", &staged.original),
        files.keep_file(&prepared_key, media_type, &staged.clean),
    )?;
    Ok(AcceptedInput {
        key,
        prepared_key,
        defaults,
        table,
    })
}

impl StagedFiles {
    fn read(&self, reader: &Reader) -> io::Result<Result<Reading, RunRejection>> {
        let clean = BufWriter::with_capacity(BUFFER, File::create(&self.clean)?);
        Ok(match reader.read(open(&self.original)?, clean)? {
            Outcome::Accepted(reading) => Ok(reading),
            Outcome::Rejected(rejected) => {
                let marked = self.mark(reader, &rejected).unwrap_or_else(|error| {
                    // The list of problems says the same as the copy.
                    tracing::warn!(%error, "the marked copy could not be created");
                    false
                });
                Err(RunRejection {
                    marked,
                    ..RunRejection::of(rejected)
                })
            }
        })
    }

    /// Makes the copy in which the problems are marked; false if there was nothing to mark.
    fn mark(&self, reader: &Reader, rejected: &FileRejection) -> io::Result<bool> {
        if !rejected.can_be_marked() {
            return Ok(false);
        }
        let mut out = BufWriter::with_capacity(BUFFER, File::create(&self.marked)?);
        let marked = reader.mark(open(&self.original)?, rejected, &mut out)?;
        out.flush()?;
        Ok(marked)
    }
}

fn open(path: &Path) -> io::Result<BufReader<File>> {
    Ok(BufReader::with_capacity(BUFFER, File::open(path)?))
}
