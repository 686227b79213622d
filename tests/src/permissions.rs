//! Checks of one action on one resource of the stack, with the credentials of a role.
//!
//! A check changes nothing that anything reads: items are written under a condition that never holds,
//! objects below names that no run has.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::{
    config::Credentials,
    error::{ProvideErrorMetadata, SdkError},
    primitives::ByteStream,
};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::Stack;

/// The session name of roles that tests assume. Calls in these sessions do not count as use of a role.
pub(crate) const SESSION: &str = "permission-tests";

/// The model of the functions' checks, which is not registered.
pub const MODEL: &str = "checked";
const OTHER: &str = "checked-other";
const RUN: &str = "mfrggzdfmztwq2lknnwg23tpoa";
const JOB: &str = "4f0f3c1e-8c5b-4c0e-9d5e-0f6a4b1c2d3e";
const BUILD: &str = "5f1c3a2e-7f0d-4f6a-9c55-0b7c8a4f1d20";
/// Error codes of denied calls.
const DENIED: [&str; 3] = ["AccessDenied", "AccessDeniedException", "Forbidden"];
/// Error codes of allowed calls that find nothing, or whose condition does not hold.
const HARMLESS: [&str; 7] = [
    "ConditionalCheckFailedException",
    "InvalidArgument",
    "NoSuchKey",
    "NoSuchVersion",
    "NotFound",
    "PreconditionFailed",
    "ResourceNotFoundException",
];

/// An action of IAM, or a kind of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    GetItem,
    Query,
    PutItem,
    UpdateItem,
    DeleteItem,
    Scan,
    GetObject,
    GetObjectVersion,
    PutObject,
    PutObjectIfAbsent,
    DeleteObject,
    List,
    ListVersions,
    GetSecretValue,
}

const ITEM_ACTIONS: [Action; 5] = [
    Action::GetItem,
    Action::Query,
    Action::PutItem,
    Action::UpdateItem,
    Action::DeleteItem,
];
const OBJECT_ACTIONS: [Action; 7] = [
    Action::GetObject,
    Action::GetObjectVersion,
    Action::PutObject,
    Action::PutObjectIfAbsent,
    Action::DeleteObject,
    Action::List,
    Action::ListVersions,
];

/// A partition, a prefix or a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ResourceKind {
    /// `RUN#…`.
    Runs,
    /// `TOKEN#…`.
    Tokens,
    /// `MAIL#…`.
    Mails,
    /// `MODEL#…`.
    Models,
    /// `REFRESH#…`.
    Refreshes,
    /// `BUILD#…`.
    Builds,
    /// The table as a whole.
    Table,
    /// Partition `MODELS` of `by-model`.
    ModelsByName,
    /// Partition `MODEL#…` of `by-model`.
    RunsByModel,
    /// Partition `BUILDS#…` of `by-model`.
    BuildsByModel,
    /// Partition `OPEN` of `open-runs`.
    OpenRuns,
    /// Partition `DUE` of `mails-due`.
    MailsDue,
    /// `inputs/<model>/` of the inputs bucket.
    Inputs,
    /// `refresh/<model>/` of the inputs bucket.
    RefreshUploads,
    /// A run's input as it was.
    Input,
    /// A run's input as the model reads it.
    Prepared,
    /// A run's problems.
    Problems,
    /// A run's marked copy.
    Marked,
    /// A run's manifest.
    Manifest,
    /// A run's outputs.
    Outputs,
    /// The list of them that the job's runner wrote.
    Listing,
    /// The outputs of another model's run.
    OutputsOfOther,
    /// The input of another model's run.
    InputOfOther,
    /// The problems of a run that asks for no model.
    NoModel,
    /// The model's cache.
    Cache,
    /// Another model's cache.
    CacheOfOther,
    /// The results bucket outside of all of these.
    ResultsRoot,
    /// `sources/` of the models bucket.
    Sources,
    /// `builds/<uuid>/version.json` of the models bucket.
    VersionFiles,
    /// The keys that links are signed with.
    LinkSecret,
    /// A model's secret.
    ModelSecret,
}

