//! `cargo xtask codegen`: the files that follow from types.

mod errors;
mod json;
mod schemas;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;

/// Writes what follows from the types of crates/domain and crates/api-types: the JSON Schemas of schemas/,
/// and the tables of docs/ERRORS.md.
///
/// Their texts are the doc comments of the types.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write nothing, and fail if a file is not what would be written
    #[arg(long)]
    check: bool,
}

/// Writes the generated files, or with `--check` says which of them differ.
///
/// # Errors
/// A file cannot be read or written.
#[expect(
    clippy::print_stdout,
    reason = "The differences are what it is run for."
)]
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let differences = differences(&root())?;
    if !args.check {
        for difference in &differences {
            difference.repair()?;
            println!("{}", difference.path.display());
        }
        return Ok(ExitCode::SUCCESS);
    }
    for difference in &differences {
        println!("{}", difference.describe());
    }
    Ok(if differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file that is not what the types say.
struct Difference {
    /// From the root of the repository.
    path: PathBuf,
    root: PathBuf,
    /// What it should hold; none where it should not be there.
    content: Option<String>,
}

impl Difference {
    fn describe(&self) -> String {
        let path = self.path.display();
        match self.content {
            Some(_) => format!(
                "{path}: out of date. Run `cargo xtask codegen` and commit the result; to change the file, change the types or their comments."
            ),
            None => format!(
                "{path}: no type generates it. Run `cargo xtask codegen` to delete it, or add its type to xtask/src/codegen/schemas.rs."
            ),
        }
    }

    fn repair(&self) -> anyhow::Result<()> {
        let path = self.root.join(&self.path);
        match &self.content {
            Some(content) => fs::write(&path, content),
            None => fs::remove_file(&path),
        }
        .with_context(|| format!("writing {}", self.path.display()))
    }
}

/// The generated files that differ from those of a repository.
fn differences(root: &Path) -> anyhow::Result<Vec<Difference>> {
    let mut generated: BTreeMap<PathBuf, String> = schemas::files()?;
    generated.extend([errors::page(root)?]);
    let mut differences = Vec::new();
    for (path, content) in &generated {
        if fs::read_to_string(root.join(path)).ok().as_ref() != Some(content) {
            differences.push(Difference {
                path: path.clone(),
                root: root.to_owned(),
                content: Some(content.clone()),
            });
        }
    }
    for folder in schemas::FOLDERS {
        let entries =
            fs::read_dir(root.join(folder)).with_context(|| format!("reading {folder}"))?;
        for entry in entries {
            let path = Path::new(folder).join(entry?.file_name());
            if root.join(&path).is_file() && !generated.contains_key(&path) {
                differences.push(Difference {
                    path,
                    root: root.to_owned(),
                    content: None,
                });
            }
        }
    }
    Ok(differences)
}

#[cfg(test)]
mod tests;
