//! The other services, behind the functions' own ports.

use announce_run::{Change, DeadLetters};
use dropcast_aws::{
    CallError,
    ports::{
        DescribeExecutions, DescribeJobs, JobLogs, NotPublished, PublishEvents, RecentUploads,
        ResumeExecutions, StartExecutions, StopJobs,
    },
    secrets::{KeySource, KeysError},
};
use dropcast_domain::{
    event::Announcement,
    ids::{JobId, RunId},
    job::{JobChange, JobEnd},
    link::LinkKeys,
    mail::{MailKind, MailTopic},
    model::JobSpec,
    repair::ExecutionState,
    upload::Upload,
};
use dropcast_store::memory::yield_once;
use jiff::Timestamp;
use notify::{Files, Mailer, SendError};
use serde_json::{Value, json};
use submit_job::{JobQueue, JobRequest};

use crate::{
    batch::Job,
    clock,
    faults::Fault,
    machine::Execution,
    world::{SdkRetries, Shared, World, call, lock},
};

/// Every service but the table.
#[derive(Clone)]
pub(crate) struct Services(pub(crate) Shared);

impl StartExecutions for Services {
    async fn start(&self, run: &RunId) -> Result<(), CallError> {
        call(&self.0, "states:StartExecution", SdkRetries::On, |world| {
            // The same name with the same input is the same execution, for 90 days.
            if !world.executions.contains_key(run) {
                let input = json!({ "runId": run });
                let execution = Execution::start(&world.definition, input);
                world.executions.insert(run.clone(), execution);
                world
                    .trace
                    .note(|| format!("Step Functions: {run} started"));
            }
        })
        .await
    }
}

impl ResumeExecutions for Services {
    async fn resume(&self, token: &str, job: &JobId, end: &JobEnd) -> Result<bool, CallError> {
        call(&self.0, "states:SendTaskSuccess", SdkRetries::On, |world| {
            let World {
                executions,
                definition,
                random,
                ..
            } = world;
            let answered = executions.values_mut().any(|execution| {
                let answer = match &end.failure {
                    None => Ok(json!({ "jobId": job, "attempt": end.attempts })),
                    Some(failure) => Err((failure.code.as_str(), failure.message.as_str())),
                };
                execution.answer(definition, random, token, answer)
            });
            let said = if answered { "taken" } else { "refused" };
            world
                .trace
                .note(|| format!("Step Functions: the answer about {job} is {said}"));
            answered
        })
        .await
    }
}

impl JobQueue for Services {
    async fn find(&self, run: &RunId, _: &JobSpec) -> Result<Option<JobId>, CallError> {
        call(&self.0, "batch:ListJobs", SdkRetries::On, |world| {
            let of_run = world.jobs.values().filter(|job| job.run == *run);
            of_run
                .filter(|job| job.is_listed())
                .min_by_key(|job| job.created_at)
                .map(|job| job.id.clone())
        })
        .await
    }

    async fn is_active(&self, _: &str) -> Result<bool, CallError> {
        call(
            &self.0,
            "batch:DescribeJobDefinitions",
            SdkRetries::On,
            |_| true,
        )
        .await
    }

    async fn submit(&self, request: JobRequest) -> Result<JobId, CallError> {
        for (name, value) in &request.environment {
            lock(&self.0).holds_no_token(name, value);
        }
        call(&self.0, "batch:SubmitJob", SdkRetries::Off, |world| {
            let number = world.jobs.len() + 1;
            let run = request.name.clone();
            let job = Job::submit(number, run, &mut world.random, &world.settings);
            let id = job.id.clone();
            world
                .trace
                .note(|| format!("Batch: {id} is for {}", request.name));
            world.jobs.insert(id.clone(), job);
            id
        })
        .await
    }

    async fn stop(&self, job: &JobId, reason: &str) -> Result<(), CallError> {
        stop(self, job, reason).await
    }
}

impl DescribeJobs for Services {
    async fn describe(&self, jobs: &[JobId]) -> Result<Vec<JobChange>, CallError> {
        call(&self.0, "batch:DescribeJobs", SdkRetries::On, |world| {
            let found = jobs.iter().filter_map(|job| world.jobs.get(job));
            found.map(Job::change).collect()
        })
        .await
    }

    async fn unfinished(&self) -> Result<Vec<(JobId, RunId)>, CallError> {
        call(&self.0, "batch:ListJobs", SdkRetries::On, |world| {
            let jobs = world.jobs.values();
            let unfinished = jobs.filter(|job| job.end.is_none() && job.is_listed());
            unfinished
                .map(|job| (job.id.clone(), job.run.clone()))
                .collect()
        })
        .await
    }
}

