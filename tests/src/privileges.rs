//! What the functions' roles allow, and what they were used for.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result};
use dropcast_local_stack::CALLS_FILE;
use globset::GlobBuilder;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;

use crate::{Stack, permissions::SESSION};

/// One action on one pattern of resources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Grant {
    /// The action, for example `s3:GetObject`.
    pub action: String,
    /// The pattern of ARNs.
    pub resource: String,
}

/// An action that was done on a resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Call {
    /// The action.
    pub action: String,
    /// The ARN; `*` where the service gave none.
    pub resource: String,
}

impl Grant {
    /// Whether a call used this grant.
    pub fn covers(&self, call: &Call) -> Result<bool> {
        // Both of IAM's wildcards, and no others of the crate's: `*` spans slashes and colons.
        let mut pattern = String::new();
        for sign in self.resource.chars() {
            if "[]{}\\!".contains(sign) {
                pattern.push('\\');
            }
            pattern.push(sign);
        }
        let pattern = GlobBuilder::new(&pattern)
            .literal_separator(false)
            .build()?;
        let resource = call.resource == "*" || pattern.compile_matcher().is_match(&call.resource);
        Ok(resource && self.action.eq_ignore_ascii_case(&call.action))
    }
}

/// A function's role.
#[derive(Debug, Default)]
pub struct Privileges {
    /// What it allows.
    pub grants: Vec<Grant>,
    /// What it was used for.
    pub calls: Vec<Call>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    access_key: String,
    #[serde(default)]
    principal: Option<String>,
    action: String,
    resource: String,
}

impl Stack {
    /// The roles of the template's functions, by the functions' logical ids.
    pub async fn privileges(&self) -> Result<BTreeMap<String, Privileges>> {
        let calls = self.calls()?;
        let mut functions = Vec::new();
        let mut roles = BTreeMap::new();
        for resource in self.resources().await? {
            match resource.resource_type.as_str() {
                "AWS::Lambda::Function" => functions.push(resource.logical_id),
                "AWS::IAM::Role" => {
                    roles.insert(resource.logical_id, resource.physical_id);
                }
                _ => {}
            }
        }
        let mut privileges = BTreeMap::new();
        for function in functions {
            let role = roles.get(&format!("{function}Role"));
            let role = role.with_context(|| format!("{function} has a role of its own"))?;
            let used = Privileges {
                grants: self.grants(role).await?,
                calls: calls.get(role).cloned().unwrap_or_default(),
            };
            privileges.insert(function, used);
        }
        Ok(privileges)
    }

    /// What a role's own policies allow.
    async fn grants(&self, role: &str) -> Result<Vec<Grant>> {
        let names = self.iam.list_role_policies().role_name(role).send().await?;
        let mut grants = Vec::new();
        for name in names.policy_names {
            let policy = self.iam.get_role_policy().role_name(role);
            let policy = policy.policy_name(name).send().await?;
            // IAM answers documents percent-encoded.
            let text = percent_decode_str(&policy.policy_document).decode_utf8()?;
            let document: Value = serde_json::from_str(&text).with_context(|| text.to_string())?;
            for statement in document["Statement"].as_array().into_iter().flatten() {
                for action in texts(&statement["Action"]) {
                    for resource in texts(&statement["Resource"]) {
                        let action = action.clone();
                        grants.push(Grant { action, resource });
                    }
                }
            }
        }
        Ok(grants)
    }

    /// Every call that was made with a role, by the role's name.
    fn calls(&self) -> Result<BTreeMap<String, Vec<Call>>> {
        let mut lines: Vec<Line> = Vec::new();
        for folder in ["emulator", "batch", "codebuild"] {
            let file = self.connection.state.join(folder).join(CALLS_FILE);
            // A service that was not called has none.
            if !file.exists() {
                continue;
            }
            let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            for line in text.lines() {
                lines.push(serde_json::from_str(line)?);
            }
        }
        let roles: BTreeMap<String, String> = lines
            .iter()
            .filter_map(|line| {
                // arn:aws:sts::<account>:assumed-role/<role>/<session>
                let mut parts = line.principal.as_deref()?.split('/').skip(1);
                let (role, session) = (parts.next()?, parts.next()?);
                // What tests tried with a role is no use of it.
                (session != SESSION).then(|| (line.access_key.clone(), role.to_owned()))
            })
            .collect();
        let mut calls: BTreeMap<String, Vec<Call>> = BTreeMap::new();
        for line in lines {
            // Our own calls, and those of the jobs, are made with other keys.
            if let Some(role) = roles.get(&line.access_key) {
                let Line {
                    action, resource, ..
                } = line;
                calls
                    .entry(role.clone())
                    .or_default()
                    .push(Call { action, resource });
            }
        }
        Ok(calls)
    }
}

/// One text or several.
fn texts(value: &Value) -> Vec<String> {
    let several = value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice);
    several
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}
