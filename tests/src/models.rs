//! Small models made of a few lines of shell: `tests/models/`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use dropcast_domain::registry::RegisteredVersion;
use dropcast_local_stack::{NoProgress, Registry, register};
use jiff::Timestamp;
use walkdir::WalkDir;

use crate::{Stack, programs};

impl Stack {
    /// Registers the model of a folder of `tests/models/`, once; returns its
    /// name.
    pub async fn model(&self, folder: &str) -> Result<String> {
        self.model_as(folder, folder).await
    }

    /// Registers the model of a folder of `tests/models/` under another name, so that what is
    /// done to it affects no other scenario; returns that name.
    pub async fn model_as(&self, folder: &str, name: &str) -> Result<String> {
        let mut registered = self.models.lock().await;
        if !registered.contains(name) {
            let copy = self.copy_of(folder, name)?;
            self.register(&copy).await?;
            registered.insert(name.to_owned());
        }
        Ok(name.to_owned())
    }

    /// A copy of a folder of `tests/models/` that calls its model so.
    pub fn copy_of(&self, folder: &str, name: &str) -> Result<PathBuf> {
        self.copy_of_model(&Path::new("tests/models").join(folder), name)
    }

    /// A copy of a model's folder of the repository that calls its model so.
    pub fn copy_of_model(&self, folder: &Path, name: &str) -> Result<PathBuf> {
        let from = programs::repository().join(folder);
        let to = self.connection.state.join("models").join(name);
        for entry in WalkDir::new(&from) {
            let entry = entry?;
            let to = to.join(entry.path().strip_prefix(&from)?);
            if entry.file_type().is_dir() {
                fs::create_dir_all(to)?;
            } else {
                fs::copy(entry.path(), to)?;
            }
        }
        let folder = folder.file_name().context("a folder's name")?;
        let folder = folder.to_string_lossy();
        let manifest = to.join("model.toml");
        let text = fs::read_to_string(&manifest)?;
        let own = format!("name = \"{folder}\"");
        ensure!(text.contains(&own), "{} has no {own}", manifest.display());
        fs::write(
            &manifest,
            text.replacen(&own, &format!("name = \"{name}\""), 1),
        )?;
        Ok(to)
    }

    /// Registers the example model once and returns its name. Its Python environment takes half a
    /// minute, for which other scenarios do not wait.
    pub async fn forecast_model(&self) -> Result<String> {
        const NAME: &str = "revenue-forecast";
        let folder = programs::repository().join("models").join(NAME);
        let register = || async { self.register(&folder).await.map(drop) };
        self.forecast.get_or_try_init(register).await?;
        Ok(NAME.to_owned())
    }

    /// Registers a model's folder.
    pub async fn register(&self, folder: &Path) -> Result<RegisteredVersion> {
        let registry = Registry::of(&self.connection)?;
        // The time of the build does not matter here.
        let built_at = Timestamp::UNIX_EPOCH;
        let registered = register(folder, &registry, built_at, &NoProgress).await?;
        Ok(registered.version)
    }
}
