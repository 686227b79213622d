//! Runs, from their first record to their end.

use aws_sdk_dynamodb::{
    operation::{put_item::PutItemError, update_item::builders::UpdateItemFluentBuilder},
    types::{AttributeValue, ReturnValuesOnConditionCheckFailure},
};
use dropcast_domain::{
    cancellation::Cancellation,
    failure::Failure,
    ids::{JobId, RunId},
    job::JobEnd,
    output::Output,
    run::{MAX_HEADLINE_OUTPUTS, RepairNote, Run, UploadMetadata},
    status::{Progress, Status, Transition},
    task::TaskAttempt,
};

use super::{
    DynamoStore, failed,
    items::{
        self, LOG_SK, OPEN, RUN_SK, TTL, attribute, key, number, run_pk, sortable, status_sk, text,
        token_key,
    },
    took_place,
};
use crate::{
    Cancellations, Jobs, Outputs, Repairs, RunCompletion, Runs, TaskTokens, Validation,
    ValidationOutcome, ports::StoreResult,
};

impl DynamoStore {
    /// Adds a step to the timeline; of two reports of one step the earlier stays.
    async fn note(&self, run: &RunId, step: Transition, expiry: AttributeValue) -> StoreResult<()> {
        let (at, status) = (
            attribute(&step.at, "at")?,
            attribute(&step.progress.status, "status")?,
        );
        let answer = self
            .update(key(run_pk(run), status_sk(step.progress)))
            .update_expression(
                "SET #at = :at, #status = :status, attempts = :attempts, changed_ns = :ns, #ttl = :ttl",
            )
            .condition_expression("attribute_not_exists(PK) OR changed_ns > :ns")
            .expression_attribute_names("#at", "at")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#ttl", TTL)
            .expression_attribute_values(":at", at)
            .expression_attribute_values(":status", status)
            .expression_attribute_values(":attempts", number(step.progress.attempts))
            .expression_attribute_values(":ns", number(step.at.as_nanosecond()))
            .expression_attribute_values(":ttl", expiry)
            .send()
            .await;
        took_place("advance", answer).map(drop)
    }

    /// A write to a run's record.
    fn record(&self, run: &RunId) -> UpdateItemFluentBuilder {
        self.update(key(run_pk(run), RUN_SK))
    }
}

impl Runs for DynamoStore {
    async fn create_if_absent(&self, run: &Run) -> StoreResult<Run> {
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(items::run_item(run)?))
            .condition_expression("attribute_not_exists(PK)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let existing = match answer {
            Ok(_) => run.clone(),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(refusal)) => {
                    items::read(refusal.item.clone().unwrap_or_default())?
                }
                _ => return Err(failed("create_if_absent", error)),
            },
        };
        // Also for a run that was there already: the process may have died between the two writes.
        let received = Transition {
            progress: Progress::first(Status::Received),
            at: run.upload.at,
        };
        self.note(&run.id, received, items::expiry(&existing))
            .await?;
        Ok(existing)
    }

    async fn get(&self, run: &RunId) -> StoreResult<Option<Run>> {
        self.get("get", key(run_pk(run), RUN_SK))
            .await?
            .map(items::read)
            .transpose()
    }

    async fn advance(&self, run: &RunId, step: Transition) -> StoreResult<bool> {
        if step.progress.status.is_terminal() {
            return Ok(false);
        }
        let update = self
            .record(run)
            .update_expression("SET #current = :current, #order = :order, changed_ns = :ns, open_sk = :open_sk")
            // `open_pk` is there as long as the run is open: terminal states absorb everything.
            .condition_expression(
                "attribute_exists(open_pk) AND (#order < :order OR (#order = :order AND changed_ns > :ns))",
            )
            .expression_attribute_names("#current", "current")
            .expression_attribute_names("#order", "order")
            .expression_attribute_values(":current", attribute(&step, "current")?)
            .expression_attribute_values(":order", number(step.progress.order()))
            .expression_attribute_values(":ns", number(step.at.as_nanosecond()))
            .expression_attribute_values(":open_sk", text(sortable(step.at)));
        let changed = self.change("advance", update).await?;
        let moved = changed.took_place;
        let expiry = changed.record(run)?.remove(TTL);
        // Also when the record did not move: the process may have died between the two writes.
        if let Some(expiry) = expiry {
            self.note(run, step, expiry).await?;
        }
        Ok(moved)
    }
}