impl ResourceKind {
    const PARTITIONS: [Self; 6] = [
        Self::Runs,
        Self::Tokens,
        Self::Mails,
        Self::Models,
        Self::Refreshes,
        Self::Builds,
    ];
    const INDEXES: [Self; 5] = [
        Self::ModelsByName,
        Self::RunsByModel,
        Self::BuildsByModel,
        Self::OpenRuns,
        Self::MailsDue,
    ];
    const OBJECTS: [Self; 17] = [
        Self::Inputs,
        Self::RefreshUploads,
        Self::Input,
        Self::Prepared,
        Self::Problems,
        Self::Marked,
        Self::Manifest,
        Self::Outputs,
        Self::Listing,
        Self::OutputsOfOther,
        Self::InputOfOther,
        Self::NoModel,
        Self::Cache,
        Self::CacheOfOther,
        Self::ResultsRoot,
        Self::Sources,
        Self::VersionFiles,
    ];
    const SECRETS: [Self; 2] = [Self::LinkSecret, Self::ModelSecret];
}

/// An action on a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccessCheck {
    pub action: Action,
    pub resource: ResourceKind,
}

impl AccessCheck {
    /// Every action on every resource of its kind.
    pub fn all() -> Vec<Self> {
        let pairs = |actions: &[Action], resources: &[ResourceKind]| -> Vec<Self> {
            actions
                .iter()
                .flat_map(|action| resources.iter().map(|resource| (*action, *resource)))
                .map(|(action, resource)| Self { action, resource })
                .collect()
        };
        let mut all = pairs(&ITEM_ACTIONS, &ResourceKind::PARTITIONS);
        all.extend(pairs(&[Action::Scan], &[ResourceKind::Table]));
        all.extend(pairs(&[Action::Query], &ResourceKind::INDEXES));
        all.extend(pairs(&OBJECT_ACTIONS, &ResourceKind::OBJECTS));
        all.extend(pairs(&[Action::GetSecretValue], &ResourceKind::SECRETS));
        all
    }
}

/// A role that the tests have assumed.
#[derive(Debug)]
pub struct Caller {
    /// Its requests to S3.
    pub s3: aws_sdk_s3::Client,
    table: aws_sdk_dynamodb::Client,
    secrets: aws_sdk_secretsmanager::Client,
    model: String,
    names: Names,
}

#[derive(Debug)]
struct Names {
    table: String,
    inputs: String,
    results: String,
    models: String,
    link_secret: String,
    model_secret: String,
}

impl Stack {
    /// The roles that the templates make, by their logical ids, as ARNs.
    pub async fn roles(&self) -> Result<BTreeMap<String, String>> {
        let mut roles = BTreeMap::new();
        for resource in self.resources().await? {
            if resource.resource_type == "AWS::IAM::Role" {
                let role = self.iam.get_role().role_name(&resource.physical_id);
                let role = role.send().await?.role.context("a role")?;
                roles.insert(resource.logical_id, role.arn);
            }
        }
        Ok(roles)
    }

    /// Assumes a role, by its ARN, to check its access to the resources of a model.
    pub async fn caller(&self, role_arn: &str, model: &str) -> Result<Caller> {
        let config = self.connection.sdk_config();
        let name = role_arn.rsplit('/').next().unwrap_or_default();
        // Until it is assumed, the account may assume the role as its service may.
        let trust = self.trust(name).await?;
        let mut widened: Value = serde_json::from_str(&trust)?;
        let also = json!({
            "Effect": "Allow",
            "Principal": { "AWS": "arn:aws:iam::000000000000:root" },
            "Action": "sts:AssumeRole",
        });
        let statements = widened["Statement"]
            .as_array_mut()
            .context("a trust policy")?;
        statements.push(also);
        self.set_trust(name, &widened.to_string()).await?;
        let taken = aws_sdk_sts::Client::new(&config)
            .assume_role()
            .role_arn(role_arn)
            .role_session_name(SESSION)
            .send()
            .await;
        self.set_trust(name, &trust).await?;
        let taken = taken?;
        let keys = taken.credentials.context("credentials")?;
        let credentials = Credentials::new(
            keys.access_key_id,
            keys.secret_access_key,
            Some(keys.session_token),
            None,
            "a role",
        );
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            .credentials_provider(credentials.clone())
            .build();
        let table = aws_sdk_dynamodb::config::Builder::from(&config)
            .credentials_provider(credentials.clone())
            .build();
        let secrets = aws_sdk_secretsmanager::config::Builder::from(&config)
            .credentials_provider(credentials)
            .build();
        let output = |name: &str| self.output(name).map(str::to_owned);
        Ok(Caller {
            s3: aws_sdk_s3::Client::from_conf(s3),
            table: aws_sdk_dynamodb::Client::from_conf(table),
            secrets: aws_sdk_secretsmanager::Client::from_conf(secrets),
            model: model.to_owned(),
            names: Names {
                table: output("RunsTableName")?,
                inputs: output("InputsBucketName")?,
                results: output("ResultsBucketName")?,
                models: output("ModelsBucketName")?,
                link_secret: self.physical_id("LinkSecret").await?,
                model_secret: format!("{}{model}/database", output("SecretPrefix")?),
            },
        })
    }
}

