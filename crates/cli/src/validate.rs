//! `dropcast validate`: what a run would say of a file, before anything is uploaded.

mod file;
pub(crate) mod folder;
mod model;
mod output;

use std::{
    fs::{File, Metadata},
    io,
    path::Path,
};

use dropcast_api_types::RejectionView;
use dropcast_inputs::file::FileRejection;

use crate::{
    args::{Common, Validate},
    exit::{Exit, Stop},
    screen::Screen,
};

/// Checks a file by its model, or a model's folder by itself.
pub async fn run(args: &Validate, common: &Common, screen: Screen) -> anyhow::Result<Exit> {
    let found = metadata(&args.path)?;
    match (&args.model, found.is_dir()) {
        (None, true) => folder::run(&args.path, args.platform, screen),
        (Some(model), false) => {
            let model = Box::pin(model::find(model, common)).await?;
            file::run(args, &found, &model, screen)
        }
        (Some(_), true) => Err(Stop::new(
            Exit::Usage,
            format!("{} is a folder; --model is for files.", args.path.display()),
        )
        .advice("Name a file, or leave --model out to check the folder of a model.")
        .into()),
        (None, false) => Err(Stop::new(
            Exit::Usage,
            format!("Which model is to read {}?", args.path.display()),
        )
        .advice("Say so with --model: its folder, or the name of a registered model.")
        .into()),
    }
}

/// Why a file is not accepted, as a document.
pub(crate) fn rejection(rejected: &FileRejection) -> RejectionView {
    RejectionView {
        code: rejected.code,
        message: rejected.message(),
        advice: rejected.code.advice(),
    }
}

fn metadata(path: &Path) -> Result<Metadata, Stop> {
    let found = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if found.is_dir() || found.is_file() {
        return Ok(found);
    }
    // A pipe has no size, and cannot be read twice.
    Err(Stop::new(
        Exit::NotFound,
        format!("{} is neither a file nor a folder.", path.display()),
    ))
}

fn open(path: &Path) -> Result<File, Stop> {
    File::open(path).map_err(|error| unreadable(path, &error))
}

/// The end of a command that cannot read a file which somebody named.
fn unreadable(path: &Path, error: &io::Error) -> Stop {
    let message = if error.kind() == io::ErrorKind::NotFound {
        format!("{} does not exist.", path.display())
    } else {
        format!("{} cannot be read: {error}.", path.display())
    };
    Stop::new(Exit::NotFound, message)
}

/// A file's own name, by which its format is known.
fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
