//! `dropcast validate`: checks a file as a run would, before anything is uploaded.

mod file;
mod folder;
mod model;
mod output;

use std::{
    fs::{File, Metadata},
    io,
    path::Path,
};

use crate::{
    args::{Common, Validate},
    exit::{CliError, Exit},
    screen::Screen,
};

/// Checks a file against a model, or a model's folder.
pub async fn run(args: &Validate, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    let found = read_metadata(&args.path)?;
    match (&args.model, found.is_dir()) {
        (None, true) => folder::run(&args.path, args.platform, screen),
        (Some(model), false) => {
            let model = Box::pin(model::find(model, common)).await?;
            file::run(args, &found, &model, screen)
        }
        (Some(_), true) => Err(CliError::new(
            Exit::Usage,
            format!(
                "{} is a folder, but --model can only be used with a file.",
                args.path.display()
            ),
        )
        .advice("Name a file, or leave out --model to check the folder of a model.")
        .into()),
        (None, false) => Err(CliError::new(
            Exit::Usage,
            format!("No model was given to check {}.", args.path.display()),
        )
        .advice("Name one with --model: its folder, or the name of a registered model.")
        .into()),
    }
}

fn read_metadata(path: &Path) -> Result<Metadata, CliError> {
    let found = std::fs::metadata(path).map_err(|error| explain_read_error(path, &error))?;
    if found.is_dir() || found.is_file() {
        return Ok(found);
    }
    // A pipe has no size and cannot be read twice.
    Err(CliError::new(
        Exit::NotFound,
        format!("{} is neither a file nor a folder.", path.display()),
    ))
}

fn open(path: &Path) -> Result<File, CliError> {
    File::open(path).map_err(|error| explain_read_error(path, &error))
}

/// The error for a named file that cannot be read.
fn explain_read_error(path: &Path, error: &io::Error) -> CliError {
    let message = if error.kind() == io::ErrorKind::NotFound {
        format!("{} does not exist.", path.display())
    } else {
        format!("{} cannot be read: {error}.", path.display())
    };
    CliError::new(Exit::NotFound, message)
}

/// A file's own name, which determines its format.
fn file_name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
