//! The link-signing keys out of Secrets Manager, kept for a few minutes.

use std::future::Future;

use aws_sdk_secretsmanager::Client;
use dropcast_domain::link::{LinkKeys, LinkKeysError};
use jiff::Timestamp;
use thiserror::Error;
use tokio::sync::Mutex;

use crate::CallError;

/// How long read keys are used, in seconds: a rotation takes hold within this.
const KEPT_SECONDS: i64 = 300;

/// Where keys come from.
pub trait KeySource: Send + Sync {
    /// The keys as they are now, or were a few minutes ago.
    fn keys(&self, now: Timestamp) -> impl Future<Output = Result<LinkKeys, KeysError>> + Send;
}

/// Why there are no keys.
#[derive(Debug, Error)]
pub enum KeysError {
    /// Secrets Manager.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The secret's text.
    #[error(transparent)]
    Unusable(#[from] LinkKeysError),
}

impl KeysError {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Call(error) => error.transient,
            Self::Unusable(_) => false,
        }
    }
}

/// Keys in a secret of Secrets Manager.
#[derive(Debug)]
pub struct SecretKeys {
    client: Client,
    secret: String,
    kept: Mutex<Option<(Timestamp, LinkKeys)>>,
}

impl SecretKeys {
    /// The secret of this ARN.
    pub fn new(client: Client, secret: impl Into<String>) -> Self {
        Self {
            client,
            secret: secret.into(),
            kept: Mutex::new(None),
        }
    }
}

impl KeySource for SecretKeys {
    async fn keys(&self, now: Timestamp) -> Result<LinkKeys, KeysError> {
        let mut kept = self.kept.lock().await;
        if let Some((since, keys)) = kept.as_ref()
            && now.duration_since(*since).as_secs() < KEPT_SECONDS
        {
            return Ok(keys.clone());
        }
        let answer = self
            .client
            .get_secret_value()
            .secret_id(&self.secret)
            .send()
            .await;
        let answer =
            answer.map_err(|error| CallError::of_sdk("secretsmanager:GetSecretValue", error))?;
        let keys = LinkKeys::parse(answer.secret_string.as_deref().unwrap_or_default())?;
        *kept = Some((now, keys.clone()));
        Ok(keys)
    }
}
