//! Tries of one verb on one place of the stack, with the credentials of a role.
//!
//! A try changes nothing that anybody reads: items are written under a condition that never holds,
//! objects below names that no run has.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::config::Credentials;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::Stack;

/// Sessions of roles that tests take have this name. What is done in them is no use of a role.
pub(crate) const SESSION: &str = "tries-of-tests";

/// The model of functions' tries, which is not registered.
pub const MODEL: &str = "tried";
const OTHER: &str = "tried-other";
const RUN: &str = "mfrggzdfmztwq2lknnwg23tpoa";
const JOB: &str = "4f0f3c1e-8c5b-4c0e-9d5e-0f6a4b1c2d3e";
const BUILD: &str = "5f1c3a2e-7f0d-4f6a-9c55-0b7c8a4f1d20";
/// Codes that say no.
const DENIED: [&str; 3] = ["AccessDenied", "AccessDeniedException", "Forbidden"];
/// Codes of what may be done and finds nothing, or does not hold.
const HARMLESS: [&str; 7] = [
    "ConditionalCheckFailedException",
    "InvalidArgument",
    "NoSuchKey",
    "NoSuchVersion",
    "NotFound",
    "PreconditionFailed",
    "ResourceNotFoundException",
];

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "They are AWS's actions.")]
pub enum Verb {
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

const ITEM_VERBS: [Verb; 5] = [
    Verb::GetItem,
    Verb::Query,
    Verb::PutItem,
    Verb::UpdateItem,
    Verb::DeleteItem,
];
const OBJECT_VERBS: [Verb; 7] = [
    Verb::GetObject,
    Verb::GetObjectVersion,
    Verb::PutObject,
    Verb::PutObjectIfAbsent,
    Verb::DeleteObject,
    Verb::List,
    Verb::ListVersions,
];

/// Where it is tried: a partition, a prefix, a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
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

impl Place {
    const PARTITIONS: [Self; 6] = [
        Self::Runs,
        Self::Tokens,
        Self::Mails,
        Self::Models,
        Self::Refreshes,
        Self::Builds,
    ];
    const INDEXES: [Self; 4] = [
        Self::ModelsByName,
        Self::RunsByModel,
        Self::BuildsByModel,
        Self::OpenRuns,
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

/// One verb on one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Try {
    /// What.
    pub verb: Verb,
    /// Where.
    pub place: Place,
}

impl Try {
    /// Every verb on every place that knows it.
    pub fn all() -> Vec<Self> {
        let pairs = |verbs: &[Verb], places: &[Place]| -> Vec<Self> {
            verbs
                .iter()
                .flat_map(|verb| places.iter().map(|place| (*verb, *place)))
                .map(|(verb, place)| Self { verb, place })
                .collect()
        };
        let mut all = pairs(&ITEM_VERBS, &Place::PARTITIONS);
        all.extend(pairs(&[Verb::Scan], &[Place::Table]));
        all.extend(pairs(&[Verb::Query], &Place::INDEXES));
        all.extend(pairs(&OBJECT_VERBS, &Place::OBJECTS));
        all.extend(pairs(&[Verb::GetSecretValue], &Place::SECRETS));
        all
    }
}

/// A role, taken by the tests.
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