impl Validation for DynamoStore {
    async fn record_validation(
        &self,
        run: &RunId,
        metadata: &UploadMetadata,
        outcome: &ValidationOutcome,
    ) -> StoreResult<()> {
        let mut update = self
            .record(run)
            .condition_expression("attribute_exists(open_pk)")
            .expression_attribute_values(":title", text(&metadata.title))
            .expression_attribute_values(":notify", attribute(&metadata.notify, "notify")?)
            .expression_attribute_values(
                ":unusable",
                attribute(&metadata.notify_unusable, "notifyUnusable")?,
            )
            .expression_attribute_values(
                ":left_out",
                attribute(&metadata.notify_left_out, "notifyLeftOut")?,
            );
        let mut set = String::from(
            "SET title = :title, notify = :notify, notifyUnusable = :unusable, notifyLeftOut = :left_out",
        );
        match outcome {
            ValidationOutcome::Accepted(acceptance) => {
                set.push_str(", version = :version");
                update = update.expression_attribute_values(":version", number(acceptance.version));
                if let Some(input) = &acceptance.input {
                    set.push_str(", #input = :input");
                    update = update
                        .expression_attribute_names("#input", "input")
                        .expression_attribute_values(":input", attribute(input, "input")?);
                }
            }
            ValidationOutcome::Rejected {
                problem_count,
                version,
                marked,
            } => {
                set.push_str(", problemCount = :problems");
                update = update.expression_attribute_values(":problems", number(problem_count));
                if let Some(version) = version {
                    set.push_str(", version = :version");
                    update = update.expression_attribute_values(":version", number(version));
                }
                if *marked {
                    set.push_str(", marked = :marked");
                    update =
                        update.expression_attribute_values(":marked", AttributeValue::Bool(true));
                }
            }
        }
        // A run that is over keeps what it has.
        let changed = self
            .change("record_validation", update.update_expression(set))
            .await?;
        changed.record(run).map(drop)
    }
}

impl Jobs for DynamoStore {
    async fn assign_job(&self, run: &RunId, job: &JobId) -> StoreResult<Run> {
        let update = self
            .record(run)
            .update_expression("SET job = :job")
            .condition_expression("attribute_exists(open_pk) AND attribute_not_exists(job)")
            .expression_attribute_values(":job", text(job.as_str()));
        let record = self.change("assign_job", update).await?.record(run)?;
        items::read(record)
    }

    async fn record_job_end(&self, run: &RunId, end: &JobEnd) -> StoreResult<()> {
        let update = self
            .record(run)
            .update_expression("SET jobEnd = :end")
            .condition_expression("attribute_exists(PK) AND attribute_not_exists(jobEnd)")
            .expression_attribute_values(":end", attribute(end, "jobEnd")?);
        self.change("record_job_end", update)
            .await?
            .record(run)
            .map(drop)
    }

    async fn put_log(&self, run: &RunId, lines: &[String]) -> StoreResult<()> {
        let mut item = key(run_pk(run), LOG_SK);
        item.insert("lines".into(), attribute(&lines, "lines")?);
        item.insert(TTL.into(), self.expiry("put_log", run).await?);
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(PK)")
            .send()
            .await;
        took_place("put_log", answer).map(drop)
    }
}

