//! The ports over one DynamoDB table.

mod history;
pub mod items;
mod mails;
mod models;
mod progress;
mod promotion;
mod refreshes;
mod transaction;

use aws_sdk_dynamodb::{
    Client,
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::update_item::{UpdateItemError, builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use dropcast_domain::ids::RunId;
use items::{Item, RUN_SK, TTL, key, run_pk};

use crate::StoreError;

/// The runs table of a deployment.
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

    async fn get(&self, operation: &'static str, key: Item) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed(operation, error))?;
        Ok(answer.item)
    }

    fn update(&self, key: Item) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key))
    }

    /// Writes under a condition and returns the item as it is afterwards, changed or not, without
    /// a separate read.
    async fn change(
        &self,
        operation: &'static str,
        update: UpdateItemFluentBuilder,
    ) -> Result<Changed, StoreError> {
        let answer = update
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match answer {
            Ok(done) => Ok(Changed {
                took_place: true,
                current: done.attributes,
            }),
            Err(error) => {
                if let Some(UpdateItemError::ConditionalCheckFailedException(refusal)) =
                    error.as_service_error()
                {
                    return Ok(Changed {
                        took_place: false,
                        current: refusal.item.clone(),
                    });
                }
                Err(failed(operation, error))
            }
        }
    }

    /// When a run's record expires, which all items of the run share.
    async fn expiry(
        &self,
        operation: &'static str,
        run: &RunId,
    ) -> Result<AttributeValue, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key(run_pk(run), RUN_SK)))
            .projection_expression("#ttl")
            .expression_attribute_names("#ttl", TTL)
            // A record that was written a moment ago must be found: its token comes next.
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| failed(operation, error))?;
        answer
            .item
            .and_then(|mut item| item.remove(TTL))
            .ok_or_else(|| StoreError::NoSuchRun(run.clone()))
    }
}

/// The result of a conditional write.
struct Changed {
    took_place: bool,
    /// The item after the write, or the one that the condition refused.
    current: Option<Item>,
}

impl Changed {
    /// The run's record as it is now.
    fn record(self, run: &RunId) -> Result<Item, StoreError> {
        self.current
            .ok_or_else(|| StoreError::NoSuchRun(run.clone()))
    }
}

fn failed<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> StoreError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    StoreError::Call {
        operation,
        transient: dropcast_aws::is_transient(&error),
        source: Box::new(error),
    }
}

/// Whether a conditional write happened; other failures stay failures.
fn took_place<T, E>(
    operation: &'static str,
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> Result<bool, StoreError>
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    match answer {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Some("ConditionalCheckFailedException") => Ok(false),
        Err(error) => Err(failed(operation, error)),
    }
}
