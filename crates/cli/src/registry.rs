//! What commands look up in a stack's registry, and how they end where it is not there.

use dropcast_app::{
    models::{self, UnknownModel},
    versions::{self, ResolveError},
};
use dropcast_domain::{
    ids::Version,
    model::ModelName,
    registry::{Model, RegisteredVersion},
    upload::Request,
};

use crate::{
    clock,
    exit::{Exit, Stop},
    stack::Stack,
};

/// A registered model.
pub(crate) async fn find_model(stack: &Stack, name: &ModelName) -> anyhow::Result<Model> {
    let found = models::find_model(&stack.store, name.as_str()).await?;
    found.map_err(|unknown| unknown_model(&unknown, &stack.command()).into())
}

/// The version that a file would run on if it were uploaded now.
pub(crate) async fn resolve_version(
    stack: &Stack,
    model: &ModelName,
    version: Option<Version>,
) -> anyhow::Result<RegisteredVersion> {
    let request = Request::new(model, version);
    let resolved = versions::resolve_version(&stack.store, &request, clock::now()).await?;
    resolved.map_err(|error| refused(&error, &stack.command()).into())
}

/// The end of a command that named a model that is not registered.
pub(crate) fn unknown_model(unknown: &UnknownModel, command: &str) -> Stop {
    let stop = Stop::new(Exit::NotFound, unknown.to_string());
    let registered: Vec<&str> = unknown.registered.iter().map(ModelName::as_str).collect();
    match unknown.suggestion() {
        Some(near) => stop.advice(format!("Did you mean {near}?")),
        None if registered.is_empty() => stop.advice(format!(
            "No model is registered yet: `{command} model push models/revenue-forecast`."
        )),
        None => stop.advice(format!("Registered: {}.", registered.join(", "))),
    }
}

/// The end of a command whose version cannot run, in the words of a run that is rejected for it.
pub(crate) fn refused(error: &ResolveError, command: &str) -> Stop {
    let (exit, advice) = match error {
        ResolveError::UnknownModel(unknown) => return unknown_model(unknown, command),
        ResolveError::NoModel => (
            Exit::NotFound,
            format!("Name a model; `{command} model list` lists them."),
        ),
        ResolveError::InvalidVersion { .. } => (
            Exit::Usage,
            "Give the number alone, or none for the default version.".to_owned(),
        ),
        ResolveError::UnknownVersion { model, .. } => (
            Exit::NotFound,
            format!("`{command} model versions {model}` lists its versions."),
        ),
        ResolveError::Retired { model, .. } => (
            Exit::NotAccepted,
            format!(
                "Leave the version out to use the default one; `{command} model versions {model}` shows which others can run."
            ),
        ),
        ResolveError::NotRefreshable { .. } => (
            Exit::NotAccepted,
            "Add one that names the command, for example [refresh] command = [\"python\", \"refresh.py\"], or name a version that has one with --version.".to_owned(),
        ),
    };
    Stop::new(exit, error.to_string()).advice(advice)
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
        let stop = unknown_model(
            &unknown("revenue-forcast", &["churn", "revenue-forecast"]),
            "dropcast",
        );
        assert_eq!(stop.exit, Exit::NotFound);
        assert_eq!(stop.advice.unwrap(), "Did you mean revenue-forecast?");
        let stop = unknown_model(&unknown("revenue-forecast", &[]), "dropcast");
        assert!(stop.advice.unwrap().contains("model push"));
    }

    #[test]
    fn a_version_that_cannot_run_is_refused_with_the_sentence_of_a_rejected_run() {
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
            let stop = refused(&error, "dropcast");
            assert_eq!(stop.exit, exit);
            assert_eq!(stop.message, error.to_string());
            assert!(stop.advice.is_some(), "{error}");
        }
    }
}
