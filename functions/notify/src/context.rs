//! Everything that the mails about one run or build say, loaded once for all recipients.

mod build;

use std::collections::BTreeMap;

use dropcast_aws::secrets::KeySource;
use dropcast_domain::{
    link::Link,
    mail::{MailKind, MailTopic},
    model::ModelName,
    output,
    problem::ProblemList,
    recipient,
    registry::RegisteredVersion,
    run::Run,
    status::Status,
};
use dropcast_mail::{
    ATTACHED_BYTES, CHART_BYTES, MailContent, MailInput, MarkedCopy, compose,
    mime::{Attachment, Chart, Email},
    render::{self, Rendered},
};
use dropcast_store::{History, MailKey, Mails, Models, Runs};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::{Deps, Error, Files, Mailer};

/// The largest input that is read to be shown in the mail, in bytes.
const SHOWN_INPUT_BYTES: u64 = 1_000_000;

/// The largest list of problems, in bytes: a hundred of them are far smaller.
const PROBLEMS_BYTES: u64 = 1_000_000;

/// What the mails about one run or build say, and who gets them.
pub(crate) struct MailContext {
    pub(crate) recipients: Vec<String>,
    content: MailContent,
    rendered: Rendered,
    chart: Option<Vec<u8>>,
    marked_copy: Option<Vec<u8>>,
}

impl MailContext {
    pub(crate) async fn load<S, F, K, M>(
        deps: &Deps<S, F, K, M>,
        run: &Run,
        kind: MailKind,
    ) -> Result<Self, Error>
    where
        S: Runs + Models + Mails + History,
        F: Files,
        K: KeySource,
        M: Mailer,
    {
        let now = (deps.now)();
        let version = registered(&deps.store, run).await?;
        let manifest = version.as_ref().map(|version| &version.spec.manifest);
        let own = manifest
            .map(|manifest| manifest.notify.recipients.as_slice())
            .unwrap_or_default();
        let config = &deps.config;
        let chosen = recipient::choose(
            &run.notify,
            own,
            &config.allowed_recipient_domains,
            &config.operator_address,
        );

        let inputs = match &run.input {
            // Of a table, the mail says how it was read; it does not repeat the cells.
            Some(input) if input.table.is_some() => None,
            Some(input) => json(
                deps.files
                    .read(&input.prepared_key, None, SHOWN_INPUT_BYTES)
                    .await?,
            ),
            None => None,
        };
        let problems: Option<ProblemList> = match run.status() {
            Status::Rejected => json(
                deps.files
                    .read(&run.keys().problems(), None, PROBLEMS_BYTES)
                    .await?,
            ),
            _ => None,
        };
        let log = if run.status() == Status::Failed {
            deps.store.log(&run.id).await?
        } else {
            Vec::new()
        };
        let marked_copy = if run.status() == Status::Rejected && run.marked {
            let key = run.keys().marked();
            deps.files.read(&key, None, ATTACHED_BYTES).await?
        } else {
            None
        };
        let (links, links_until) = links(deps, run, marked_copy.is_some(), now).await?;
        let copy = if marked_copy.is_some() {
            Some(MarkedCopy::Attached)
        } else {
            let link = links.get(output::MARKED_FILE);
            link.filter(|_| run.marked)
                .map(|link| MarkedCopy::Linked(link))
        };
        let schema: Option<Value> = version
            .as_ref()
            .and_then(|version| serde_json::from_str(&version.spec.input_schema).ok());

        let known = MailInput {
            run,
            model_title: manifest.map(|manifest| manifest.title.as_str()),
            schema: schema.as_ref(),
            inputs: inputs.as_ref(),
            problems: problems.as_ref(),
            copy,
            log: &log,
            links: &links,
            links_until,
            refused: &chosen.refused,
            operator_only: chosen.mailed == [config.operator_address.clone()]
                && chosen_nobody(run, own, &chosen.mailed),
            now,
        };
        let content = compose(kind, &known);
        let chart = match &content.chart {
            // The version that was published, which its link opens, and not what its key contains by now.
            Some(chart) => {
                let version = chart.version_id.as_deref();
                deps.files.read(&chart.key, version, CHART_BYTES).await?
            }
            None => None,
        };
        let rendered = render::render(&content, chart.is_some())?;
        Ok(Self {
            recipients: chosen.mailed,
            content,
            rendered,
            chart,
            marked_copy,
        })
    }

