//! Mails the people who wait for a run, or for a build.
//!
//! One mail per run or build, kind and recipient (invariant 5): each is built, claimed in
//! the table, handed to SES, and recorded as sent. Only a crash between the last
//! two can send one twice; such a second try is counted in the log.

mod config;
mod context;
mod error;
mod event;
mod files;
mod mailer;

use std::convert::Infallible;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
pub use config::Config;
use context::MailContext;
use dropcast_aws::secrets::KeySource;
use dropcast_domain::mail::{MailKind, MailTopic};
use dropcast_lambda_kit::batch;
use dropcast_mail::mime;
use dropcast_store::{Builds, Claim, DueMails, History, MailKey, Mails, Models, Runs};
pub use error::Error;
pub use event::{BuildNotice, Notice, RunNotice};
pub use files::Files;
use jiff::Timestamp;
pub use mailer::{Mailer, SendError, Ses};

#[derive(Debug)]
pub struct Deps<S, F, K, M> {
    pub store: S,
    pub files: F,
    pub keys: K,
    pub mailer: M,
    pub now: fn() -> Timestamp,
    pub config: Config,
}

/// Handles a batch of our own events: `Run Status Changed` and `Build Finished`.
pub async fn handle<S, F, K, M>(
    deps: &Deps<S, F, K, M>,
    event: SqsEvent,
) -> Result<SqsBatchResponse, Infallible>
where
    S: Runs + Models + Builds + Mails + DueMails + History,
    F: Files,
    K: KeySource,
    M: Mailer,
{
    Ok(batch::each(event, |notice: Notice| notify(deps, notice)).await)
}

async fn notify<S, F, K, M>(deps: &Deps<S, F, K, M>, notice: Notice) -> Result<(), Error>
where
    S: Runs + Models + Builds + Mails + DueMails + History,
    F: Files,
    K: KeySource,
    M: Mailer,
{
    // The record is what counts; the event only says that it is worth a look.
    let context = match notice {
        Notice::Run(RunNotice { run_id }) => {
            let Some(run) = deps.store.get(&run_id).await? else {
                tracing::warn!(run.id = %run_id, "the run no longer exists");
                return Ok(());
            };
            if let Some(kind) = MailKind::of(&run) {
                MailContext::load(deps, &run, kind).await?
            } else {
                if run.is_over() {
                    deps.store.settle_mails(&run_id).await?;
                }
                return Ok(());
            }
        }
        Notice::Build(BuildNotice { build_id }) => {
            let Some(build) = deps.store.build(&build_id).await? else {
                tracing::warn!(build.id = %build_id, "the build does not exist");
                return Ok(());
            };
            match MailContext::load_build(deps, &build).await? {
                Some(context) => context,
                None => return Ok(()),
            }
        }
    };
    let mut failures = Vec::new();
    for recipient in &context.recipients {
        let mail = context.mail_to(recipient);
        // One recipient whom SES refuses does not keep the mail from the others.
        if let Err(error) = mail_one(deps, &context, &mail).await {
            failures.push(error);
        }
    }
    if let Some(error) = Error::of_all(failures) {
        // The batch loop logs what it is answered, so all of them go there.
        return Err(error);
    }
    if let MailTopic::Run(run) = context.topic() {
        deps.store.settle_mails(run).await?;
    }
    Ok(())
}

async fn mail_one<S: Mails, F, K, M: Mailer>(
    deps: &Deps<S, F, K, M>,
    context: &MailContext,
    mail: &MailKey,
) -> Result<(), Error> {
    let now = (deps.now)();
    // Built before it is claimed: a claim that ends in no attempt to send would look like a lost answer.
    let message = mime::message(&context.email(&deps.config.sender_address, &mail.recipient, now))?;
    match deps.store.claim(mail, now).await? {
        Claim::Sent => return Ok(()),
        Claim::Held => return Err(Error::Held),
        Claim::Granted => {}
        Claim::Expired => {
            tracing::warn!(
                about = mail.topic.id(),
                "mail_possibly_repeated: the result of an earlier attempt is unknown"
            );
        }
    }
    match deps
        .mailer
        .send(
            &deps.config.sender_address,
            &mail.recipient,
            message,
            &mail.topic,
            mail.kind,
        )
        .await
    {
        Ok(message_id) => {
            deps.store.mark_sent(mail, &message_id, now).await?;
            let kind = mail.topic.mail_name(mail.kind);
            tracing::info!(about = mail.topic.id(), kind, %message_id, "mailed");
            Ok(())
        }
        Err(error) => {
            // What SES refused was not sent; what got no answer may have been, so its claim must expire.
            if error.refused {
                deps.store.release_claim(mail).await?;
            }
            Err(error.into())
        }
    }
}
