//! Models and their versions.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use dropcast_domain::{
    model::ModelName,
    registry::{Draft, Model, RegisteredVersion},
    run_id::Version,
};

use super::{
    DynamoStore, failed,
    items::{self, MODEL_SK, key, model_pk, number},
};
use crate::{Models, StoreError, verbs::Answer};

/// How often a registration starts over when others register versions of the same model.
const TRIES: u32 = 10;

impl Models for DynamoStore {
    async fn model(&self, name: &ModelName) -> Answer<Option<Model>> {
        self.get("model", key(model_pk(name.as_str()), MODEL_SK))
            .await?
            .map(items::read)
            .transpose()
    }

    async fn version(
        &self,
        name: &ModelName,
        version: Version,
    ) -> Answer<Option<RegisteredVersion>> {
        self.get("version", items::version_key(name, version))
            .await?
            .map(items::read)
            .transpose()
    }

    async fn register(&self, draft: &Draft) -> Answer<RegisteredVersion> {
        let name = &draft.manifest.name;
        for _ in 0..TRIES {
            let standing = self.model(name).await?;
            let number_now = standing
                .as_ref()
                .map_or(Version::FIRST, |model| model.next_version);
            let model = Model {
                name: name.clone(),
                title: draft.manifest.title.clone(),
                default_version: standing
                    .as_ref()
                    .map_or(number_now, |model| model.default_version),
                next_version: number_now.next(),
            };
            let version = RegisteredVersion {
                model: name.clone(),
                version: number_now,
                draft: draft.clone(),
            };
            // Both or neither: a number without a version, or the reverse, could not be told from a lost write.
            let mut put_model = Put::builder()
                .table_name(&self.table)
                .set_item(Some(items::model_item(&model)?));
            put_model = match &standing {
                None => put_model.condition_expression("attribute_not_exists(PK)"),
                Some(_) => put_model
                    .condition_expression("nextVersion = :next")
                    .expression_attribute_values(":next", number(number_now)),
            };
            let put_version = Put::builder()
                .table_name(&self.table)
                .set_item(Some(items::version_item(&version)?))
                .condition_expression("attribute_not_exists(PK)");
            let answer = self
                .client
                .transact_write_items()
                .transact_items(put_in_transaction(put_model)?)
                .transact_items(put_in_transaction(put_version)?)
                .send()
                .await;
            match answer {
                Ok(_) => return Ok(version),
                Err(error)
                    if error.as_service_error().is_some_and(|refusal| {
                        refusal.is_transaction_canceled_exception()
                            || refusal.is_transaction_in_progress_exception()
                    }) => {}
                Err(error) => return Err(failed("register", error)),
            }
        }
        Err(StoreError::Contended("register"))
    }
}

fn put_in_transaction(
    put: aws_sdk_dynamodb::types::builders::PutBuilder,
) -> Result<TransactWriteItem, StoreError> {
    let put = put.build().map_err(|error| StoreError::Call {
        verb: "register",
        transient: false,
        source: Box::new(error),
    })?;
    Ok(TransactWriteItem::builder().put(put).build())
}
