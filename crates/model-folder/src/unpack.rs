//! Takes a zip file apart that anybody may have made.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read, Write},
    os::unix::fs::{OpenOptionsExt, symlink},
    path::{Component, Path, PathBuf},
};

use zip::{ZipArchive, read::ZipFile, result::ZipError};

use crate::items::stays_inside;

/// The most bytes that a model's folder may hold.
pub const MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// The most files and links.
const MAX_ENTRIES: usize = 20_000;
/// The longest target of a link, in bytes: `PATH_MAX`.
const MAX_TARGET_BYTES: u64 = 4096;

/// Why a zip file is not unpacked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnpackError {
    /// It is no zip file that can be read.
    #[error("it is no zip file that can be read: {0}")]
    NotAZip(String),
    /// An entry would be written outside of the folder, or through a link.
    #[error("its entry {0:?} is outside the folder")]
    LeadsOut(String),
    /// Two entries have one path.
    #[error("its entry {0:?} exists twice")]
    Twice(String),
    /// It holds more than a model may.
    #[error("a model's folder may contain at most {}", .0)]
    TooMuch(&'static str),
    /// The system refused something.
    #[error("it could not be unpacked: {0}")]
    System(#[from] io::Error),
}

impl From<ZipError> for UnpackError {
    fn from(error: ZipError) -> Self {
        Self::NotAZip(error.to_string())
    }
}

/// What of the limits is left.
#[derive(Debug)]
pub(crate) struct Budget {
    bytes: u64,
    entries: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            bytes: MAX_BYTES,
            entries: MAX_ENTRIES,
        }
    }
}

impl Budget {
    /// Counts an entry.
    pub(crate) fn entry(&mut self) -> Result<(), UnpackError> {
        let left = self.entries.checked_sub(1);
        self.entries = left.ok_or(UnpackError::TooMuch("20,000 files"))?;
        Ok(())
    }

    /// Counts bytes.
    pub(crate) fn take(&mut self, bytes: u64) -> Result<(), UnpackError> {
        let left = self.bytes.checked_sub(bytes);
        self.bytes = left.ok_or(UnpackError::TooMuch("2 GiB"))?;
        Ok(())
    }
}

/// Unpacks a zip file into an empty folder, as much as a model may hold and nothing outside of it.
///
/// Links come last, so that nothing is written through one. What was unpacked before an error stays.
pub fn unpack(zip: File, folder: &Path) -> Result<(), UnpackError> {
    unpack_within(zip, folder, Budget::default())
}

fn unpack_within(zip: File, folder: &Path, mut budget: Budget) -> Result<(), UnpackError> {
    let mut archive = ZipArchive::new(BufReader::new(zip))?;
    let mut seen = HashSet::new();
    let mut links = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        budget.entry()?;
        let name = entry.name()?.into_owned();
        let path = path_of(&name)?;
        if !seen.insert(path.clone()) {
            return Err(UnpackError::Twice(name));
        }
        let place = folder.join(&path);
        if entry.is_dir() {
            fs::create_dir_all(&place)?;
        } else if entry.is_symlink() {
            let mut target = String::new();
            entry
                .by_ref()
                .take(MAX_TARGET_BYTES)
                .read_to_string(&mut target)?;
            let target = PathBuf::from(target);
            if !stays_inside(&path, &target) {
                return Err(UnpackError::LeadsOut(name));
            }
            links.push((path, target));
        } else {
            write(&mut entry, &place, &mut budget)?;
        }
    }
    let are_links: HashSet<&Path> = links.iter().map(|(path, _)| path.as_path()).collect();
    for (path, target) in &links {
        if path
            .ancestors()
            .skip(1)
            .any(|above| are_links.contains(above))
        {
            return Err(UnpackError::LeadsOut(path.display().to_string()));
        }
        let place = folder.join(path);
        make_room(&place)?;
        symlink(target, &place)?;
    }
    Ok(())
}

/// An entry's path: of plain names only.
fn path_of(name: &str) -> Result<PathBuf, UnpackError> {
    let leads_out = || UnpackError::LeadsOut(name.to_owned());
    if name.contains(['\\', '\0']) {
        return Err(leads_out());
    }
    let mut path = PathBuf::new();
    for part in Path::new(name).components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            _ => return Err(leads_out()),
        }
    }
    if path.as_os_str().is_empty() {
        return Err(leads_out());
    }
    Ok(path)
}

