//! Walks a folder that a model wrote, and rejects what must not be uploaded.

use std::{
    fs, io,
    path::{Path, PathBuf},
    vec,
};

/// A file to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundFile {
    /// Its path below the folder, parts separated by `/`.
    pub(crate) path: String,
    /// Where its content is: the path itself or, for a link, what the link leads to.
    pub(crate) source: PathBuf,
    /// Its size when it was found.
    pub(crate) bytes: u64,
}

/// Something in the folder must not be uploaded; the text names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct WalkError(String);

/// Files below a folder, in the order of their paths' bytes, so that a listing of them can be
/// merged with S3's own. Holds the names of the open folders only, never of the whole tree.
#[derive(Debug)]
pub(crate) struct Walk {
    root: PathBuf,
    noun: &'static str,
    max_path_bytes: usize,
    open: Vec<OpenFolder>,
}

#[derive(Debug)]
struct OpenFolder {
    /// Without links, so that a link back to a folder that holds it is seen.
    real: PathBuf,
    /// Its path below the root with a slash at the end; empty for the root.
    prefix: String,
    entries: vec::IntoIter<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    File,
    LinkedFile(PathBuf),
    Folder(PathBuf),
    Forbidden(String),
}

impl Walk {
    /// Opens `root`, a path without links. `noun` is what messages call it ("output folder"),
    /// `max_path_bytes` how long a path below it may be.
    ///
    /// Returns `None` if the folder does not exist.
    pub(crate) fn open(
        root: &Path,
        noun: &'static str,
        max_path_bytes: usize,
    ) -> Result<Option<Self>, WalkError> {
        match fs::symlink_metadata(root) {
            Ok(found) if found.is_dir() => {}
            Ok(_) => {
                return Err(WalkError(format!(
                    "the {noun} was replaced by something else"
                )));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(WalkError(format!("the {noun} cannot be read: {error}"))),
        }
        let mut walk = Self {
            root: root.to_owned(),
            noun,
            max_path_bytes,
            open: Vec::new(),
        };
        walk.enter(root.to_owned(), String::new())?;
        Ok(Some(walk))
    }

    fn enter(&mut self, real: PathBuf, prefix: String) -> Result<(), WalkError> {
        let unreadable = |error: io::Error| {
            let shown = if prefix.is_empty() { "." } else { &prefix };
            WalkError(format!(
                "the {} contains {shown:?}, which cannot be read: {error}",
                self.noun
            ))
        };
        let mut entries = Vec::new();
        for entry in fs::read_dir(&real).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name();
            let kind = match name.to_str() {
                None => Kind::Forbidden(format!(
                    "contains {:?}, a name that is not UTF-8",
                    format!("{prefix}{}", name.to_string_lossy())
                )),
                Some(name) => self.kind_of(&entry, &format!("{prefix}{name}")),
            };
            entries.push(Entry {
                name: name.to_string_lossy().into_owned(),
                kind,
            });
        }
        // A folder's content sorts by "name/…": "a-b" comes before "a/b", though "a" < "a-b".
        entries.sort_unstable_by(|a, b| a.sort_key().cmp(b.sort_key()));
        self.open.push(OpenFolder {
            real,
            prefix,
            entries: entries.into_iter(),
        });
        Ok(())
    }

    fn kind_of(&self, entry: &fs::DirEntry, path: &str) -> Kind {
        // S3's listings are XML, which has no place for these.
        if path
            .chars()
            .any(|c| c.is_control() || c == '\u{fffe}' || c == '\u{ffff}')
        {
            return Kind::Forbidden(format!(
                "contains {path:?}, a name with a control character"
            ));
        }
        let real = entry.path();
        let found = match entry.file_type() {
            Ok(found) => found,
            Err(error) => {
                return Kind::Forbidden(format!(
                    "contains {path:?}, which cannot be read: {error}"
                ));
            }
        };
        if found.is_symlink() {
            self.kind_of_link(&real, path)
        } else if found.is_dir() {
            Kind::Folder(real)
        } else if found.is_file() {
            Kind::File
        } else {
            Kind::Forbidden(special(path))
        }
    }