    /// What the mails are about.
    pub(crate) fn topic(&self) -> &MailTopic {
        &self.content.topic
    }

    /// The key of the mail to one recipient.
    pub(crate) fn mail_to(&self, recipient: &str) -> MailKey {
        MailKey {
            topic: self.content.topic.clone(),
            kind: self.content.kind,
            recipient: recipient.to_owned(),
        }
    }

    /// The mail to one recipient.
    pub(crate) fn email<'a>(
        &'a self,
        sender: &'a str,
        recipient: &'a str,
        date: Timestamp,
    ) -> Email<'a> {
        let chart = self.content.chart.as_ref().zip(self.chart.as_deref());
        Email {
            sender,
            recipient,
            content: &self.content,
            rendered: &self.rendered,
            chart: chart.map(|(row, bytes)| Chart {
                media_type: row.media_type,
                bytes,
            }),
            attachment: self.marked_copy.as_deref().map(|bytes| Attachment {
                file_name: output::MARKED_FILE,
                media_type: output::WORKBOOK,
                bytes,
            }),
            date,
        }
    }
}

/// Whether the operator is mailed because no recipient can be.
fn chosen_nobody(run: &Run, own: &[String], mailed: &[String]) -> bool {
    !run.notify.iter().chain(own).any(|wanted| {
        mailed
            .iter()
            .any(|address| address.eq_ignore_ascii_case(wanted))
    })
}

async fn registered<S: Models>(store: &S, run: &Run) -> Result<Option<RegisteredVersion>, Error> {
    match (run.version, run.request.model.parse::<ModelName>()) {
        (Some(version), Ok(model)) => Ok(store.version(&model, version).await?),
        _ => Ok(None),
    }
}

/// A link for each published output, or to a marked copy that is not attached, and when the
/// links die.
async fn links<S, F, K: KeySource, M>(
    deps: &Deps<S, F, K, M>,
    run: &Run,
    attached: bool,
    now: Timestamp,
) -> Result<(BTreeMap<String, String>, Option<Timestamp>), Error> {
    let paths: Vec<&str> = match run.status() {
        Status::Succeeded => run
            .outputs
            .iter()
            .map(|output| output.path.as_str())
            .collect(),
        Status::Rejected if run.marked && !attached => vec![output::MARKED_FILE],
        _ => Vec::new(),
    };
    if paths.is_empty() {
        return Ok((BTreeMap::new(), None));
    }
    let keys = deps.keys.keys(now).await?;
    let lifetime = SignedDuration::from_hours(24 * i64::from(deps.config.link_lifetime_days));
    // Counted from the run's end, so that a mail that is tried again says the same.
    let until = run
        .current
        .at
        .saturating_add(lifetime)
        .unwrap_or(Timestamp::MAX);
    let links = paths.into_iter().map(|path| {
        let link = Link {
            run: run.id.clone(),
            path: path.to_owned(),
            expires: until.as_second(),
            epoch: run.links_epoch,
        };
        (
            path.to_owned(),
            format!("{}/r/{}", deps.config.link_base_url, keys.sign(&link)),
        )
    });
    Ok((links.collect(), Some(until)))
}

/// A file of ours as JSON; what is not there or does not read is left out of the mail.
fn json<T: serde::de::DeserializeOwned>(content: Option<Vec<u8>>) -> Option<T> {
    content.and_then(|content| serde_json::from_slice(&content).ok())
}
