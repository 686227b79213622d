//! Files that the command writes completely or not at all.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::file_name_of;
use crate::exit::{CliError, Exit};

/// The size of the write buffer, in bytes.
const BUFFER: usize = 1 << 18;

/// A file that is written to a temporary file, which is moved to its place once it is complete.
#[derive(Debug)]
pub(super) struct OutputFile {
    place: PathBuf,
    written: NamedTempFile,
}

impl OutputFile {
    /// Creates the temporary file. `input` is the file that is being read and must not be replaced.
    pub(super) fn create(place: &Path, input: &Path) -> Result<Self, CliError> {
        if is_same(place, input) {
            let message = format!("{} would be overwritten while it is read.", input.display());
            return Err(
                CliError::new(Exit::Usage, message).advice("Name another file to write to.")
            );
        }
        if place.is_dir() {
            let message = format!("{} is a folder.", place.display());
            return Err(CliError::new(Exit::Usage, message).advice("Name a file to write to."));
        }
        let folder = match place.parent() {
            _ if must_be_kept(place) => std::env::temp_dir(),
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let written = tempfile::Builder::new()
            .prefix(&format!(".{}.", file_name_of(place)))
            // Reduced by the umask, as for any other file.
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(&folder)
            .map_err(|error| explain_write_error(place, &error))?;
        Ok(Self {
            place: place.to_owned(),
            written,
        })
    }

    /// A writer for the content. Without [`Self::finish`], dropping the file deletes it.
    pub(super) fn writer(&self) -> Result<BufWriter<File>, CliError> {
        let file = self
            .written
            .as_file()
            .try_clone()
            .map_err(|error| explain_write_error(&self.place, &error))?;
        Ok(BufWriter::with_capacity(BUFFER, file))
    }

    /// Moves the complete file to its place, and returns the path.
    pub(super) fn finish(self) -> Result<String, CliError> {
        let place = self.place;
        if must_be_kept(&place) {
            copy(self.written.path(), &place)
                .map_err(|error| explain_write_error(&place, &error))?;
        } else {
            self.written
                .persist(&place)
                .map_err(|error| explain_write_error(&place, &error.error))?;
        }
        Ok(place.display().to_string())
    }
}

/// Writes into an existing file, device or pipe without replacing it.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut to = File::create(to)?;
    io::copy(&mut File::open(from)?, &mut to)?;
    to.flush()
}

/// Whether a place must not be replaced: a device, a pipe, or a link, even one to a file.
/// `/dev/stdout` is a link, and points to a file if the shell redirects to one.
fn must_be_kept(place: &Path) -> bool {
    fs::symlink_metadata(place).is_ok_and(|found| !found.is_file())
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn explain_write_error(place: &Path, error: &io::Error) -> CliError {
    CliError::new(
        Exit::NotFound,
        format!("{} cannot be written: {error}.", place.display()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_only_when_it_is_complete() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("clean.csv");
        let input = folder.path().join("plan.csv");
        drop(OutputFile::create(&place, &input).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let output = OutputFile::create(&place, &input).unwrap();
        output.writer().unwrap().write_all(b"a\n1\n").unwrap();
        assert!(!place.exists());
        output.finish().unwrap();
        assert_eq!(fs::read_to_string(&place).unwrap(), "a\n1\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("plan.csv");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "something longer").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let output = OutputFile::create(&link, &input).unwrap();
        output.writer().unwrap().write_all(b"a\n").unwrap();
        output.finish().unwrap();
        assert!(must_be_kept(&link));
        assert_eq!(fs::read_to_string(&file).unwrap(), "a\n");
    }

    #[test]
    fn the_file_that_is_read_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("plan.csv");
        fs::write(&input, "a\n").unwrap();
        let same = folder.path().join(".").join("plan.csv");
        assert_eq!(
            OutputFile::create(&same, &input).unwrap_err().exit,
            Exit::Usage
        );
        let folder = OutputFile::create(folder.path(), &input).unwrap_err();
        assert!(folder.message.ends_with("is a folder."));
        let nowhere = OutputFile::create(Path::new("/no/such/folder/c.csv"), &input).unwrap_err();
        assert_eq!(nowhere.exit, Exit::NotFound);
    }
}
