//! The role of a model's jobs: one for each model, created with its first version.

use std::future::Future;

use aws_sdk_iam::{Client, operation::create_role::CreateRoleError, types::Tag};
use dropcast_aws::CallError;
use dropcast_domain::{
    keys::{cache_prefix, runs_prefix},
    model::ModelName,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Config;

/// The longest name of a role, in characters.
/// See <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>.
const MAX_NAME: usize = 64;

/// The name of the one policy of such a role.
const POLICY: &str = "model";

/// The tag that names a role's model: the boundary ends a role there, whatever its policy says.
///
/// Without a colon, unlike the tag of the stack, because policies have it in a variable.
const MODEL_TAG: &str = "dropcast-model";

pub trait JobRoles: Send + Sync {
    /// The ARN of a model's role, which is created if it does not exist, with its policy.
    fn role_of(&self, model: &ModelName) -> impl Future<Output = Result<String, CallError>> + Send;
}

#[derive(Debug)]
pub struct IamRoles {
    client: Client,
    path: String,
    boundary: String,
    bucket: String,
}

impl IamRoles {
    /// Roles with the path and boundary of the settings, for the results bucket.
    pub fn new(client: Client, config: &Config) -> Self {
        Self {
            client,
            path: config.jobs.role_path.clone(),
            boundary: config.jobs.boundary.clone(),
            bucket: config.results_bucket.clone(),
        }
    }

    /// Creates the role unless it exists.
    ///
    /// There is no `GetRole` before: the permission depends on the role's path, which IAM knows only
    /// of an existing role, so the call would be denied for a missing one.
    async fn create(&self, name: &str, model: &ModelName) -> Result<(), CallError> {
        let tag = Tag::builder().key(MODEL_TAG).value(model.as_str()).build();
        let tag = tag.map_err(|error| CallError {
            call: "iam:CreateRole",
            transient: false,
            source: Box::new(error),
        })?;
        let created = self
            .client
            .create_role()
            .role_name(name)
            .path(&self.path)
            .description(format!("Jobs of Dropcast's model {model}"))
            .permissions_boundary(&self.boundary)
            .tags(tag)
            .assume_role_policy_document(trust(account_of(&self.boundary)).to_string())
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CreateRoleError::is_entity_already_exists_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(CallError::of_sdk("iam:CreateRole", error)),
        }
    }
}

impl JobRoles for IamRoles {
    async fn role_of(&self, model: &ModelName) -> Result<String, CallError> {
        let name = role_name(&self.path, model);
        self.create(&name, model).await?;
        // Every time: the process that created the role may have stopped before this call, and a
        // deployment may change the policy.
        let partition = partition_of(&self.boundary);
        self.client
            .put_role_policy()
            .role_name(&name)
            .policy_name(POLICY)
            .policy_document(policy(partition, &self.bucket, model).to_string())
            .send()
            .await
            .map_err(|error| CallError::of_sdk("iam:PutRolePolicy", error))?;
        let (account, path) = (account_of(&self.boundary), &self.path);
        Ok(format!("arn:{partition}:iam::{account}:role{path}{name}"))
    }
}

/// `<last segment of the path>-job-<model>-<digest>`, or as much of it as fits. IAM's names are one
/// for the whole account, so that the digest keeps `a`'s model `job-b` from `a-job`'s model `b`.
fn role_name(path: &str, model: &ModelName) -> String {
    let deployment = path
        .trim_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let name = format!("{deployment}-job-{model}");
    let digest = hex::encode(Sha256::digest(format!("{path}{model}")));
    let digest = digest.get(..8).unwrap_or_default();
    let head = name.get(..MAX_NAME - 9).unwrap_or(&name);
    format!("{head}-{digest}")
}

/// The parts of the boundary's ARN that every ARN of the account shares.
fn partition_of(arn: &str) -> &str {
    arn.split(':').nth(1).unwrap_or("aws")
}

fn account_of(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}

/// Who may take the role: tasks of this account.
fn trust(account: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "ecs-tasks.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "aws:SourceAccount": account } },
        }],
    })
}

/// What a job may do: read the inputs of its own model's runs, write their outputs, and keep the
/// model's cache.
///
/// Outputs are read by one request, a `HeadObject`: after an upload whose answer was lost, it checks
/// whether the object exists. The boundary and the bucket's policy
/// keep outputs from being replaced.
fn policy(partition: &str, bucket: &str, model: &ModelName) -> Value {
    let bucket = format!("arn:{partition}:s3:::{bucket}");
    let (runs, cache) = (runs_prefix(model), cache_prefix(model));
    json!({
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": [
                    format!("{bucket}/{runs}*/prepared/*"),
                    format!("{bucket}/{runs}*/input/*"),
                    format!("{bucket}/{runs}*/outputs/*"),
                ],
            },
            {
                "Effect": "Allow",
                "Action": ["s3:PutObject", "s3:AbortMultipartUpload"],
                "Resource": format!("{bucket}/{runs}*/outputs/*"),
            },
            {
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
                "Resource": format!("{bucket}/{cache}*"),
            },
            {
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": bucket,
                "Condition": {
                    "StringLike": { "s3:prefix": format!("{cache}*") },
                },
            },
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roles_name_contains_the_deployment_and_the_model_and_fits() {
        let named = |path: &str, model: &str| role_name(path, &model.parse().unwrap());
        let name = |model: &str| named("/dropcast/forecasts/", model);
        assert!(name("revenue").starts_with("forecasts-job-revenue-"));
        assert_ne!(
            named("/dropcast/a/", "job-b"),
            named("/dropcast/a-job/", "b")
        );
        let (one, other) = (
            format!("{}1", "m".repeat(62)),
            format!("{}2", "m".repeat(62)),
        );
        assert_eq!(name(&one).len(), MAX_NAME);
        assert_ne!(name(&one), name(&other));
    }

    #[test]
    fn a_model_reaches_its_own_runs_and_its_own_cache_and_no_others() {
        let boundary = "arn:aws-cn:iam::111122223333:policy/dropcast-jobs";
        assert_eq!(account_of(boundary), "111122223333");
        let policy = policy(partition_of(boundary), "results", &"m".parse().unwrap());
        let text = policy.to_string();
        assert!(text.contains("arn:aws-cn:s3:::results/cache/m/*"), "{text}");
        assert!(!text.contains("results/*"), "{text}");
        // Every object in the policy is below one of the model's two prefixes.
        let resources: Vec<&str> = text
            .split('"')
            .filter(|part| part.starts_with("arn:") && part.contains('/'))
            .collect();
        assert_eq!(resources.len(), 5, "{resources:?}");
        for resource in resources {
            let key = resource.strip_prefix("arn:aws-cn:s3:::results/").unwrap();
            assert!(
                key.starts_with("runs/m/") || key.starts_with("cache/m/"),
                "{key}"
            );
        }
        // With a list of the runs' ids, a job could read the input of every run of its model.
        let listing = &policy["Statement"][3]["Condition"]["StringLike"]["s3:prefix"];
        assert_eq!(listing, "cache/m/*");
        assert_eq!(
            trust("111122223333")["Statement"][0]["Condition"]["StringEquals"]["aws:SourceAccount"],
            "111122223333"
        );
    }
}
