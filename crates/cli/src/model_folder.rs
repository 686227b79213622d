//! Reading a model's folder, and the errors for what is wrong with it.

use std::path::Path;

use dropcast_domain::model::{MANIFEST_FILE, fargate};
use dropcast_model_folder::{FolderError, ModelFolder};

use crate::{
    args::Platform,
    exit::{CliError, Exit},
};

/// Reads the declarations in a model's folder.
pub(crate) fn read_folder(dir: &Path) -> anyhow::Result<ModelFolder> {
    check_folder(dir)?;
    ModelFolder::read(dir).map_err(|error| explain_folder_error(error.into()))
}

/// Refuses a folder that has no manifest.
pub(crate) fn check_folder(dir: &Path) -> Result<(), CliError> {
    if dir.join(MANIFEST_FILE).is_file() {
        return Ok(());
    }
    let message = if dir.is_dir() {
        format!(
            "{} is not the folder of a model: it has no {MANIFEST_FILE}.",
            dir.display()
        )
    } else {
        format!("The folder {} does not exist.", dir.display())
    };
    Err(CliError::new(Exit::NotFound, message).advice(
        "docs/MODELS.md describes the folder of a model; models/revenue-forecast is an example.",
    ))
}

/// Checks that the platform offers the size of a model's jobs; returns the problem, if any.
pub(crate) fn check_size(model: &ModelFolder, platform: Option<Platform>) -> Option<String> {
    match platform {
        Some(Platform::Fargate) => fargate::check(&model.manifest.job)
            .err()
            .map(|no_such_size| format!("{MANIFEST_FILE}: in [job], {no_such_size}")),
        Some(Platform::Ec2) | None => None,
    }
}

/// Explains a folder that could not be registered: what its author can correct is not an internal
/// error.
pub(crate) fn explain_folder_error(error: dropcast_local_stack::Error) -> anyhow::Error {
    use dropcast_local_stack::Error;
    match &error {
        Error::Folder(error) if is_model_fault(error) => {
            CliError::new(Exit::NotAccepted, error.to_string())
                .advice("Correct this and register the folder again.")
                .into()
        }
        Error::Venv { .. } => CliError::new(Exit::NotAccepted, error.to_string())
            .advice("Correct the requirements, or the network if pip could not reach the package index, and register the folder again.")
            .into(),
        Error::NotUp { .. } => CliError::new(Exit::NoStack, error.to_string()).into(),
        Error::Missing { .. } => CliError::new(Exit::NotFound, error.to_string()).into(),
        _ => error.into(),
    }
}

/// Whether an error is something that the model's author can correct.
pub(crate) fn is_model_fault(error: &FolderError) -> bool {
    matches!(
        error,
        FolderError::Manifest(_) | FolderError::Schema { .. } | FolderError::Item { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_a_manifest_is_not_a_model() {
        let folder = tempfile::tempdir().unwrap();
        let error = check_folder(folder.path()).unwrap_err();
        assert_eq!(error.exit, Exit::NotFound);
        assert!(
            error.message.contains("has no model.toml"),
            "{}",
            error.message
        );
        let error = check_folder(&folder.path().join("nowhere")).unwrap_err();
        assert!(error.message.ends_with("nowhere does not exist."));
    }

    #[test]
    fn problems_of_a_manifest_are_not_internal_errors() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(MANIFEST_FILE), "nmae = \"m\"\n").unwrap();
        let error = read_folder(folder.path()).unwrap_err();
        let error = error.downcast_ref::<CliError>().unwrap();
        assert_eq!(error.exit, Exit::NotAccepted);
        assert!(error.message.contains("nmae"), "{}", error.message);
    }
}