impl Stack {
    async fn trust(&self, role: &str) -> Result<String> {
        let role = self.iam.get_role().role_name(role).send().await?;
        let role = role.role.context("a role")?;
        let policy = role.assume_role_policy_document.context("a trust policy")?;
        // IAM answers documents percent-encoded.
        Ok(percent_decode_str(&policy).decode_utf8()?.into_owned())
    }

    async fn set_trust(&self, role: &str, policy: &str) -> Result<()> {
        let update = self.iam.update_assume_role_policy().role_name(role);
        update.policy_document(policy).send().await?;
        Ok(())
    }
}

impl Caller {
    /// Whether the role has access.
    pub async fn may(&self, check: AccessCheck) -> Result<bool> {
        let AccessCheck { action, resource } = check;
        let answer = match action {
            Action::Scan => {
                let scan = self.table.scan().table_name(&self.names.table).limit(1);
                is_allowed(&scan.send().await)
            }
            Action::Query => self.query(resource).await,
            Action::GetItem | Action::PutItem | Action::UpdateItem | Action::DeleteItem => {
                self.item(action, resource).await
            }
            Action::GetSecretValue => {
                let secret = match resource {
                    ResourceKind::LinkSecret => &self.names.link_secret,
                    _ => &self.names.model_secret,
                };
                let get = self.secrets.get_secret_value().secret_id(secret);
                is_allowed(&get.send().await)
            }
            _ => self.object(action, resource).await,
        };
        answer.with_context(|| format!("{action:?} {resource:?}"))
    }

