//! The ports over one DynamoDB table.

mod history;
pub mod items;
mod mails;
mod models;
mod progress;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::update_item::builders::UpdateItemFluentBuilder,
};

use crate::StoreError;
use items::Item;

/// The runs table.
#[derive(Debug, Clone)]
pub struct DynamoStore {
    client: Client,
    table: String,
}

impl DynamoStore {
    /// A store over one table. The client is built once, in `main`.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self {
            client,
            table: table.into(),
        }
    }

    async fn get(&self, verb: &'static str, key: Item) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed(verb, error))?;
        Ok(answer.item)
    }

    fn update(&self, key: Item) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key))
    }
}

fn failed<E>(verb: &'static str, error: SdkError<E, HttpResponse>) -> StoreError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    StoreError::Call {
        verb,
        transient: dropcast_aws_client::is_transient(&error),
        source: Box::new(error),
    }
}

/// Whether a conditional write happened; other failures stay failures.
fn took_place<T, E>(
    verb: &'static str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<bool, StoreError>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(failed(verb, error)),
    }
}