    /// Takes a role, by its ARN, to try things on the places of a model.
    pub async fn caller(&self, role_arn: &str, model: &str) -> Result<Caller> {
        let config = self.connection.sdk_config();
        let name = role_arn.rsplit('/').next().unwrap_or_default();
        // For as long as it takes, the account may take the role as its service may.
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
    /// Whether the role may do it.
    pub async fn may(&self, one: Try) -> Result<bool> {
        let Try { verb, place } = one;
        let answer = match verb {
            Verb::Scan => {
                let scan = self.table.scan().table_name(&self.names.table).limit(1);
                is_allowed(&scan.send().await)
            }
            Verb::Query => self.query(place).await,
            Verb::GetItem | Verb::PutItem | Verb::UpdateItem | Verb::DeleteItem => {
                self.item(verb, place).await
            }
            Verb::GetSecretValue => {
                let secret = match place {
                    Place::LinkSecret => &self.names.link_secret,
                    _ => &self.names.model_secret,
                };
                let get = self.secrets.get_secret_value().secret_id(secret);
                is_allowed(&get.send().await)
            }
            _ => self.object(verb, place).await,
        };
        answer.with_context(|| format!("{verb:?} {place:?}"))
    }

    async fn query(&self, place: Place) -> Result<bool> {
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
        let query = match place {
            Place::ModelsByName => of("by-model", "model_pk", "MODELS".to_owned()),
            Place::RunsByModel => of("by-model", "model_pk", format!("MODEL#{model}")),
            Place::BuildsByModel => of("by-model", "model_pk", format!("BUILDS#{model}")),
            Place::OpenRuns => of("open-runs", "open_pk", "OPEN".to_owned()),
            _ => query
                .key_condition_expression("PK = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(self.partition(place)?)),
        };
        is_allowed(&query.limit(1).send().await)
    }

    fn partition(&self, place: Place) -> Result<String> {
        let model = &self.model;
        Ok(match place {
            Place::Runs => format!("RUN#{RUN}"),
            Place::Tokens => format!("TOKEN#{RUN}"),
            Place::Mails => format!("MAIL#{RUN}"),
            Place::Models => format!("MODEL#{model}"),
            Place::Refreshes => format!("REFRESH#{model}"),
            Place::Builds => format!("BUILD#{BUILD}"),
            _ => bail!("{place:?} is no partition"),
        })
    }

    async fn item(&self, verb: Verb, place: Place) -> Result<bool> {
        const NEVER: &str = "attribute_exists(no_such_attribute)";
        let pk = AttributeValue::S(self.partition(place)?);
        let sk = AttributeValue::S("TRIED".to_owned());
        let (client, table) = (&self.table, &self.names.table);
        match verb {
            Verb::GetItem => {
                let get = client.get_item().table_name(table);
                is_allowed(&get.key("PK", pk).key("SK", sk).send().await)
            }
            Verb::PutItem => {
                let put = client.put_item().table_name(table);
                let put = put.item("PK", pk).item("SK", sk);
                is_allowed(&put.condition_expression(NEVER).send().await)
            }
            Verb::UpdateItem => {
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

    fn key(&self, place: Place) -> (&str, String) {
        let names = &self.names;
        let model = &self.model;
        let run = format!("runs/{model}/{RUN}");
        let results = |key: String| (names.results.as_str(), key);
        match place {
            // A folder's marker, which starts no run.
            Place::Inputs => (&names.inputs, format!("inputs/{model}/")),
            Place::RefreshUploads => (&names.inputs, format!("refresh/{model}/")),
            Place::Input => results(format!("{run}/input/a.json")),
            Place::Prepared => results(format!("{run}/prepared/a.json")),
            Place::Problems => results(format!("{run}/problems.json")),
            Place::Marked => results(format!("{run}/marked.xlsx")),
            Place::Manifest => results(format!("{run}/manifest.json")),
            Place::Listing => results(format!("{run}/outputs/{JOB}/1.files.jsonl")),
            Place::OutputsOfOther => results(format!("runs/{OTHER}/{RUN}/outputs/{JOB}/1/a.csv")),
            Place::InputOfOther => results(format!("runs/{OTHER}/{RUN}/input/a.json")),
            Place::NoModel => results(format!("runs/_/{RUN}/problems.json")),
            Place::Cache => results(format!("cache/{model}/tried")),
            Place::CacheOfOther => results(format!("cache/{OTHER}/tried")),
            Place::ResultsRoot => results("tried".to_owned()),
            Place::Sources => (&names.models, format!("sources/{model}/tried.zip")),
            Place::VersionFiles => (&names.models, format!("builds/{BUILD}/version.json")),
            _ => results(format!("{run}/outputs/{JOB}/1/a.csv")),
        }
    }

    async fn object(&self, verb: Verb, place: Place) -> Result<bool> {
        let (bucket, key) = self.key(place);
        let folder = key.rsplit_once('/').map_or("", |(folder, _)| folder);
        let prefix = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let s3 = &self.s3;
        match verb {
            Verb::GetObject => {
                let get = s3.get_object().bucket(bucket).key(key);
                is_allowed(&get.send().await)
            }
            Verb::GetObjectVersion => {
                let get = s3.get_object().bucket(bucket).key(key);
                is_allowed(&get.version_id(RUN).send().await)
            }
            Verb::PutObject | Verb::PutObjectIfAbsent => {
                let absent = (verb == Verb::PutObjectIfAbsent).then(|| "*".to_owned());
                let put = s3.put_object().bucket(bucket).key(key);
                let put = put
                    .set_if_none_match(absent)
                    .body(ByteStream::from_static(b""));
                is_allowed(&put.send().await)
            }
            Verb::DeleteObject => {
                let delete = s3.delete_object().bucket(bucket).key(key);
                is_allowed(&delete.send().await)
            }
            Verb::ListVersions => {
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

/// Whether a call was let through, whatever came of it.
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
