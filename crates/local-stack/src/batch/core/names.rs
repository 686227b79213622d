//! Names, ARNs and identifiers.

use uuid::Uuid;

use super::super::error::ApiError;

/// Whether AWS takes this as the name of a job or a job definition: up to 128 letters, digits,
/// hyphens and underscores, the first of them a letter or a digit.
pub(crate) fn is_name(name: &str) -> bool {
    name.len() <= 128
        && name
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Builds the ARNs of one account and region.
#[derive(Debug, Clone)]
pub(crate) struct Arns {
    account: String,
    region: String,
}

impl Arns {
    pub(crate) fn new(account: impl Into<String>, region: impl Into<String>) -> Self {
        Self {
            account: account.into(),
            region: region.into(),
        }
    }

    fn batch(&self, kind: &str, name: &str) -> String {
        format!(
            "arn:aws:batch:{}:{}:{kind}/{name}",
            self.region, self.account
        )
    }

    fn ecs(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:ecs:{}:{}:{kind}/{name}", self.region, self.account)
    }

    pub(crate) fn job(&self, id: &str) -> String {
        self.batch("job", id)
    }

    pub(crate) fn queue(&self, name: &str) -> String {
        self.batch("job-queue", name)
    }

    pub(crate) fn compute_environment(&self, name: &str) -> String {
        self.batch("compute-environment", name)
    }

    pub(crate) fn definition(&self, name: &str, revision: u32) -> String {
        self.batch("job-definition", &format!("{name}:{revision}"))
    }

    pub(crate) fn cluster(&self, compute_environment: &str) -> String {
        self.ecs("cluster", &format!("{compute_environment}_Batch"))
    }

    pub(crate) fn container_instance(&self, compute_environment: &str, id: Uuid) -> String {
        self.ecs(
            "container-instance",
            &format!("{compute_environment}_Batch/{}", id.simple()),
        )
    }

    pub(crate) fn task(&self, compute_environment: &str, id: Uuid) -> String {
        self.ecs("task", &format!("{compute_environment}_Batch/{id}"))
    }

    pub(crate) fn role_placeholder(&self) -> String {
        format!("arn:aws:iam::{}:role/job-role", self.account)
    }
}

/// An instance id in the form of Amazon EC2, `i-0` and sixteen hex digits.
pub(crate) fn instance_id(id: Uuid) -> String {
    let hex = id.simple().to_string();
    format!("i-0{}", hex.get(..16).unwrap_or_default())
}

/// A job definition as callers name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DefinitionReference {
    pub(crate) name: String,
    pub(crate) revision: Option<u32>,
}

impl DefinitionReference {
    /// Reads `name`, `name:revision`, or the ARN of either.
    pub(crate) fn parse(text: &str) -> Result<Self, ApiError> {
        let short = match text.strip_prefix("arn:") {
            Some(rest) => rest
                .split_once(":job-definition/")
                .map(|(_, short)| short)
                .ok_or_else(|| {
                    ApiError::client(format!("{text} is not the ARN of a job definition."))
                })?,
            None => text,
        };
        let (name, revision) = match short.split_once(':') {
            None => (short, None),
            Some((name, number)) => {
                let revision = number.parse().map_err(|_| {
                    ApiError::client(format!("{text} names no revision of a job definition: the part after the colon is not a number."))
                })?;
                (name, Some(revision))
            }
        };
        if !is_name(name) {
            return Err(ApiError::client(format!(
                "{text} is not a name of a job definition."
            )));
        }
        Ok(Self {
            name: name.to_owned(),
            revision,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_begin_with_a_letter_or_digit_and_end_at_128() {
        assert!(is_name("a"));
        assert!(is_name("mfrggzdfmztwq2lknnwg23tpoa"));
        assert!(is_name(&"x".repeat(128)));
        assert!(!is_name(&"x".repeat(129)));
        assert!(!is_name(""));
        assert!(!is_name("-a"));
        assert!(!is_name("a.b"));
        assert!(!is_name("ü"));
    }

    #[test]
    fn a_definition_is_named_by_name_revision_or_arn() {
        let parse = |text| DefinitionReference::parse(text).map(|it| (it.name, it.revision));
        assert_eq!(parse("model"), Ok(("model".into(), None)));
        assert_eq!(parse("model:7"), Ok(("model".into(), Some(7))));
        let arn = Arns::new("000000000000", "us-east-1").definition("model", 7);
        assert_eq!(parse(&arn), Ok(("model".into(), Some(7))));
        assert!(parse("model:x").is_err());
        assert!(parse("arn:aws:s3:::x").is_err());
        assert!(parse("").is_err());
    }
}
