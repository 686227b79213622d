//! Images on one machine: a snapshot of a model's folder under the digest of its content.
//!
//! The snapshot is at `<images>/<model>/<digest>/`, and the local Batch runs jobs in it. A
//! model with a `requirements.txt` finds its Python environment in `.venv`, a link that is no part
//! of the content.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use dropcast_model_folder::{Item, ItemKind, items};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{Error, ModelFolder, Progress, Reporter, stack::step, venv};

/// The environment's name inside a snapshot.
const VENV: &str = ".venv";
/// A snapshot of a model's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `local/<model>@sha256:<hex>`, what a job definition names.
    pub reference: String,
    /// The snapshot's folder.
    pub folder: PathBuf,
}

/// What makes images of models' folders.
#[derive(Debug, Clone)]
pub struct ImageBuilder {
    /// Root of the images.
    pub images: PathBuf,
    /// The Python that environments of models are made with.
    pub python: PathBuf,
    /// Folder that keeps the environments.
    pub venvs: PathBuf,
}

impl Image {
    /// The `PATH` of what runs in it: the model's own Python environment first, then `folders`.
    pub fn path(&self, folders: impl IntoIterator<Item = PathBuf>) -> OsString {
        let own = self.folder.join(VENV).join("bin");
        // Fails only for a folder with a colon in its name, which then cannot be in a PATH.
        std::env::join_paths(std::iter::once(own).chain(folders)).unwrap_or_default()
    }
}

impl ImageBuilder {
    /// A builder that keeps environments where all stacks and clones of this user find them.
    pub fn new(images: PathBuf, python: PathBuf) -> Self {
        Self {
            images,
            python,
            venvs: venv::default_folder(),
        }
    }

    /// Makes the image of a folder: a snapshot and, where the model names Python packages, an
    /// environment with them. The reporter hears of each package.
    pub async fn build(
        &self,
        model: &ModelFolder,
        folder: &Path,
        reporter: &dyn Reporter,
    ) -> Result<Image, Error> {
        let image = step(reporter, "taking a snapshot of the model", async {
            let (name, folder) = (model.manifest.name.clone(), folder.to_owned());
            let images = self.images.clone();
            let work = move || snapshot(name.as_str(), &folder, &images);
            tokio::task::spawn_blocking(work)
                .await
                .map_err(Error::call("taking the snapshot"))?
        })
        .await?;
        let requirements = image.folder.join(venv::REQUIREMENTS);
        if requirements.is_file() {
            let on_line = |line: &str| {
                tracing::debug!(line, "pip");
                if let Some(package) = line.trim_start().strip_prefix("Collecting ") {
                    reporter.report(Progress {
                        step: format!(
                            "installing {}",
                            package.split(" (").next().unwrap_or(package)
                        ),
                        took: None,
                    });
                }
            };
            let work = venv::provide(&requirements, &self.python, &self.venvs, &on_line);
            let venv = step(reporter, "preparing the model's Python environment", work).await?;
            link_venv(&image, &venv)?;
        }
        Ok(image)
    }
}

/// Takes a snapshot, unless there is one of the same content. Blocks.
pub(crate) fn snapshot(model: &str, folder: &Path, images: &Path) -> Result<Image, Error> {
    let items = items(folder)?;
    let digest = digest(folder, &items)?;
    let of_model = images.join(model);
    let place = of_model.join(&digest);
    let image = Image {
        reference: format!("local/{model}@sha256:{digest}"),
        folder: place.clone(),
    };
    if place.is_dir() {
        return Ok(image);
    }
    let unfinished = of_model.join(format!("{}.new", Uuid::new_v4().simple()));
    copy(folder, &items, &unfinished).inspect_err(|_| {
        let _ = fs::remove_dir_all(&unfinished);
    })?;
    if let Err(error) = fs::rename(&unfinished, &place) {
        let _ = fs::remove_dir_all(&unfinished);
        // Another process was faster with the same content.
        if !place.is_dir() {
            return Err(Error::at("writing", &place)(error));
        }
    }
    Ok(image)
}

