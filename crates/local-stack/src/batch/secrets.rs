//! The secrets of a job definition, fetched as ECS fetches them before it starts a container.

use aws_sdk_secretsmanager::{
    Client,
    error::{DisplayErrorContext, ProvideErrorMetadata as _},
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// How many parts the ARN of a secret has; further parts choose a value of the secret.
const ARN_PARTS: usize = 7;

/// A variable of a job whose value is a secret.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Secret {
    /// The variable.
    pub(crate) name: String,
    /// `<arn>[:<json key>:<version stage>:<version id>]`.
    pub(crate) value_from: String,
}

/// What a `valueFrom` means.
///
/// See <https://docs.aws.amazon.com/batch/latest/userguide/specifying-sensitive-data-secrets.html>.
#[derive(Debug, PartialEq, Eq)]
struct Reference {
    arn: String,
    json_key: Option<String>,
    stage: Option<String>,
    version: Option<String>,
}

impl Reference {
    fn parse(value_from: &str) -> Self {
        let parts: Vec<&str> = value_from.split(':').collect();
        let (arn, choice) = parts.split_at(parts.len().min(ARN_PARTS));
        let chosen = |place: usize| {
            let text = choice.get(place).filter(|text| !text.is_empty());
            text.map(|text| (*text).to_owned())
        };
        Self {
            arn: arn.join(":"),
            json_key: chosen(0),
            stage: chosen(1),
            version: chosen(2),
        }
    }
}

/// The secrets that a container's properties name.
pub(crate) fn parse_secrets(properties: &Map<String, Value>) -> Vec<Secret> {
    let listed = properties.get("secrets").and_then(Value::as_array);
    let secrets = listed.into_iter().flatten();
    secrets
        .filter_map(|secret| serde_json::from_value(secret.clone()).ok())
        .collect()
}

/// The variables with their values, or why there are none, in the words of Amazon ECS.
pub(crate) async fn fetch(
    client: Option<&Client>,
    secrets: &[Secret],
) -> Result<Vec<(String, String)>, String> {
    let mut variables = Vec::new();
    for secret in secrets {
        let client = client.ok_or_else(|| refused("there is no Secrets Manager"))?;
        let value = value(client, &Reference::parse(&secret.value_from)).await?;
        variables.push((secret.name.clone(), value));
    }
    Ok(variables)
}

async fn value(client: &Client, reference: &Reference) -> Result<String, String> {
    let Reference {
        arn,
        json_key,
        stage,
        version,
    } = reference;
    let answer = client
        .get_secret_value()
        .secret_id(arn)
        .set_version_stage(stage.clone())
        .set_version_id(version.clone())
        .send()
        .await
        .map_err(|error| match (error.code(), error.message()) {
            (Some(code), Some(message)) => refused(&format!("{code}: {message}")),
            _ => refused(&DisplayErrorContext(&error).to_string()),
        })?;
    let text = answer.secret_string.unwrap_or_default();
    let Some(key) = json_key else {
        return Ok(text);
    };
    let fields: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    match fields.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(value) => Ok(value.to_string()),
        None => Err(refused(&format!(
            "retrieved secret from Secrets Manager did not contain json key {key}"
        ))),
    }
}

/// See <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html>.
fn refused(reason: &str) -> String {
    format!(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource \
         retrieval failed: unable to retrieve secret from asm: {reason}"
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:dropcast/m/history";

    #[test]
    fn the_parts_after_the_arn_choose_a_value_of_the_secret() {
        let whole = Reference::parse(ARN);
        assert_eq!((whole.arn.as_str(), whole.json_key), (ARN, None));
        let part = Reference::parse(&format!("{ARN}:url::"));
        assert_eq!(part.arn, ARN);
        assert_eq!(part.json_key.as_deref(), Some("url"));
        assert_eq!((part.stage, part.version), (None, None));
        let staged = Reference::parse(&format!("{ARN}::AWSPREVIOUS:"));
        assert_eq!(staged.json_key, None);
        assert_eq!(staged.stage.as_deref(), Some("AWSPREVIOUS"));
    }

    #[tokio::test]
    async fn a_job_with_secrets_does_not_start_without_them() {
        let properties = json!({ "secrets": [{ "name": "URL", "valueFrom": ARN }] });
        let secrets = parse_secrets(properties.as_object().unwrap());
        assert_eq!(secrets.len(), 1);
        let refused = fetch(None, &secrets).await.unwrap_err();
        assert!(
            refused.starts_with("ResourceInitializationError: "),
            "{refused}"
        );
        assert_eq!(fetch(None, &[]).await, Ok(Vec::new()));
    }
}
