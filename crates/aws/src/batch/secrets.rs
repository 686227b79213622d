//! The secrets that a job is given, as its job definition names them.

use aws_sdk_batch::types::Secret;
use dropcast_domain::model::{JobSpec, ModelName};

/// How the ARNs of all models' secrets begin, up to the model's name: those of a region, in the
/// partition and the account of a role.
pub fn arns(role: &str, region: &str, prefix: &str) -> String {
    let mut role = role.split(':');
    let partition = role.nth(1).unwrap_or("aws");
    let account = role.nth(2).unwrap_or_default();
    format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{prefix}")
}

/// A model's secrets, by the partial ARN that every complete one begins with.
///
/// See <https://docs.aws.amazon.com/batch/latest/userguide/specifying-sensitive-data-secrets.html>.
pub fn of(model: &ModelName, job: &JobSpec, arns: &str) -> Vec<Secret> {
    let secrets = job.secrets.iter().map(|(variable, secret)| {
        let mut from = format!("{arns}{model}/{}", secret.name());
        if let Some(key) = secret.json_key() {
            // After the key come the version's stage and id; empty means the current version.
            from = format!("{from}:{key}::");
        }
        Secret::builder().name(variable).value_from(from).build()
    });
    secrets.collect()
}