impl TaskTokens for DynamoStore {
    async fn put_task_token(
        &self,
        run: &RunId,
        token: &str,
        attempt: TaskAttempt,
    ) -> StoreResult<bool> {
        let mut item = token_key(run);
        item.insert("token".into(), text(token));
        item.insert("attempt".into(), number(attempt.order()));
        // Nobody deletes the token of a task that timed out.
        item.insert(TTL.into(), self.expiry("put_task_token", run).await?);
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            // Equal where the SDK repeats a call whose answer was lost.
            .condition_expression("attribute_not_exists(attempt) OR attempt <= :attempt")
            .expression_attribute_values(":attempt", number(attempt.order()))
            .send()
            .await;
        took_place("put_task_token", answer)
    }

    async fn task_token(&self, run: &RunId) -> StoreResult<Option<String>> {
        let item = self.get("task_token", token_key(run)).await?;
        Ok(item.and_then(|item| {
            item.get("token")
                .and_then(|token| token.as_s().ok())
                .cloned()
        }))
    }

    async fn delete_task_token(&self, run: &RunId, token: &str) -> StoreResult<()> {
        let answer = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(token_key(run)))
            .condition_expression("#token = :token")
            .expression_attribute_names("#token", "token")
            .expression_attribute_values(":token", text(token))
            .send()
            .await;
        took_place("delete_task_token", answer).map(drop)
    }
}

impl Outputs for DynamoStore {
    async fn publish(&self, run: &RunId, outputs: &[Output], count: u64) -> StoreResult<()> {
        let headline = outputs.get(..MAX_HEADLINE_OUTPUTS).unwrap_or(outputs);
        let update = self
            .record(run)
            .update_expression("SET outputs = :outputs, outputCount = :count")
            .condition_expression("attribute_exists(open_pk)")
            .expression_attribute_values(":outputs", attribute(&headline, "outputs")?)
            .expression_attribute_values(":count", number(count));
        self.change("publish", update).await?.record(run).map(drop)
    }
}

impl Repairs for DynamoStore {
    async fn note_repair(&self, run: &RunId, note: &RepairNote) -> StoreResult<()> {
        let update = self
            .record(run)
            .update_expression("SET repaired = :note")
            .condition_expression("attribute_exists(open_pk)")
            .expression_attribute_values(":note", attribute(note, "repaired")?);
        self.change("note_repair", update)
            .await?
            .record(run)
            .map(drop)
    }
}

impl Cancellations for DynamoStore {
    async fn request_cancellation(&self, run: &RunId, request: &Cancellation) -> StoreResult<Run> {
        let update = self
            .record(run)
            .update_expression("SET cancellation = :request")
            .condition_expression(
                "attribute_exists(open_pk) AND attribute_not_exists(jobEnd) AND attribute_not_exists(cancellation)",
            )
            .expression_attribute_values(":request", attribute(request, "cancellation")?);
        let changed = self.change("request_cancellation", update).await?;
        items::read(changed.record(run)?)
    }
}

impl RunCompletion for DynamoStore {
    async fn finish(
        &self,
        run: &RunId,
        end: Transition,
        failure: Option<&Failure>,
    ) -> StoreResult<Run> {
        let mut update = self
            .record(run)
            .condition_expression("open_pk = :open")
            .expression_attribute_names("#current", "current")
            .expression_attribute_names("#order", "order")
            .expression_attribute_values(":open", text(OPEN))
            .expression_attribute_values(":current", attribute(&end, "current")?)
            .expression_attribute_values(":order", number(end.progress.order()))
            .expression_attribute_values(":ns", number(end.at.as_nanosecond()));
        let mut set = String::from("SET #current = :current, #order = :order, changed_ns = :ns");
        if let Some(failure) = failure {
            set.push_str(", failure = :failure");
            update = update.expression_attribute_values(":failure", attribute(failure, "failure")?);
        }
        let update = update.update_expression(format!("{set} REMOVE open_pk, open_sk"));
        let record = self.change("finish", update).await?.record(run)?;
        let finished: Run = items::read(record)?;
        // Also for a run that was over: the process may have died between the two writes.
        self.note(run, finished.current, items::expiry(&finished))
            .await?;
        Ok(finished)
    }
}
