//! Reads a file part by part, each byte once, and notices when it changes meanwhile.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::PathBuf,
};

use bytes::Bytes;
use nix::libc;
use sha2::{Digest as _, Sha256};

/// A SHA-256.
pub(crate) type Digest = [u8; 32];

/// What tells one state of a file from another, as far as the file system knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    bytes: u64,
    modified: (i64, i64),
    file: (u64, u64),
}

impl From<&Metadata> for Stamp {
    fn from(found: &Metadata) -> Self {
        Self {
            bytes: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            file: (found.dev(), found.ino()),
        }
    }
}

impl Stamp {
    /// The file's size.
    pub(crate) fn bytes(self) -> u64 {
        self.bytes
    }
}

/// Some consecutive bytes of a file, in memory.
#[derive(Debug)]
pub(crate) struct Part {
    /// The bytes. Cheap to clone, so that a request can be tried again.
    pub(crate) bytes: Bytes,
    /// Their SHA-256.
    pub(crate) sha256: Digest,
}

/// A file that is being uploaded.
#[derive(Debug)]
pub(crate) struct PartReader {
    path: PathBuf,
    file: File,
    stamp: Stamp,
    left: u64,
    whole: Sha256,
}

impl PartReader {
    /// Opens a file. A link or a pipe that has taken its place meanwhile is an error and does not
    /// block.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(&path)?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(changed());
        }
        let stamp = Stamp::from(&found);
        Ok(Self {
            path,
            file,
            stamp,
            left: found.len(),
            whole: Sha256::new(),
        })
    }

    /// What the file was when it was opened.
    pub(crate) fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// The file's size when it was opened.
    pub(crate) fn bytes(&self) -> u64 {
        self.stamp.bytes
    }

    /// Whether nothing is left to be read.
    pub(crate) fn is_at_end(&self) -> bool {
        self.left == 0
    }

    /// Reads the next part, `most` bytes or what is left.
    pub(crate) fn read(&mut self, most: u64) -> io::Result<Part> {
        let want = most.min(self.left);
        let mut bytes = Vec::with_capacity(usize::try_from(want).map_err(io::Error::other)?);
        (&mut self.file).take(want).read_to_end(&mut bytes)?;
        if bytes.len() as u64 != want {
            return Err(changed());
        }
        self.left -= want;
        self.whole.update(&bytes);
        let sha256 = Sha256::digest(&bytes).into();
        Ok(Part {
            bytes: bytes.into(),
            sha256,
        })
    }

    /// The SHA-256 of all that was read, if the file is still the one that was opened and has not
    /// been written to since.
    pub(crate) fn finish(self) -> io::Result<Digest> {
        let same = Stamp::from(&self.file.metadata()?) == self.stamp
            && Stamp::from(&fs::symlink_metadata(&self.path)?) == self.stamp;
        if same && self.left == 0 {
            Ok(self.whole.finalize().into())
        } else {
            Err(changed())
        }
    }
}

fn changed() -> io::Error {
    io::Error::other("it changed during the upload")
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f");
        fs::write(&path, content).unwrap();
        (folder, path)
    }

    #[test]
    fn parts_follow_each_other_and_the_whole_has_the_files_digest() {
        let (_folder, path) = file(b"abcdefgh");
        let mut reader = PartReader::open(path).unwrap();
        assert_eq!(reader.bytes(), 8);
        let mut read = Vec::new();
        while !reader.is_at_end() {
            let part = reader.read(3).unwrap();
            assert_eq!(part.sha256, Digest::from(Sha256::digest(&part.bytes)));
            read.push(part.bytes);
        }
        assert_eq!(read, ["abc", "def", "gh"]);
        assert_eq!(
            reader.finish().unwrap(),
            Digest::from(Sha256::digest(b"abcdefgh"))
        );
    }

    #[test]
    fn a_file_that_shrank_grew_or_was_replaced_is_noticed() {
        let (_folder, path) = file(b"abcdefgh");
        let mut reader = PartReader::open(path.clone()).unwrap();
        reader.read(4).unwrap();
        OpenOptions::new()
            .write(true)
            .open(&path)
            .unwrap()
            .set_len(5)
            .unwrap();
        assert!(reader.read(4).is_err());

        let (_folder, path) = file(b"abcdefgh");
        let mut reader = PartReader::open(path.clone()).unwrap();
        reader.read(8).unwrap();
        OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"i")
            .unwrap();
        assert!(reader.finish().is_err());

        let (folder, path) = file(b"abcdefgh");
        let mut reader = PartReader::open(path.clone()).unwrap();
        reader.read(8).unwrap();
        fs::write(folder.path().join("other"), b"abcdefgh").unwrap();
        fs::rename(folder.path().join("other"), &path).unwrap();
        assert!(reader.finish().is_err());
    }

    #[test]
    fn a_link_or_a_pipe_in_a_files_place_is_not_read() {
        let (folder, path) = file(b"x");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(PartReader::open(link).is_err());
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
        assert!(PartReader::open(folder.path().join("socket")).is_err());
    }
}
