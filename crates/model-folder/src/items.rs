//! What of a model's folder belongs to the model.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Component, Path, PathBuf},
};

use walkdir::{DirEntry, WalkDir};

use crate::{FolderError, ignore::Ignore};

/// What tools leave in a model's folder and no run needs.
const LEFT_OUT: [&str; 10] = [
    ".venv",
    ".git",
    "__pycache__",
    ".pytest_cache",
    ".ruff_cache",
    ".mypy_cache",
    ".hypothesis",
    ".ipynb_checkpoints",
    ".DS_Store",
    ".dropcast",
];

/// One thing in a model's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its path inside the folder.
    pub path: PathBuf,
    /// What it is.
    pub kind: ItemKind,
}

/// What a thing in a model's folder is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemKind {
    /// A file.
    File {
        /// Whether anybody may run it.
        executable: bool,
    },
    /// A link that stays inside the folder.
    Link {
        /// What it says.
        target: PathBuf,
    },
}

/// Everything that belongs into the model's image, sorted by path: all but what tools leave there
/// and what `.dockerignore` leaves out.
///
/// Fails on what no image can hold: links that lead out, sockets, devices.
pub fn items(folder: &Path) -> Result<Vec<Item>, FolderError> {
    let ignore = Ignore::of(folder)?;
    walk(folder, &|path| !ignore.leaves_out(path))
}

/// Everything but what tools leave in a folder, as far as it is `wanted` by its path; sorted.
pub(crate) fn walk(
    folder: &Path,
    wanted: &dyn Fn(&Path) -> bool,
) -> Result<Vec<Item>, FolderError> {
    let mut items = Vec::new();
    for entry in WalkDir::new(folder).into_iter().filter_entry(is_made) {
        let entry = entry.map_err(|error| FolderError::at("reading", folder)(error.into()))?;
        let path = entry.path().strip_prefix(folder).unwrap_or(entry.path());
        if entry.file_type().is_dir() || !wanted(path) {
            continue;
        }
        items.push(Item {
            path: path.to_owned(),
            kind: kind(&entry, path)?,
        });
    }
    items.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(items)
}

/// Whether somebody made it, and no tool left it there.
fn is_made(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    let compiled = Path::new(entry.file_name())
        .extension()
        .is_some_and(|extension| extension == "pyc");
    entry.depth() == 0 || !(compiled || LEFT_OUT.contains(&name.as_ref()))
}

fn kind(entry: &DirEntry, path: &Path) -> Result<ItemKind, FolderError> {
    let refused = |problem: &str| FolderError::Item {
        path: entry.path().to_owned(),
        problem: problem.to_owned(),
    };
    if entry.file_type().is_symlink() {
        let target =
            fs::read_link(entry.path()).map_err(FolderError::at("reading", entry.path()))?;
        if stays_inside(path, &target) {
            Ok(ItemKind::Link { target })
        } else {
            Err(refused(
                "its target is outside the model's folder, or contains .. after a folder's name; change the link",
            ))
        }
    } else if entry.file_type().is_file() {
        let about = entry
            .metadata()
            .map_err(|error| FolderError::at("reading", entry.path())(error.into()))?;
        Ok(ItemKind::File {
            executable: about.permissions().mode() & 0o111 != 0,
        })
    } else {
        Err(refused("it is not a file, a folder or a symbolic link"))
    }
}

/// Whether a link at `path` with this target stays in the folder that `path` is relative to,
/// whatever other links it contains: a target that goes up again after a name may pass through one.
pub(crate) fn stays_inside(path: &Path, target: &Path) -> bool {
    let mut depth = path.components().count().saturating_sub(1);
    let mut goes_up = true;
    for part in target.components() {
        match part {
            Component::Normal(_) => goes_up = false,
            Component::CurDir => {}
            Component::ParentDir if goes_up && depth > 0 => depth -= 1,
            _ => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn what_tools_and_the_ignore_file_leave_out_is_no_part() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for file in [
            "main.py",
            "a/b.py",
            "a/__pycache__/b.pyc",
            "tests/t.py",
            ".git/HEAD",
        ] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        fs::write(root.join(".dockerignore"), "tests\n").unwrap();
        let paths: Vec<_> = items(root)
            .unwrap()
            .into_iter()
            .map(|item| item.path)
            .collect();
        let wanted = [".dockerignore", "a/b.py", "main.py"].map(PathBuf::from);
        assert_eq!(paths, wanted);
    }

    #[test]
    fn a_link_that_leads_out_of_the_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir(root.join("lib")).unwrap();
        symlink("../main.py", root.join("lib/inside")).unwrap();
        assert_eq!(items(root).unwrap().len(), 1);
        for target in ["/etc/passwd", "../../outside"] {
            let link = root.join("lib/link");
            symlink(target, &link).unwrap();
            let error = items(root).unwrap_err();
            assert!(error.to_string().contains("is outside"), "{error}");
            fs::remove_file(link).unwrap();
        }
    }
}
