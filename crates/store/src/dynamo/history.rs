//! What people look up.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use dropcast_domain::{
    ids::RunId,
    model::ModelName,
    registry::{Build, Model, RegisteredVersion},
    run::Run,
    status::Transition,
};
use serde::de::DeserializeOwned;

use super::{
    DynamoStore, failed,
    items::{
        self, LOG_SK, MODELS, OPEN, STATUS_PREFIX, Step, VERSION_PREFIX, builds_pk, key, model_pk,
        run_pk, text,
    },
};
use crate::{History, ports::StoreResult};

/// The most models that are listed.
const MAX_MODELS: usize = 1_000;

impl DynamoStore {
    pub(super) fn partition(
        &self,
        index: &str,
        attribute: &str,
        value: &str,
    ) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .index_name(index)
            .key_condition_expression("#pk = :pk")
            .expression_attribute_names("#pk", attribute)
            .expression_attribute_values(":pk", text(value))
    }

    pub(super) async fn collect<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        query: QueryFluentBuilder,
        limit: usize,
    ) -> StoreResult<Vec<T>> {
        let mut found = Vec::new();
        let mut pages = query.into_paginator().send();
        while let Some(page) = pages.next().await {
            for item in page
                .map_err(|error| failed(operation, error))?
                .items
                .unwrap_or_default()
            {
                found.push(items::read(item)?);
                if found.len() >= limit {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }
}

impl History for DynamoStore {
    async fn runs_of(&self, model: &str, limit: u16) -> StoreResult<Vec<Run>> {
        let query = self
            .partition("by-model", "model_pk", &model_pk(model))
            .scan_index_forward(false)
            .limit(i32::from(limit.max(1)));
        self.collect("runs_of", query, usize::from(limit)).await
    }

    async fn open_runs(&self, limit: u16) -> StoreResult<Vec<Run>> {
        let query = self
            .partition("open-runs", "open_pk", OPEN)
            .limit(i32::from(limit.max(1)));
        self.collect("open_runs", query, usize::from(limit)).await
    }

    async fn open_runs_of(&self, model: &str, limit: u16) -> StoreResult<Vec<Run>> {
        let query = self
            .partition("open-runs", "open_pk", OPEN)
            .filter_expression("model_pk = :model")
            .expression_attribute_values(":model", text(model_pk(model)));
        self.collect("open_runs_of", query, usize::from(limit))
            .await
    }

    async fn timeline(&self, run: &RunId) -> StoreResult<Vec<Transition>> {
        let query = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("PK = :pk AND begins_with(SK, :prefix)")
            .expression_attribute_values(":pk", text(run_pk(run)))
            .expression_attribute_values(":prefix", text(STATUS_PREFIX));
        let steps: Vec<Step> = self.collect("timeline", query, usize::MAX).await?;
        Ok(steps.into_iter().map(|step| step.step).collect())
    }

    async fn log(&self, run: &RunId) -> StoreResult<Vec<String>> {
        #[derive(serde::Deserialize)]
        struct Log {
            lines: Vec<String>,
        }
        let item = self.get("log", key(run_pk(run), LOG_SK)).await?;
        Ok(item
            .map(items::read::<Log>)
            .transpose()?
            .map(|log| log.lines)
            .unwrap_or_default())
    }

    async fn versions(&self, name: &ModelName, limit: u16) -> StoreResult<Vec<RegisteredVersion>> {
        let query = self
            .of_model(name, VERSION_PREFIX)
            .scan_index_forward(false)
            .limit(i32::from(limit.max(1)));
        self.collect("versions", query, usize::from(limit)).await
    }

    async fn builds_of(&self, name: &ModelName, limit: u16) -> StoreResult<Vec<Build>> {
        let query = self
            .partition("by-model", "model_pk", &builds_pk(name))
            .scan_index_forward(false)
            .limit(i32::from(limit.max(1)));
        self.collect("builds_of", query, usize::from(limit)).await
    }

    async fn models(&self) -> StoreResult<Vec<Model>> {
        self.collect(
            "models",
            self.partition("by-model", "model_pk", MODELS),
            MAX_MODELS,
        )
        .await
    }
}
