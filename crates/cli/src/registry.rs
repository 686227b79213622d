//! Lookups in a stack's registry, and the errors for what it does not contain.

use dropcast_app::{
    models::UnknownModel,
    versions::{self, ResolveError},
};
use dropcast_domain::{
    ids::Version, model::ModelName, registry::RegisteredVersion, upload::Request,
};

use crate::{
    clock,
    exit::{CliError, Exit},
    stack::Stack,
};

/// Finds the version that would run on a file if it were uploaded now.
pub(crate) async fn resolve_version(
    stack: &Stack,
    model: &ModelName,
    version: Option<Version>,
) -> anyhow::Result<RegisteredVersion> {
    let request = Request::new(model, version);
    let resolved = versions::resolve_version(&stack.store, &request, clock::now()).await?;
    resolved.map_err(|error| explain_resolve_error(&error, &stack.command()).into())
}

/// The error for a model that is not registered.
pub(crate) fn explain_unknown_model(unknown: &UnknownModel, command: &str) -> CliError {
    let error = CliError::new(Exit::NotFound, unknown.to_string());
    let registered: Vec<&str> = unknown.registered.iter().map(ModelName::as_str).collect();
    match unknown.suggestion() {
        Some(near) => error.advice(format!("Did you mean {near}?")),
        None if registered.is_empty() => error.advice(format!(
            "No models are registered yet. Push one with `{command} model push models/revenue-forecast`."
        )),
        None => error.advice(format!("The registered models are: {}.", registered.join(", "))),
    }
}

/// The error for a version that cannot run, with the message of a run that is rejected for it.
pub(crate) fn explain_resolve_error(error: &ResolveError, command: &str) -> CliError {
    let (exit, advice) = match error {
        ResolveError::UnknownModel(unknown) => return explain_unknown_model(unknown, command),
        ResolveError::NoModel => (
            Exit::NotFound,
            format!("Name a model; `{command} model list` lists them."),
        ),
        ResolveError::InvalidVersion { .. } => (
            Exit::Usage,
            "Give a version number, or none for the default version.".to_owned(),
        ),
        ResolveError::UnknownVersion { model, .. } => (
            Exit::NotFound,
            format!("`{command} model versions {model}` lists its versions."),
        ),
        ResolveError::Retired { model, .. } => (
            Exit::NotAccepted,
            format!(
                "Leave out the version to use the default; `{command} model versions {model}` shows which versions can run."
            ),
        ),
        ResolveError::NotRefreshable { .. } => (
            Exit::NotAccepted,
            "Add the section with a command, for example [refresh] command = [\"python\", \"refresh.py\"], or select a version that has one with --version.".to_owned(),
        ),
    };
    CliError::new(exit, error.to_string()).advice(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model() -> ModelName {
        "revenue-forecast".parse().unwrap()
    }

    fn unknown(name: &str, registered: &[&str]) -> UnknownModel {
        UnknownModel {
            name: name.to_owned(),
            registered: registered
                .iter()
                .map(|name| name.parse().unwrap())
                .collect(),
        }
    }

    #[test]
    fn a_misspelt_model_gets_a_suggestion() {
        let error = explain_unknown_model(
            &unknown("revenue-forcast", &["churn", "revenue-forecast"]),
            "dropcast",
        );
        assert_eq!(error.exit, Exit::NotFound);
        assert_eq!(error.advice.unwrap(), "Did you mean revenue-forecast?");
        let error = explain_unknown_model(&unknown("revenue-forecast", &[]), "dropcast");
        assert!(error.advice.unwrap().contains("model push"));
    }

    #[test]
    fn a_version_that_cannot_run_is_refused_with_the_message_of_a_rejected_run() {
        let two = Version::FIRST.next();
        for (error, exit) in [
            (
                ResolveError::UnknownModel(unknown("m", &["n"])),
                Exit::NotFound,
            ),
            (
                ResolveError::UnknownVersion {
                    model: model(),
                    version: two.next(),
                    newest: two,
                },
                Exit::NotFound,
            ),
            (
                ResolveError::Retired {
                    model: model(),
                    version: two,
                },
                Exit::NotAccepted,
            ),
            (
                ResolveError::NotRefreshable {
                    model: model(),
                    version: two,
                },
                Exit::NotAccepted,
            ),
        ] {
            let error = explain_resolve_error(&error, "dropcast");
            assert_eq!(error.exit, exit);
            assert_eq!(error.message, error.to_string());
            assert!(error.advice.is_some(), "{error}");
        }
    }
}
