//! Files that the command writes: whole, or not at all.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::name_of;
use crate::exit::{Exit, Stop};

/// What is written at a time, in bytes.
const BUFFER: usize = 1 << 18;

/// A file that is written beside its place, and takes it once it is complete.
#[derive(Debug)]
pub(super) struct Output {
    place: PathBuf,
    written: NamedTempFile,
}

impl Output {
    /// Begins a file; `input` is the one that is read meanwhile, which it must not replace.
    pub(super) fn begin(place: &Path, input: &Path) -> Result<Self, Stop> {
        if is_same(place, input) {
            let message = format!("{} would be written over itself.", input.display());
            return Err(Stop::new(Exit::Usage, message).advice("Name another file to write to."));
        }
        if place.is_dir() {
            let message = format!("{} is a folder.", place.display());
            return Err(Stop::new(Exit::Usage, message).advice("Name a file to write to."));
        }
        let folder = match place.parent() {
            _ if is_kept(place) => std::env::temp_dir(),
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        let written = tempfile::Builder::new()
            .prefix(&format!(".{}.", name_of(place)))
            // What the umask lets pass, as for any other file.
            .permissions(fs::Permissions::from_mode(0o666))
            .tempfile_in(&folder)
            .map_err(|error| unwritable(place, &error))?;
        Ok(Self {
            place: place.to_owned(),
            written,
        })
    }

    /// Where to write to. Dropping it without [`Self::finish`] leaves nothing behind.
    pub(super) fn writer(&self) -> Result<BufWriter<File>, Stop> {
        let file = self
            .written
            .as_file()
            .try_clone()
            .map_err(|error| unwritable(&self.place, &error))?;
        Ok(BufWriter::with_capacity(BUFFER, file))
    }

    /// Puts the complete file in its place; gives its path.
    pub(super) fn finish(self) -> Result<String, Stop> {
        let place = self.place;
        if is_kept(&place) {
            copy(self.written.path(), &place).map_err(|error| unwritable(&place, &error))?;
        } else {
            self.written
                .persist(&place)
                .map_err(|error| unwritable(&place, &error.error))?;
        }
        Ok(place.display().to_string())
    }
}

/// Writes into what stands in a place, and leaves it what it is.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut to = File::create(to)?;
    io::copy(&mut File::open(from)?, &mut to)?;
    to.flush()
}

/// Whether what stands in a place must not be replaced: a device, a pipe, or a link, even one to
/// a file. `/dev/stdout` is a link, and leads to a file when the shell redirects to one.
fn is_kept(place: &Path) -> bool {
    fs::symlink_metadata(place).is_ok_and(|found| !found.is_file())
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn unwritable(place: &Path, error: &io::Error) -> Stop {
    Stop::new(
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
        drop(Output::begin(&place, &input).unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let output = Output::begin(&place, &input).unwrap();
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
        let output = Output::begin(&link, &input).unwrap();
        output.writer().unwrap().write_all(b"a\n").unwrap();
        output.finish().unwrap();
        assert!(is_kept(&link));
        assert_eq!(fs::read_to_string(&file).unwrap(), "a\n");
    }

    #[test]
    fn the_file_that_is_read_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let input = folder.path().join("plan.csv");
        fs::write(&input, "a\n").unwrap();
        let same = folder.path().join(".").join("plan.csv");
        assert_eq!(Output::begin(&same, &input).unwrap_err().exit, Exit::Usage);
        let folder = Output::begin(folder.path(), &input).unwrap_err();
        assert!(folder.message.ends_with("is a folder."));
        let nowhere = Output::begin(Path::new("/no/such/folder/c.csv"), &input).unwrap_err();
        assert_eq!(nowhere.exit, Exit::NotFound);
    }
}