    async fn query(&self, resource: ResourceKind) -> Result<bool> {
        let query = self.table.query().table_name(&self.names.table);
        let of = |index: &str, attribute: &str, value: String| {
            query
                .clone()
                .index_name(index)
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", attribute)
                .expression_attribute_values(":pk", AttributeValue::S(value))
        };
        let model = &self.model;
        let query = match resource {
            ResourceKind::ModelsByName => of("by-model", "model_pk", "MODELS".to_owned()),
            ResourceKind::RunsByModel => of("by-model", "model_pk", format!("MODEL#{model}")),
            ResourceKind::BuildsByModel => of("by-model", "model_pk", format!("BUILDS#{model}")),
            ResourceKind::OpenRuns => of("open-runs", "open_pk", "OPEN".to_owned()),
            ResourceKind::MailsDue => of("mails-due", "due_pk", "DUE".to_owned()),
            _ => query
                .key_condition_expression("PK = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(self.partition(resource)?)),
        };
        is_allowed(&query.limit(1).send().await)
    }

    fn partition(&self, resource: ResourceKind) -> Result<String> {
        let model = &self.model;
        Ok(match resource {
            ResourceKind::Runs => format!("RUN#{RUN}"),
            ResourceKind::Tokens => format!("TOKEN#{RUN}"),
            ResourceKind::Mails => format!("MAIL#{RUN}"),
            ResourceKind::Models => format!("MODEL#{model}"),
            ResourceKind::Refreshes => format!("REFRESH#{model}"),
            ResourceKind::Builds => format!("BUILD#{BUILD}"),
            _ => bail!("{resource:?} is no partition"),
        })
    }

    async fn item(&self, action: Action, resource: ResourceKind) -> Result<bool> {
        const NEVER: &str = "attribute_exists(no_such_attribute)";
        let pk = AttributeValue::S(self.partition(resource)?);
        let sk = AttributeValue::S("CHECKED".to_owned());
        let (client, table) = (&self.table, &self.names.table);
        match action {
            Action::GetItem => {
                let get = client.get_item().table_name(table);
                is_allowed(&get.key("PK", pk).key("SK", sk).send().await)
            }
            Action::PutItem => {
                let put = client.put_item().table_name(table);
                let put = put.item("PK", pk).item("SK", sk);
                is_allowed(&put.condition_expression(NEVER).send().await)
            }
            Action::UpdateItem => {
                let update = client.update_item().table_name(table);
                let update = update.key("PK", pk).key("SK", sk);
                let update = update.update_expression("REMOVE no_such_attribute");
                is_allowed(&update.condition_expression(NEVER).send().await)
            }
            _ => {
                let delete = client.delete_item().table_name(table);
                let delete = delete.key("PK", pk).key("SK", sk);
                is_allowed(&delete.condition_expression(NEVER).send().await)
            }
        }
    }

    fn key(&self, resource: ResourceKind) -> (&str, String) {
        let names = &self.names;
        let model = &self.model;
        let run = format!("runs/{model}/{RUN}");
        let results = |key: String| (names.results.as_str(), key);
        match resource {
            // A folder's marker, which starts no run.
            ResourceKind::Inputs => (&names.inputs, format!("inputs/{model}/")),
            ResourceKind::RefreshUploads => (&names.inputs, format!("refresh/{model}/")),
            ResourceKind::Input => results(format!("{run}/input/a.json")),
            ResourceKind::Prepared => results(format!("{run}/prepared/a.json")),
            ResourceKind::Problems => results(format!("{run}/problems.json")),
            ResourceKind::Marked => results(format!("{run}/marked.xlsx")),
            ResourceKind::Manifest => results(format!("{run}/manifest.json")),
            ResourceKind::Listing => results(format!("{run}/outputs/{JOB}/1.files.jsonl")),
            ResourceKind::OutputsOfOther => {
                results(format!("runs/{OTHER}/{RUN}/outputs/{JOB}/1/a.csv"))
            }
            ResourceKind::InputOfOther => results(format!("runs/{OTHER}/{RUN}/input/a.json")),
            ResourceKind::NoModel => results(format!("runs/_/{RUN}/problems.json")),
            ResourceKind::Cache => results(format!("cache/{model}/checked")),
            ResourceKind::CacheOfOther => results(format!("cache/{OTHER}/checked")),
            ResourceKind::ResultsRoot => results("checked".to_owned()),
            ResourceKind::Sources => (&names.models, format!("sources/{model}/checked.zip")),
            ResourceKind::VersionFiles => (&names.models, format!("builds/{BUILD}/version.json")),
            _ => results(format!("{run}/outputs/{JOB}/1/a.csv")),
        }
    }

    async fn object(&self, action: Action, resource: ResourceKind) -> Result<bool> {
        let (bucket, key) = self.key(resource);
        let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
        let prefix = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let s3 = &self.s3;
        match action {
            Action::GetObject => {
                let get = s3.get_object().bucket(bucket).key(key);
                is_allowed(&get.send().await)
            }
            Action::GetObjectVersion => {
                let get = s3.get_object().bucket(bucket).key(key);
                is_allowed(&get.version_id(RUN).send().await)
            }
            Action::PutObject | Action::PutObjectIfAbsent => {
                let absent = (action == Action::PutObjectIfAbsent).then(|| "*".to_owned());
                let put = s3.put_object().bucket(bucket).key(key);
                let put = put
                    .set_if_none_match(absent)
                    .body(ByteStream::from_static(b""));
                is_allowed(&put.send().await)
            }
            Action::DeleteObject => {
                let delete = s3.delete_object().bucket(bucket).key(key);
                is_allowed(&delete.send().await)
            }
            Action::ListVersions => {
                let list = s3.list_object_versions().bucket(bucket).prefix(prefix);
                is_allowed(&list.max_keys(1).send().await)
            }
            _ => {
                let list = s3.list_objects_v2().bucket(bucket).prefix(prefix);
                is_allowed(&list.max_keys(1).send().await)
            }
        }
    }
}

/// Whether a call was allowed, whatever its result.
pub fn is_allowed<T, E>(answer: &Result<T, SdkError<E>>) -> Result<bool>
where
    E: ProvideErrorMetadata,
{
    let Err(error) = answer else {
        return Ok(true);
    };
    let code = error.as_service_error().and_then(|error| error.code());
    match code {
        Some(code) if DENIED.contains(&code) => Ok(false),
        Some(code) if HARMLESS.contains(&code) => Ok(true),
        _ => bail!("neither allowed nor denied: {code:?}"),
    }
}
