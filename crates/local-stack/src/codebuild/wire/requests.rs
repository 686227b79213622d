//! What callers send. What AWS requires is checked afterwards, so that a missing field gets a
//! sentence and not a parser's complaint.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StartBuild {
    pub(crate) project_name: Option<String>,
    pub(crate) source_version: Option<String>,
    pub(crate) source_type_override: Option<String>,
    pub(crate) source_location_override: Option<String>,
    pub(crate) environment_variables_override: Option<Vec<Variable>>,
    pub(crate) timeout_in_minutes_override: Option<u32>,
    pub(crate) idempotency_token: Option<String>,
}

/// A variable of a build's environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
    #[serde(rename = "type", default = "plaintext")]
    pub(crate) kind: String,
}

fn plaintext() -> String {
    "PLAINTEXT".to_owned()
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct StopBuild {
    pub(crate) id: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct BatchGetBuilds {
    pub(crate) ids: Option<Vec<String>>,
}

/// `ListBuilds` and `ListBuildsForProject`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListBuilds {
    pub(crate) project_name: Option<String>,
    pub(crate) sort_order: Option<String>,
    pub(crate) next_token: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct BatchGetProjects {
    pub(crate) names: Option<Vec<String>>,
}
