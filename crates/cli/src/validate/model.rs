//! The model against which a file is checked: a folder, or a registered version.

use std::path::Path;

use dropcast_api_types::CheckedModel;
use dropcast_domain::{
    ids::Version,
    model::{InputFormat, InputSpec, MANIFEST_FILE, ModelName, ModelNameError},
    registry::VersionSpec,
    text::quoted,
};
use dropcast_inputs::file::Reader;
use dropcast_model_folder::ModelFolder;
use jiff::Timestamp;

use crate::{
    args::Common,
    exit::{CliError, Exit},
    model_folder, registry,
    stack::Stack,
};

/// The parts of a model's version that decide about inputs.
#[derive(Debug)]
pub(super) struct CheckingModel {
    /// How the document names it.
    pub(super) view: CheckedModel,
    spec: VersionSpec,
}

impl CheckingModel {
    /// The version that would be registered from a folder.
    pub(super) fn from_folder(folder: &Path, read: ModelFolder) -> Self {
        // The version is not registered, so it needs no image and no job definition.
        let spec =
            read.into_version_spec(String::new(), String::new(), None, Timestamp::UNIX_EPOCH);
        Self {
            view: CheckedModel {
                name: spec.manifest.name.to_string(),
                version: None,
                stack: None,
                folder: Some(folder.display().to_string()),
            },
            spec,
        }
    }

    /// The input that it accepts.
    pub(super) fn input(&self) -> &InputSpec {
        &self.spec.manifest.input
    }

    /// A reader for files of a format.
    pub(super) fn reader(&self, format: InputFormat) -> anyhow::Result<Reader> {
        let schema = self.spec.schema_of(format);
        Ok(Reader::new(self.input(), format, schema)?)
    }
}

/// Finds the named model: a folder, if it contains a manifest or the name can only be a path; otherwise
/// a registered model, `NAME` or `NAME@VERSION`.
pub(super) async fn find(named: &str, common: &Common) -> anyhow::Result<CheckingModel> {
    let folder = Path::new(named);
    if folder.join(MANIFEST_FILE).is_file() || is_path(named) {
        let read = model_folder::read_folder(folder)?;
        return Ok(CheckingModel::from_folder(folder, read));
    }
    let (name, version) = parse(named)?;
    let stack = Stack::find(common).await.map_err(|error| {
        match error.downcast::<CliError>() {
            Ok(error) if error.exit == Exit::NoStack => {
                let advice = error.advice.clone().unwrap_or_default();
                error.advice(format!(
                    "Name the model's folder instead, which needs no stack: --model models/{name}. Or: {advice}"
                ))
                .into()
            }
            Ok(error) => error.into(),
            Err(error) => error,
        }
    })?;
    let registered = registry::resolve_version(&stack, &name, version).await?;
    Ok(CheckingModel {
        view: CheckedModel {
            name: name.to_string(),
            version: Some(registered.version),
            stack: Some(stack.name),
            folder: None,
        },
        spec: registered.spec,
    })
}

fn is_path(named: &str) -> bool {
    named.contains(std::path::MAIN_SEPARATOR) || [".", ".."].contains(&named)
}

fn parse(named: &str) -> Result<(ModelName, Option<Version>), CliError> {
    let invalid = |error: String| {
        let message = format!("{} is not a model: {error}.", quoted(named));
        CliError::new(Exit::Usage, message).advice(format!(
            "Name a folder that contains a {MANIFEST_FILE}, or a registered model such as revenue-forecast or revenue-forecast@3."
        ))
    };
    let (name, version) = match named.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (named, None),
    };
    let name = name
        .parse()
        .map_err(|error: ModelNameError| invalid(error.to_string()))?;
    let version = version
        .map(str::parse::<Version>)
        .transpose()
        .map_err(|error| invalid(error.to_string()))?;
    Ok((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_can_be_pinned() {
        let (name, version) = parse("revenue-forecast@3").unwrap();
        assert_eq!(
            (name.as_str(), version.map(Version::number)),
            ("revenue-forecast", Some(3))
        );
        assert_eq!(parse("m").unwrap().1, None);
        for bad in ["Revenue", "m@x", "m@0", "@3", "plan.csv"] {
            assert_eq!(parse(bad).unwrap_err().exit, Exit::Usage, "{bad}");
        }
    }

    #[test]
    fn a_name_with_a_separator_is_a_folder() {
        assert!(is_path("models/m") && is_path("./m") && is_path("."));
        assert!(!is_path("m") && !is_path("m@3"));
    }
}