/// Writes one file; what its header says of its size is not believed.
fn write<R: Read>(
    entry: &mut ZipFile<'_, R>,
    place: &Path,
    budget: &mut Budget,
) -> Result<(), UnpackError> {
    make_room(place)?;
    let is_program = entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0);
    let mode = if is_program { 0o755 } else { 0o644 };
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(place)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match entry.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                budget.take(read as u64)?;
                file.write_all(&buffer[..read])?;
            }
            Err(error) => return Err(UnpackError::NotAZip(error.to_string())),
        }
    }
}

fn make_room(place: &Path) -> io::Result<()> {
    place.parent().map_or(Ok(()), fs::create_dir_all)
}

#[cfg(test)]
mod tests {
    use std::io::Seek;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    type Add<'a> = &'a dyn Fn(&mut ZipWriter<&File>);

    fn zip(add: Add<'_>) -> File {
        let file = tempfile::tempfile().unwrap();
        let mut writer = ZipWriter::new(&file);
        add(&mut writer);
        writer.finish().unwrap();
        file
    }

    fn refusal(add: Add<'_>) -> (UnpackError, tempfile::TempDir) {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("in");
        fs::create_dir(&folder).unwrap();
        (unpack(zip(add), &folder).unwrap_err(), outer)
    }

    fn file(writer: &mut ZipWriter<&File>, name: &str, content: &[u8]) {
        writer
            .start_file(name, SimpleFileOptions::default())
            .unwrap();
        writer.write_all(content).unwrap();
    }

    fn link(writer: &mut ZipWriter<&File>, name: &str, target: &str) {
        writer
            .add_symlink(name, target, SimpleFileOptions::default())
            .unwrap();
    }

    #[test]
    fn nothing_is_written_outside_of_the_folder() {
        for name in ["../x", "a/../../x", "/x", "a/../b", "..\\x", "."] {
            let (error, outer) = refusal(&|zip| file(zip, name, b"x"));
            assert!(matches!(error, UnpackError::LeadsOut(_)), "{name}: {error}");
            assert!(!outer.path().join("x").exists() && !Path::new("/x").exists());
        }
        for target in ["/etc/passwd", "../x", "a/../../x", "a/../x"] {
            let (error, _) = refusal(&|zip| link(zip, "l", target));
            assert!(matches!(error, UnpackError::LeadsOut(_)), "{target}");
        }
        // Each of them stays inside alone; together they would not.
        let (error, outer) = refusal(&|zip| {
            link(zip, "x/up", "..");
            link(zip, "x/esc", "up/..");
            link(zip, "x/esc/evil", "x");
        });
        assert!(matches!(error, UnpackError::LeadsOut(_)), "{error}");
        let (error, _) = refusal(&|zip| {
            link(zip, "x/up", "..");
            link(zip, "x/up/evil", "x");
        });
        assert!(matches!(error, UnpackError::LeadsOut(_)), "{error}");
        assert!(!outer.path().join("evil").exists());
    }

    #[test]
    fn nothing_is_written_through_a_link_or_over_a_file() {
        let (error, outer) = refusal(&|zip| {
            link(zip, "a", "b");
            file(zip, "a/x", b"x");
        });
        assert!(matches!(error, UnpackError::System(_)), "{error}");
        assert!(!outer.path().join("in/b").exists());
        let (error, _) = refusal(&|zip| {
            file(zip, "a", b"x");
            file(zip, "./a", b"y");
        });
        assert!(matches!(error, UnpackError::Twice(_)), "{error}");
    }

    #[test]
    fn a_bomb_is_stopped_by_what_it_unpacks_to() {
        let bomb = |zip: &mut ZipWriter<&File>| file(zip, "a", &vec![0; 1 << 20]);
        let folder = tempfile::tempdir().unwrap();
        let budget = |bytes, entries| Budget { bytes, entries };
        let error = unpack_within(zip(&bomb), folder.path(), budget(1000, 9)).unwrap_err();
        assert!(matches!(error, UnpackError::TooMuch("2 GiB")), "{error}");
        assert!(fs::metadata(folder.path().join("a")).unwrap().len() < 1 << 18);
        let folder = tempfile::tempdir().unwrap();
        let many = |zip: &mut ZipWriter<&File>| (0..9).for_each(|n| file(zip, &n.to_string(), b""));
        let error = unpack_within(zip(&many), folder.path(), budget(1000, 8)).unwrap_err();
        assert!(error.to_string().contains("20,000 files"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_a_zip_file_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        for content in [&b""[..], b"PK", b"<html>not found</html>"] {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(content).unwrap();
            file.rewind().unwrap();
            let error = unpack(file, folder.path()).unwrap_err();
            assert!(matches!(error, UnpackError::NotAZip(_)), "{error}");
        }
    }
}
