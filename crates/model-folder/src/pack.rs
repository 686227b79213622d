//! A model's folder as one zip file, the same bytes for the same content.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Seek, Write},
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use dropcast_domain::model::MANIFEST_FILE;
use sha2::{Digest, Sha256};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use crate::{
    FolderError, ModelFolder,
    ignore::Ignore,
    items::{Item, ItemKind, walk},
    unpack::Budget,
};

/// The folder of the model's own examples, which the build checks.
const EXAMPLES: &str = "examples";

/// A zip file that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// SHA-256 of the file in lower-case hexadecimal.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// How many files and links it holds.
    pub items: usize,
}

/// Writes the zip file of a model's folder to `to`.
///
/// It holds what belongs into the image, and what the build needs beside that, whatever
/// `.dockerignore` says: the manifest, its schemas, the Dockerfile and the examples. Order, times and
/// modes are the same every time, so that the same content has the same digest.
pub fn pack(folder: &Path, model: &ModelFolder, to: &File) -> Result<Packed, FolderError> {
    let items = packed_items(folder, model)?;
    let mut zip = ZipWriter::new(BufWriter::new(to));
    let mut budget = Budget::default();
    for item in &items {
        add(&mut zip, folder, item, &mut budget)?;
    }
    let failed = |error: io::Error| FolderError::at("packing", folder)(error);
    let mut written = zip.finish().map_err(|error| failed(error.into()))?;
    written.flush().map_err(failed)?;
    let (sha256, bytes) = digest(to).map_err(failed)?;
    Ok(Packed {
        sha256,
        bytes,
        items: items.len(),
    })
}

fn packed_items(folder: &Path, model: &ModelFolder) -> Result<Vec<Item>, FolderError> {
    let ignore = Ignore::of(folder)?;
    let input = &model.manifest.input;
    let mut needed = vec![PathBuf::from(MANIFEST_FILE), PathBuf::from(&input.schema)];
    needed.extend(input.row_schema().map(PathBuf::from));
    // As `./row.json` and `row.json` are one file.
    let needed: Vec<PathBuf> = needed
        .iter()
        .map(|path| path.components().collect())
        .collect();
    let wanted = |path: &Path| {
        !ignore.leaves_out(path) || path.starts_with(EXAMPLES) || needed.iter().any(|it| it == path)
    };
    walk(folder, &wanted)
}

fn add<W: Write + Seek>(
    zip: &mut ZipWriter<W>,
    folder: &Path,
    item: &Item,
    budget: &mut Budget,
) -> Result<(), FolderError> {
    let path = folder.join(&item.path);
    let name = item.path.to_str().ok_or_else(|| FolderError::Item {
        path: path.clone(),
        problem: "its name is not UTF-8".to_owned(),
    })?;
    // 1980 is where the time of a zip file begins.
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    let too_much = |error: crate::UnpackError| FolderError::Item {
        path: path.clone(),
        problem: error.to_string(),
    };
    budget.entry().map_err(too_much)?;
    let added = match &item.kind {
        ItemKind::Link { target } => {
            let target = String::from_utf8_lossy(target.as_os_str().as_bytes());
            zip.add_symlink(name, target, options.unix_permissions(0o777))
                .map_err(io::Error::from)
        }
        ItemKind::File { executable } => {
            let mode = if *executable { 0o755 } else { 0o644 };
            let about = fs::metadata(&path).map_err(FolderError::at("reading", &path))?;
            budget.take(about.len()).map_err(too_much)?;
            zip.start_file(name, options.unix_permissions(mode))
                .map_err(io::Error::from)
                .and_then(|()| io::copy(&mut File::open(&path)?, zip).map(drop))
        }
    };
    added.map_err(FolderError::at("packing", &path))
}

fn digest(mut file: &File) -> io::Result<(String, u64)> {
    file.rewind()?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((hex::encode(digest.finalize()), bytes)),
            read => {
                digest.update(&buffer[..read]);
                bytes += read as u64;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::fs::{PermissionsExt, symlink},
        time::{Duration, SystemTime},
    };

    use super::*;

    fn model() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for (name, content) in [
            (
                "model.toml",
                "name = \"m\"\ntitle = \"M\"\n[job]\ncommand = [\"true\"]\n[input]\nschema = \"in.json\"\n",
            ),
            ("in.json", "{}"),
            ("main.py", "print()"),
            ("examples/a.json", "{}"),
            ("tests/t.py", "1"),
            (".dockerignore", "examples\ntests\n*.json\nmodel.toml\n"),
        ] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        symlink("main.py", root.join("link.py")).unwrap();
        folder
    }

    fn packed(folder: &Path) -> (Packed, File) {
        let to = tempfile::tempfile().unwrap();
        let model = ModelFolder::read(folder).unwrap();
        (pack(folder, &model, &to).unwrap(), to)
    }

    #[test]
    fn the_same_content_has_the_same_digest_and_another_has_another() {
        let folder = model();
        let (first, _) = packed(folder.path());
        let main = File::options()
            .append(true)
            .open(folder.path().join("main.py"))
            .unwrap();
        main.set_modified(SystemTime::UNIX_EPOCH + Duration::from_hours(20 * 365 * 24))
            .unwrap();
        fs::write(folder.path().join("tests/t.py"), "2").unwrap();
        assert_eq!(packed(folder.path()).0, first);
        (&main).write_all(b"\n").unwrap();
        assert_ne!(packed(folder.path()).0.sha256, first.sha256);
    }

    #[test]
    fn what_the_build_needs_is_packed_whatever_is_ignored_and_comes_out_again() {
        let folder = model();
        let program = folder.path().join("main.py");
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        let (packed, zip) = packed(folder.path());
        assert_eq!(packed.items, 6);
        let out = tempfile::tempdir().unwrap();
        crate::unpack(zip, out.path()).unwrap();
        assert!(!out.path().join("tests").exists());
        assert!(out.path().join("examples/a.json").is_file());
        let mode = fs::metadata(out.path().join("main.py"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o755);
        assert_eq!(
            fs::read_link(out.path().join("link.py")).unwrap(),
            Path::new("main.py")
        );
        assert_eq!(
            ModelFolder::read(out.path()).unwrap(),
            ModelFolder::read(folder.path()).unwrap()
        );
    }
}
