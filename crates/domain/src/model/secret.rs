//! Secrets that a job gets in its environment: `[job.secrets]`.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest name or key; far below the 512 characters of a secret's whole name.
const MAX: usize = 128;

/// Prefixes of variables that are not a model's to set: ours, and those by which AWS's own
/// programs find credentials and Batch passes a job its id.
const RESERVED: [&str; 2] = ["DROPCAST_", "AWS_"];

/// Which secret a variable holds: `<name>`, or `<name>:<key>` for one value of a JSON object.
///
/// The secret's whole name in Secrets Manager is the deployment's prefix, the model's name, a
/// slash and this name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(
    description = "The secret's name in Secrets Manager below the deployment's prefix and the model's name, with :key for one value of a JSON secret. A name cannot end in a hyphen and six letters or digits, which Secrets Manager takes for the end of an ARN.",
    extend("pattern" = "^(?![^:]*-[A-Za-z0-9]{6}(:|$))[A-Za-z0-9_+=.@-]{1,128}(:[A-Za-z0-9_.-]{1,128})?$")
)]
pub struct SecretRef {
    name: String,
    json_key: Option<String>,
}

/// What is no reference to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "a secret is named by letters, digits and _+=.@- such as \"history-database\", and one value of a JSON secret as \"history-database:password\""
)]
pub struct SecretRefError;

impl SecretRef {
    /// The secret's name below the model's own folder.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the name ends as the ARN of a secret does: by the partial ARN that jobs are given,
    /// Secrets Manager would look for a secret of which that end is no part. See
    /// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen>.
    ///
    /// Only a new manifest is refused for it: versions that are registered remain readable.
    pub(super) fn ends_like_an_arn(&self) -> bool {
        self.name.rsplit_once('-').is_some_and(|(_, end)| {
            end.len() == 6 && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
    }

    /// The key of the value, where the secret holds a JSON object.
    pub fn json_key(&self) -> Option<&str> {
        self.json_key.as_deref()
    }
}

impl FromStr for SecretRef {
    type Err = SecretRefError;

    fn from_str(text: &str) -> Result<Self, SecretRefError> {
        let (name, json_key) = match text.split_once(':') {
            Some((name, key)) => (name, Some(key)),
            None => (text, None),
        };
        let fits = |text: &str, more: &str| {
            (1..=MAX).contains(&text.len())
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
        };
        if fits(name, "_+=.@-") && json_key.is_none_or(|key| fits(key, "_.-")) {
            Ok(Self {
                name: name.to_owned(),
                json_key: json_key.map(ToOwned::to_owned),
            })
        } else {
            Err(SecretRefError)
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.json_key {
            Some(key) => write!(f, ":{key}"),
            None => Ok(()),
        }
    }
}

impl TryFrom<String> for SecretRef {
    type Error = SecretRefError;

    fn try_from(text: String) -> Result<Self, SecretRefError> {
        text.parse()
    }
}

impl From<SecretRef> for String {
    fn from(secret: SecretRef) -> Self {
        secret.to_string()
    }
}

/// Why a variable cannot hold a secret, if it cannot.
pub(super) fn unfit_variable(name: &str) -> Option<String> {
    if let Some(prefix) = RESERVED.iter().find(|prefix| name.starts_with(**prefix)) {
        return Some(format!(
            "begins with {prefix}, which is reserved; choose a different name for the variable"
        ));
    }
    let mut chars = name.chars();
    let begins = chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let goes_on = chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
    (!begins || !goes_on || name.len() > MAX).then(|| {
        "is not a valid name of a variable; use letters, digits and _, such as DATABASE_URL"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_reads_back_as_it_was_written() {
        for text in ["history-database", "db.v2:password", "a+b=c@d_e:k.e-y_1"] {
            let secret: SecretRef = text.parse().unwrap();
            assert_eq!(secret.to_string(), text);
            let json = serde_json::to_string(&secret).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<SecretRef>(&json).unwrap(), secret);
        }
        let secret: SecretRef = "db:password".parse().unwrap();
        assert_eq!((secret.name(), secret.json_key()), ("db", Some("password")));
        for bad in ["", ":k", "a:", "a:b:c", "a/b", "../a", "a b", "é", "a:b/c"] {
            assert_eq!(bad.parse::<SecretRef>(), Err(SecretRefError), "{bad}");
        }
    }

    #[test]
    fn a_name_that_ends_like_an_arn_is_known_and_still_read() {
        for taken in ["app-config", "a-b-Reader:key", "x-123456"] {
            assert!(
                taken.parse::<SecretRef>().unwrap().ends_like_an_arn(),
                "{taken}"
            );
        }
        for free in [
            "app_config",
            "app-configs",
            "config",
            "app-con.ig",
            "db:api-config",
        ] {
            assert!(
                !free.parse::<SecretRef>().unwrap().ends_like_an_arn(),
                "{free}"
            );
        }
    }

    #[test]
    fn a_variable_is_a_name_that_is_the_models_to_set() {
        for good in ["HISTORY_DATABASE_URL", "_x1", "pgpassword", "MY_AWS_KEY"] {
            assert_eq!(unfit_variable(good), None, "{good}");
        }
        for bad in ["", "1A", "A-B", "A B", "É", "AWS_REGION", "DROPCAST_MODEL"] {
            assert!(unfit_variable(bad).is_some(), "{bad}");
        }
    }
}
