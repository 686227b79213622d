//! How programs reach a local stack that is up.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use serde::{Deserialize, Serialize};

use crate::{Error, Mail, mailbox, state};

/// The keys that the emulator takes from anybody.
const ACCESS_KEY: &str = "test";
const SECRET_KEY: &str = "test";

/// Where a local stack is and what it deployed; the content of `stack.json` in its state folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// The process that runs the stack. SIGTERM stops it.
    pub pid: u32,
    /// The emulator's process, which is also its process group.
    pub emulator_pid: u32,
    /// `DROPCAST_LOCAL_STACK` in the environment of every process that belongs to the stack.
    pub mark: String,
    /// Endpoint of every AWS service but Batch and CodeBuild.
    pub endpoint: String,
    /// Endpoint of the Batch API.
    pub batch_endpoint: String,
    /// Endpoint of the CodeBuild API.
    pub codebuild_endpoint: String,
    /// The region.
    pub region: String,
    /// Name of the CloudFormation stack.
    pub stack_name: String,
    /// The stack's outputs by name: `InputsBucketName`, `RunsTableName` and so on.
    pub outputs: BTreeMap<String, String>,
    /// The state folder.
    pub state: PathBuf,
    /// The Python that environments of models are made with when nothing else is said.
    pub python: PathBuf,
}

impl Connection {
    /// Finds the stack that is up in a state folder.
    pub fn attach(state: &Path) -> Result<Self, Error> {
        state::read_running(state)
    }

    /// An output of the stack.
    pub fn output(&self, name: &str) -> Result<&str, Error> {
        let found = self.outputs.get(name).map(String::as_str);
        found.ok_or_else(|| Error::Deployment {
            status: format!("the stack {} has no output {name}", self.stack_name),
            reasons: String::new(),
        })
    }

    /// The images' root folder.
    pub fn images(&self) -> PathBuf {
        self.state.join("images")
    }

    /// Configuration for every SDK client but Batch's and CodeBuild's. Nothing of the shell's AWS settings gets in.
    pub fn sdk_config(&self) -> SdkConfig {
        self.config(&self.endpoint)
    }

    /// Configuration for Batch's SDK client.
    pub fn batch_sdk_config(&self) -> SdkConfig {
        self.config(&self.batch_endpoint)
    }

    /// Configuration for CodeBuild's SDK client.
    pub fn codebuild_sdk_config(&self) -> SdkConfig {
        self.config(&self.codebuild_endpoint)
    }

    /// The environment under which AWS's own tools talk to this stack.
    pub fn aws_environment(&self) -> [(&'static str, &str); 7] {
        [
            ("AWS_ENDPOINT_URL", &self.endpoint),
            ("AWS_ENDPOINT_URL_BATCH", &self.batch_endpoint),
            ("AWS_ENDPOINT_URL_CODEBUILD", &self.codebuild_endpoint),
            ("AWS_REGION", &self.region),
            ("AWS_DEFAULT_REGION", &self.region),
            ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
            ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
        ]
    }

    /// The mails that the local SES was given, the oldest first.
    pub async fn mailbox(&self) -> Result<Vec<Mail>, Error> {
        mailbox::read(&self.endpoint, &self.state).await
    }

    /// Asks the stack's process to stop, and waits until everything of it is gone.
    pub async fn stop(&self) -> Result<(), Error> {
        state::stop(self).await
    }

    fn config(&self, endpoint: &str) -> SdkConfig {
        let credentials = Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "local-stack");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .endpoint_url(endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build()
    }
}
