//! The programs under test: that they are built, and from the current sources.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};
pub use dropcast_test_support::functions;

/// The command that builds them.
pub const BUILD: &str = "cargo build --bins";

/// The repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
        .to_owned()
}

/// The folder of the programs that were built together with this one.
pub fn folder() -> Result<PathBuf> {
    let own = std::env::current_exe().context("this program's own path")?;
    // Test programs are one folder deeper, in `deps`.
    let folder = own.ancestors().nth(2).context("this program's folder")?;
    Ok(folder.to_owned())
}

/// The path of one of the programs.
pub fn program(name: &str) -> Result<PathBuf> {
    let path = folder()?.join(name);
    anyhow::ensure!(
        path.is_file(),
        "{} is not built. Build it with `{BUILD}`.",
        path.display()
    );
    Ok(path)
}

/// The root template and those that it nests, by path inside the repository.
pub fn templates() -> Result<Vec<String>> {
    let folder = "infra/stacks";
    let mut paths = vec!["template.yaml".to_owned()];
    for entry in fs::read_dir(repository().join(folder)).context(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        anyhow::ensure!(
            path.extension()
                .is_some_and(|extension| extension == "yaml"),
            "{folder}/{name} is not a template"
        );
        paths.push(format!("{folder}/{name}"));
    }
    paths.sort();
    Ok(paths)
}

/// The programs whose sources have changed since they were built, each with one such source.
/// Cargo leaves the list of a program's sources beside it.
pub fn outdated() -> Result<Vec<(String, PathBuf)>> {
    let folder = folder()?;
    let mut outdated = Vec::new();
    let tools = ["dropcast", "dropcast-job"].map(str::to_owned);
    for name in functions().into_iter().chain(tools) {
        let (Ok(built), Ok(sources)) = (
            changed(&folder.join(&name)),
            fs::read_to_string(folder.join(format!("{name}.d"))),
        ) else {
            continue;
        };
        let newer = sources
            .split_whitespace()
            .skip(1)
            .map(Path::new)
            .find(|source| changed(source).is_ok_and(|changed| changed > built));
        if let Some(source) = newer {
            outdated.push((name, source.to_owned()));
        }
    }
    Ok(outdated)
}

fn changed(path: &Path) -> std::io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}