impl DescribeExecutions for Services {
    async fn state(&self, run: &RunId) -> Result<ExecutionState, CallError> {
        call(
            &self.0,
            "states:DescribeExecution",
            SdkRetries::On,
            |world| {
                world
                    .executions
                    .get(run)
                    .map_or(ExecutionState::Absent, Execution::state)
            },
        )
        .await
    }
}

impl RecentUploads for Services {
    async fn uploaded(&self, from: Timestamp, until: Timestamp) -> Result<Vec<Upload>, CallError> {
        call(&self.0, "s3:ListObjectVersions", SdkRetries::On, |world| {
            let uploads = world.uploads.iter();
            let recent = uploads.filter(|upload| upload.at >= from && upload.at < until);
            recent.cloned().collect()
        })
        .await
    }
}

async fn stop(services: &Services, job: &JobId, reason: &str) -> Result<(), CallError> {
    call(&services.0, "batch:TerminateJob", SdkRetries::On, |world| {
        world.stop_job(job, reason);
    })
    .await
}

impl StopJobs for Services {
    async fn stop(&self, job: &JobId, reason: &str) -> Result<(), CallError> {
        stop(self, job, reason).await
    }
}

impl JobLogs for Services {
    async fn last_lines(&self, _: &str) -> Result<Vec<String>, CallError> {
        call(&self.0, "logs:GetLogEvents", SdkRetries::On, |_| {
            vec!["Traceback (most recent call last):".to_owned()]
        })
        .await
    }
}

/// The statuses that the rule of `notify` lets through.
const MAILED: [&str; 5] = ["succeeded", "failed", "rejected", "cancelled", "registered"];

impl PublishEvents for Services {
    async fn publish(&self, events: &[Announcement]) -> Result<Vec<NotPublished>, CallError> {
        for event in events {
            let detail = serde_json::to_value(event).unwrap();
            put_event(self, event.detail_type(), detail).await?;
        }
        Ok(Vec::new())
    }
}

impl DeadLetters for Services {
    async fn send(&self, change: &Change) -> Result<(), announce_run::Error> {
        lock(&self.0).violated(format!("a change of the table cannot be read: {change:?}"));
        Ok(())
    }
}

async fn put_event(services: &Services, kind: &str, detail: Value) -> Result<(), CallError> {
    let event = json!({
        "detail-type": kind,
        "time": clock::whole_seconds(),
        "detail": detail,
    });
    call(&services.0, "events:PutEvents", SdkRetries::On, |world| {
        let status = event["detail"]["status"].as_str().unwrap_or_default();
        if MAILED.contains(&status) && !world.strikes(Fault::NoticeLost, status) {
            world.deliver(|world| &mut world.notices, &event);
        }
    })
    .await
}

impl Files for Services {
    async fn read(&self, _: &str, _: Option<&str>, _: u64) -> Result<Option<Vec<u8>>, CallError> {
        call(&self.0, "s3:GetObject", SdkRetries::On, |_| None).await
    }
}

impl KeySource for Services {
    async fn keys(&self, _: Timestamp) -> Result<LinkKeys, KeysError> {
        let secret = json!({ "current": "k1", "k1": "0123456789abcdef0123456789abcdef" });
        Ok(LinkKeys::parse(&secret.to_string())?)
    }
}

impl Mailer for Services {
    async fn send(
        &self,
        _: &str,
        recipient: &str,
        message: Vec<u8>,
        topic: &MailTopic,
        kind: MailKind,
    ) -> Result<String, SendError> {
        yield_once().await;
        let mut world = lock(&self.0);
        world.holds_no_token("a mail", &String::from_utf8_lossy(&message));
        let failed = |refused| SendError {
            error: CallError {
                call: "ses:SendRawEmail",
                transient: true,
                source: "simulated".into(),
            },
            refused,
        };
        if world.strikes(Fault::CallRefused, "ses:SendRawEmail") {
            return Err(failed(true));
        }
        let name = topic.mail_name(kind);
        world.trace.note(|| format!("SES: {name} to {recipient}"));
        world
            .mails
            .push((topic.id().to_owned(), name, recipient.to_owned()));
        if world.strikes(Fault::AnswerLost, "ses:SendRawEmail") {
            return Err(failed(false));
        }
        Ok(format!("message-{}", world.mails.len()))
    }
}
