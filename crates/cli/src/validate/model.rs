//! The model that a file is checked by: a folder's, or a registered version.

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
    exit::{Exit, Stop},
    model, registry,
    stack::Stack,
};

/// A model's version as far as it decides about inputs.
#[derive(Debug)]
pub(super) struct Model {
    /// Which it is.
    pub(super) view: CheckedModel,
    spec: VersionSpec,
}

impl Model {
    /// What a folder would be registered as.
    pub(super) fn of_folder(folder: &Path, read: ModelFolder) -> Self {
        // No version is registered of this: no image runs it.
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

    /// What it reads.
    pub(super) fn input(&self) -> &InputSpec {
        &self.spec.manifest.input
    }

    /// Makes ready to read files of a format.
    pub(super) fn reader(&self, format: InputFormat) -> anyhow::Result<Reader> {
        let schema = self.spec.schema_of(format);
        Ok(Reader::new(self.input(), format, schema)?)
    }
}

/// The model that somebody named: a folder that holds a manifest, or anything that only a path
/// can be; else a registered one, `NAME` or `NAME@VERSION`.
pub(super) async fn find(named: &str, common: &Common) -> anyhow::Result<Model> {
    let folder = Path::new(named);
    if folder.join(MANIFEST_FILE).is_file() || is_path(named) {
        let read = model::read_folder(folder)?;
        return Ok(Model::of_folder(folder, read));
    }
    let (name, version) = parse(named)?;
    let stack = Stack::find(common).await.map_err(|error| {
        match error.downcast::<Stop>() {
            Ok(stop) if stop.exit == Exit::NoStack => {
                let advice = stop.advice.clone().unwrap_or_default();
                stop.advice(format!(
                    "Name the model by its folder, which needs no stack: --model models/{name}. Or: {advice}"
                ))
                .into()
            }
            Ok(stop) => stop.into(),
            Err(error) => error,
        }
    })?;
    let registered = registry::resolve_version(&stack, &name, version).await?;
    Ok(Model {
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

fn parse(named: &str) -> Result<(ModelName, Option<Version>), Stop> {
    let nonsense = |error: String| {
        let message = format!("{} is no model: {error}.", quoted(named));
        Stop::new(Exit::Usage, message).advice(format!(
            "Name a folder with a {MANIFEST_FILE}, or a registered model such as revenue-forecast or revenue-forecast@3."
        ))
    };
    let (name, version) = match named.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (named, None),
    };
    let name = name
        .parse()
        .map_err(|error: ModelNameError| nonsense(error.to_string()))?;
    let version = version
        .map(str::parse::<Version>)
        .transpose()
        .map_err(|error| nonsense(error.to_string()))?;
    Ok((name, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_may_be_pinned() {
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
    fn what_holds_a_separator_is_a_folder() {
        assert!(is_path("models/m") && is_path("./m") && is_path("."));
        assert!(!is_path("m") && !is_path("m@3"));
    }
}