/// Lets the snapshot find its Python environment, whichever it had before.
pub(crate) fn link_venv(image: &Image, venv: &Path) -> Result<(), Error> {
    let link = image.folder.join(VENV);
    if fs::read_link(&link).is_ok_and(|target| target == venv) {
        return Ok(());
    }
    let unfinished = image
        .folder
        .join(format!("{VENV}.{}", Uuid::new_v4().simple()));
    symlink(venv, &unfinished)
        .and_then(|()| fs::rename(&unfinished, &link))
        .map_err(Error::at("linking", &link))
}

/// SHA-256 over paths, kinds and contents, each with its length so that none can pass for another.
fn digest(folder: &Path, items: &[Item]) -> Result<String, Error> {
    let mut all = Sha256::new();
    let mut add = |bytes: &[u8]| {
        all.update((bytes.len() as u64).to_be_bytes());
        all.update(bytes);
    };
    for item in items {
        add(item.path.as_os_str().as_encoded_bytes());
        match &item.kind {
            ItemKind::Link { target } => {
                add(b"link");
                add(target.as_os_str().as_encoded_bytes());
            }
            ItemKind::File { executable } => {
                add(if *executable { b"program" } else { b"file" });
                let path = folder.join(&item.path);
                add(&file_digest(&path).map_err(Error::at("reading", &path))?);
            }
        }
    }
    Ok(hex::encode(all.finalize()))
}

fn file_digest(path: &Path) -> io::Result<[u8; 32]> {
    let mut digest = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match io::Read::read(&mut file, &mut buffer)? {
            0 => return Ok(digest.finalize().into()),
            read => digest.update(&buffer[..read]),
        }
    }
}

/// Copies a model's items into a new folder.
fn copy(folder: &Path, items: &[Item], to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(Error::at("creating", to))?;
    for item in items {
        let place = to.join(&item.path);
        let above = place.parent().unwrap_or(to);
        fs::create_dir_all(above).map_err(Error::at("creating", above))?;
        let copied = match &item.kind {
            ItemKind::Link { target } => symlink(target, &place),
            ItemKind::File { .. } => fs::copy(folder.join(&item.path), &place).map(drop),
        };
        copied.map_err(Error::at("writing", &place))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn model() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        fs::create_dir_all(root.join("lib/__pycache__")).unwrap();
        fs::write(root.join("main.py"), "print()").unwrap();
        fs::write(root.join("lib/a.py"), "").unwrap();
        fs::write(root.join("lib/__pycache__/a.pyc"), "1").unwrap();
        folder
    }

    #[test]
    fn the_same_content_is_the_same_image_whatever_tools_left_beside_it() {
        let (model, images) = (model(), tempfile::tempdir().unwrap());
        let first = snapshot("m", model.path(), images.path()).unwrap();
        assert!(first.folder.join("lib/a.py").is_file());
        assert!(!first.folder.join("lib/__pycache__").exists());
        fs::create_dir(model.path().join(".pytest_cache")).unwrap();
        fs::write(model.path().join("lib/__pycache__/a.pyc"), "2").unwrap();
        assert_eq!(snapshot("m", model.path(), images.path()).unwrap(), first);
        assert_eq!(fs::read_dir(images.path().join("m")).unwrap().count(), 1);
    }

    #[test]
    fn another_content_name_or_mode_is_another_image() {
        let (model, images) = (model(), tempfile::tempdir().unwrap());
        let take = || {
            snapshot("m", model.path(), images.path())
                .unwrap()
                .reference
        };
        let file = model.path().join("main.py");
        let mut seen = vec![take()];
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        seen.push(take());
        fs::write(&file, "print(1)").unwrap();
        seen.push(take());
        fs::rename(&file, model.path().join("other.py")).unwrap();
        seen.push(take());
        symlink("other.py", &file).unwrap();
        seen.push(take());
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 5);
    }

    #[test]
    fn the_environment_of_a_snapshot_can_be_replaced() {
        let (model, images) = (model(), tempfile::tempdir().unwrap());
        let image = snapshot("m", model.path(), images.path()).unwrap();
        for venv in ["/one", "/two", "/two"] {
            link_venv(&image, Path::new(venv)).unwrap();
            let target = fs::read_link(image.folder.join(VENV)).unwrap();
            assert_eq!(target, Path::new(venv));
        }
        assert_eq!(snapshot("m", model.path(), images.path()).unwrap(), image);
    }
}