    fn kind_of_link(&self, link: &Path, path: &str) -> Kind {
        let shown = fs::read_link(link).unwrap_or_default();
        let shown = shown.to_string_lossy();
        let target = match fs::canonicalize(link) {
            Ok(target) => target,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Kind::Forbidden(format!(
                    "contains the link {path:?}, which leads to nothing ({shown:?})"
                ));
            }
            Err(error) => {
                return Kind::Forbidden(format!(
                    "contains the link {path:?}, which cannot be followed: {error}"
                ));
            }
        };
        if !target.starts_with(&self.root) {
            return Kind::Forbidden(format!(
                "contains the link {path:?}, which leads out of it ({shown:?})"
            ));
        }
        match fs::metadata(&target) {
            Ok(found) if found.is_dir() => Kind::Folder(target),
            Ok(found) if found.is_file() => Kind::LinkedFile(target),
            Ok(_) => Kind::Forbidden(special(path)),
            Err(error) => {
                Kind::Forbidden(format!("contains {path:?}, which cannot be read: {error}"))
            }
        }
    }

    fn descend(&mut self, real: PathBuf, path: String) -> Result<(), WalkError> {
        if self.open.iter().any(|open| open.real == real) {
            return Err(self.error(&format!(
                "contains the link {path:?}, which points to a folder that contains it"
            )));
        }
        self.enter(real, path + "/")
    }

    fn found(&self, path: String, source: PathBuf) -> Result<FoundFile, WalkError> {
        if path.len() > self.max_path_bytes {
            return Err(self.error(&format!(
                "contains {path:?}, whose path is {} bytes long; an S3 key has room for {}",
                path.len(),
                self.max_path_bytes
            )));
        }
        match fs::symlink_metadata(&source) {
            Ok(found) if found.is_file() => {
                let bytes = found.len();
                Ok(FoundFile {
                    path,
                    source,
                    bytes,
                })
            }
            Ok(_) => Err(self.error(&special(&path))),
            Err(error) => {
                Err(self.error(&format!("contains {path:?}, which cannot be read: {error}")))
            }
        }
    }

    fn error(&self, what: &str) -> WalkError {
        WalkError(format!("the {} {what}", self.noun))
    }
}

fn special(path: &str) -> String {
    format!("contains {path:?}, which is neither a file nor a folder")
}

impl Entry {
    fn sort_key(&self) -> impl Iterator<Item = u8> {
        let slash = matches!(self.kind, Kind::Folder(_)).then_some(b'/');
        self.name.bytes().chain(slash)
    }
}

impl Iterator for Walk {
    type Item = Result<FoundFile, WalkError>;

