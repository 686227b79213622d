//! Claims on mails.

use aws_sdk_dynamodb::types::ReturnValue;
use dropcast_domain::{ids::RunId, mail::MailTopic, run::Run};
use jiff::Timestamp;

use super::{
    DynamoStore, failed,
    items::{self, DUE, DUE_SK, Item, TTL, key, mail_sk, number, sortable, text},
    took_place,
};
use crate::{CLAIM_SECONDS, Claim, DueMails, MailKey, Mails, ports::StoreResult};

/// In a partition of its own: notify, which sends mails, writes to no record of a run or a build.
fn mail_key(mail: &MailKey) -> Item {
    let topic = match &mail.topic {
        MailTopic::Run(run) => run.as_str(),
        MailTopic::Build(build) => build.as_str(),
    };
    key(format!("MAIL#{topic}"), mail_sk(mail))
}

fn due_key(run: &RunId) -> Item {
    key(format!("MAIL#{run}"), DUE_SK)
}

impl DueMails for DynamoStore {
    async fn expect_mails(&self, run: &Run, at: Timestamp) -> StoreResult<()> {
        let mut item = due_key(&run.id);
        item.insert("due_pk".into(), text(DUE));
        item.insert(
            "due_sk".into(),
            text(format!("{}#{}", sortable(at), run.id)),
        );
        item.insert("run".into(), text(run.id.as_str()));
        item.insert(TTL.into(), items::expiry(run));
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await;
        answer
            .map(drop)
            .map_err(|error| failed("expect_mails", error))
    }

    async fn settle_mails(&self, run: &RunId) -> StoreResult<()> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(due_key(run)))
            .send()
            .await;
        answer
            .map(drop)
            .map_err(|error| failed("settle_mails", error))
    }

    async fn due_mails(&self, limit: u16) -> StoreResult<Vec<RunId>> {
        #[derive(serde::Deserialize)]
        struct Due {
            run: RunId,
        }
        let query = self
            .partition("mails-due", "due_pk", DUE)
            .limit(i32::from(limit.max(1)));
        let due: Vec<Due> = self.collect("due_mails", query, usize::from(limit)).await?;
        Ok(due.into_iter().map(|due| due.run).collect())
    }
}

impl Mails for DynamoStore {
    async fn claim(&self, mail: &MailKey, now: Timestamp) -> StoreResult<Claim> {
        let mut update = self.update(mail_key(mail));
        let mut set = String::from("SET held_until = :until");
        // What belongs to a run goes with it; builds are kept.
        if let MailTopic::Run(run) = &mail.topic {
            let expiry = self.expiry("claim", run).await?;
            set.push_str(", #ttl = :ttl");
            update = update
                .expression_attribute_names("#ttl", TTL)
                .expression_attribute_values(":ttl", expiry);
        }
        let answer = update
            .update_expression(format!("{set} ADD tries :one"))
            .condition_expression("attribute_not_exists(PK) OR (attribute_not_exists(sent_at) AND held_until <= :now)")
            .expression_attribute_values(":until", number(now.as_second() + CLAIM_SECONDS))
            .expression_attribute_values(":now", number(now.as_second()))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllOld)
            .send()
            .await;
        let before = answer
            .as_ref()
            .ok()
            .and_then(|done| done.attributes.clone())
            .unwrap_or_default();
        if took_place("claim", answer)? {
            // A released claim is held until 0; an expired one, until some time past.
            let expired = before
                .get("held_until")
                .and_then(|until| until.as_n().ok())
                .is_some_and(|until| until != "0");
            return Ok(if expired {
                Claim::Expired
            } else {
                Claim::Granted
            });
        }
        let current = self.get("claim", mail_key(mail)).await?.unwrap_or_default();
        Ok(if current.contains_key("sent_at") {
            Claim::Sent
        } else {
            Claim::Held
        })
    }

    async fn mark_sent(&self, mail: &MailKey, message_id: &str, now: Timestamp) -> StoreResult<()> {
        let answer = self
            .update(mail_key(mail))
            .update_expression("SET sent_at = :at, message_id = :id REMOVE held_until")
            .condition_expression("attribute_exists(PK) AND attribute_not_exists(sent_at)")
            .expression_attribute_values(":at", text(now.to_string()))
            .expression_attribute_values(":id", text(message_id))
            .send()
            .await;
        took_place("mark_sent", answer).map(drop)
    }

    async fn release_claim(&self, mail: &MailKey) -> StoreResult<()> {
        let answer = self
            .update(mail_key(mail))
            .update_expression("SET held_until = :never")
            .condition_expression("attribute_exists(PK) AND attribute_not_exists(sent_at)")
            .expression_attribute_values(":never", number(0))
            .send()
            .await;
        took_place("release_claim", answer).map(drop)
    }
}
