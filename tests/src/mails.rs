//! What the local SES was given.

use std::{
    fs,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use dropcast_domain::ids::RunId;
use dropcast_local_stack::Mail;
use tokio::sync::Mutex;

use crate::{Stack, stack::until};

/// How long a listing of the mails counts as fresh: many scenarios wait for theirs at once.
const FRESH: Duration = Duration::from_millis(150);

/// The mails as they were listed last.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(Mutex<Option<(Instant, Vec<Mail>)>>);

impl Stack {
    /// Every mail so far.
    pub async fn mails(&self) -> Result<Vec<Mail>> {
        let mut kept = self.mailbox.0.lock().await;
        if let Some((listed, mails)) = kept.as_ref()
            && listed.elapsed() < FRESH
        {
            return Ok(mails.clone());
        }
        // The time before the listing: what comes during it counts for the next one.
        let now = Instant::now();
        let mails = self.connection.mailbox().await?;
        *kept = Some((now, mails.clone()));
        Ok(mails)
    }

    /// The mails about a run so far.
    pub async fn mails_about(&self, run: &RunId) -> Result<Vec<Mail>> {
        let about = |mail: &Mail| mail.text.contains(run.as_str());
        Ok(self.mails().await?.into_iter().filter(about).collect())
    }

    /// The mails about a run, once there is one for each of so many recipients.
    pub async fn mailed(&self, run: &RunId, recipients: usize) -> Result<Vec<Mail>> {
        until(&format!("{recipients} mails about {run}"), || async {
            let mails = self.mails_about(run).await?;
            Ok((mails.len() >= recipients).then_some(mails))
        })
        .await
        .with_context(|| format!("the mails about {run}"))
    }

    /// The one mail about a run.
    pub async fn mail(&self, run: &RunId) -> Result<Mail> {
        let mut mails = self.mailed(run, 1).await?;
        anyhow::ensure!(mails.len() == 1, "one mail about {run}: {mails:#?}");
        mails.pop().context("a mail")
    }

    /// A mail as it went out, headers and all.
    pub fn raw(&self, mail: &Mail) -> Result<String> {
        let file = mail.file.as_ref().context("the mail's file")?;
        Ok(String::from_utf8_lossy(&fs::read(file)?).into_owned())
    }
}