    /// The next file. After an error the walk goes on behind what was refused.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let folder = self.open.last_mut()?;
            let Some(entry) = folder.entries.next() else {
                self.open.pop();
                continue;
            };
            let path = format!("{}{}", folder.prefix, entry.name);
            let source = match entry.kind {
                Kind::Forbidden(what) => return Some(Err(self.error(&what))),
                Kind::File => folder.real.join(&entry.name),
                Kind::LinkedFile(target) => target,
                Kind::Folder(real) => match self.descend(real, path) {
                    Ok(()) => continue,
                    Err(error) => return Some(Err(error)),
                },
            };
            return Some(self.found(path, source));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        ffi::OsStr,
        os::unix::{ffi::OsStrExt as _, fs::symlink, net::UnixListener},
    };

    use super::*;

    struct Folder {
        _whole: tempfile::TempDir,
        outside: PathBuf,
        root: PathBuf,
    }

    impl Folder {
        fn new() -> Self {
            let whole = tempfile::tempdir().unwrap();
            let base = whole.path().canonicalize().unwrap();
            let (outside, root) = (base.join("outside"), base.join("out"));
            fs::create_dir(&outside).unwrap();
            fs::create_dir(&root).unwrap();
            Self {
                _whole: whole,
                outside,
                root,
            }
        }

        fn with(self, files: &[&str]) -> Self {
            for file in files {
                let path = self.root.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, file).unwrap();
            }
            self
        }

        fn walk(&self) -> Vec<Result<FoundFile, WalkError>> {
            Walk::open(&self.root, "output folder", 200)
                .unwrap()
                .unwrap()
                .collect()
        }

        fn paths(&self) -> Vec<String> {
            self.walk()
                .into_iter()
                .map(|found| found.unwrap().path)
                .collect()
        }

        fn error(&self) -> String {
            self.walk()
                .into_iter()
                .find_map(Result::err)
                .unwrap()
                .to_string()
        }
    }

    #[test]
    fn files_come_in_the_byte_order_of_their_paths() {
        let names = [
            "a/b", "a-b", "a.csv", "a/z/q", "a0", "B", "é", "z", "a b+%20",
        ];
        let mut sorted = names.map(str::to_owned);
        sorted.sort();
        assert_eq!(Folder::new().with(&names).paths(), sorted);
    }

    #[test]
    fn an_empty_folder_and_empty_folders_hold_no_files() {
        let folder = Folder::new();
        fs::create_dir_all(folder.root.join("a/b")).unwrap();
        assert!(folder.paths().is_empty());
    }

    #[test]
    fn a_link_inside_is_followed() {
        let folder = Folder::new().with(&["data/a"]);
        symlink("data/a", folder.root.join("file-link")).unwrap();
        symlink(folder.root.join("data"), folder.root.join("folder-link")).unwrap();
        assert_eq!(folder.paths(), ["data/a", "file-link", "folder-link/a"]);
        for found in folder.walk() {
            assert_eq!(fs::read_to_string(found.unwrap().source).unwrap(), "data/a");
        }
    }

    #[test]
    fn a_link_that_leads_out_is_refused_by_name() {
        let folder = Folder::new().with(&["sub/a"]);
        fs::write(folder.outside.join("secret"), "x").unwrap();
        let links = [
            ("plain", folder.outside.join("secret")),
            ("folder", folder.outside.clone()),
            ("sub/relative", PathBuf::from("../../outside/secret")),
            ("parent", PathBuf::from("..")),
        ];
        for (name, target) in links {
            let link = folder.root.join(name);
            symlink(&target, &link).unwrap();
            let error = folder.error();
            assert!(
                error.contains(name) && error.contains("leads out of it"),
                "{error}"
            );
            fs::remove_file(link).unwrap();
        }
    }

    #[test]
    fn a_link_through_a_link_that_leads_out_is_refused() {
        let folder = Folder::new();
        symlink(folder.root.join("b"), folder.root.join("a")).unwrap();
        symlink("/etc/hostname", folder.root.join("b")).unwrap();
        assert_eq!(
            folder.walk().iter().filter(|found| found.is_err()).count(),
            2
        );
    }

    #[test]
    fn a_neighbour_with_the_same_beginning_is_outside() {
        let folder = Folder::new();
        let neighbour = folder.root.with_file_name("out-secret");
        fs::write(&neighbour, "x").unwrap();
        symlink(&neighbour, folder.root.join("a")).unwrap();
        assert!(folder.error().contains("leads out of it"));
    }

    #[test]
    fn links_that_go_round_or_nowhere_are_refused() {
        let folder = Folder::new();
        fs::create_dir(folder.root.join("sub")).unwrap();
        symlink("..", folder.root.join("sub/up")).unwrap();
        assert!(
            folder
                .error()
                .contains("which points to a folder that contains it")
        );
        fs::remove_file(folder.root.join("sub/up")).unwrap();
        symlink("gone", folder.root.join("dangling")).unwrap();
        assert!(folder.error().contains("leads to nothing"));
        fs::remove_file(folder.root.join("dangling")).unwrap();
        symlink("self", folder.root.join("self")).unwrap();
        assert!(folder.error().contains("cannot be followed"));
    }

    #[test]
    fn special_files_and_names_that_s3_cannot_hold_are_refused() {
        let folder = Folder::new();
        let _socket = UnixListener::bind(folder.root.join("socket")).unwrap();
        assert!(folder.error().contains("neither a file nor a folder"));
        fs::remove_file(folder.root.join("socket")).unwrap();
        fs::write(folder.root.join(OsStr::from_bytes(b"caf\xe9.csv")), "x").unwrap();
        assert!(folder.error().contains("not UTF-8"));
        fs::remove_file(folder.root.join(OsStr::from_bytes(b"caf\xe9.csv"))).unwrap();
        fs::write(folder.root.join("a\nb"), "x").unwrap();
        assert!(folder.error().contains("control character"));
        fs::remove_file(folder.root.join("a\nb")).unwrap();
        let folder = folder.with(&[&format!("{}/{}", "d".repeat(100), "f".repeat(100))]);
        assert!(folder.error().contains("201 bytes"));
    }

    #[test]
    fn a_deleted_folder_is_distinguished_from_a_replaced_one() {
        let folder = Folder::new();
        fs::remove_dir(&folder.root).unwrap();
        assert!(
            Walk::open(&folder.root, "output folder", 200)
                .unwrap()
                .is_none()
        );
        symlink(&folder.outside, &folder.root).unwrap();
        assert!(Walk::open(&folder.root, "output folder", 200).is_err());
    }

    #[test]
    fn the_walk_goes_on_behind_what_was_refused() {
        let folder = Folder::new().with(&["a", "z"]);
        symlink("/etc", folder.root.join("m")).unwrap();
        let found = folder.walk();
        assert_eq!(found.len(), 3);
        assert!(found[1].is_err());
    }
}
