//! Invariant 7: task tokens and secrets never leave the table or the secret store.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use dropcast_domain::ids::RunId;
use dropcast_store::TaskTokens as _;
use dropcast_tests::Stack;

use crate::{
    checks::succeeded, command_line::dropcast, invariants::Gated, links::secret, world::scenarios,
};

scenarios![
    invariant_7_the_task_token_is_nowhere_but_in_its_item,
    invariant_7_the_link_signing_key_is_nowhere_but_in_its_secret,
];

/// Everything that can be read about a run and its deployment, by its place. The table is
/// not in it.
pub(crate) async fn haystack(stack: &Stack, run: &RunId) -> Result<Vec<(String, String)>> {
    let mut hay = Vec::new();
    let record = stack.record(run).await?;
    for (output, prefix) in [
        ("ResultsBucketName", record.keys().prefix().to_owned()),
        ("ResultsBucketName", "cache/".to_owned()),
        ("InputsBucketName", "inputs/gated/".to_owned()),
    ] {
        let bucket = stack.output(output)?;
        for key in stack.keys(bucket, &prefix).await? {
            let content = stack.object(bucket, &key).await?;
            hay.push((key, String::from_utf8_lossy(&content).into_owned()));
        }
    }
    for group in stack.log_groups().await? {
        let lines = stack.log(&group).await?;
        hay.push((group, lines.join("\n")));
    }
    for event in stack.events() {
        hay.push((
            format!("event {}", event.detail_type),
            event.whole.to_string(),
        ));
    }
    for mail in stack.mails().await? {
        hay.push((format!("mail {}", mail.message_id), stack.raw(&mail)?));
        hay.push(("mail, decoded".to_owned(), mail.text + &mail.html));
    }
    if let Some(job) = record.job {
        let job = stack.job(job.as_str()).await?;
        hay.push(("job".to_owned(), format!("{job:?}")));
    }
    let shown = dropcast(stack, &["show", run.as_str()]).await?;
    hay.push(("dropcast show".to_owned(), shown.document.to_string()));
    let state = &stack.connection().state;
    files(state, &mut |path, text| {
        hay.push((path.display().to_string(), text));
    })?;
    Ok(hay)
}

/// The small files of a folder: logs, listings, scripts. Packages and programs are left out.
fn files(folder: &Path, found: &mut impl FnMut(&Path, String)) -> Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        let (path, about) = (entry.path(), entry.metadata());
        // Jobs of other scenarios come and go meanwhile.
        let Ok(about) = about else { continue };
        if about.is_dir()
            && !["packages", "emulator"].contains(&&*entry.file_name().to_string_lossy())
        {
            files(&path, found)?;
        } else if about.is_file()
            && about.len() < 5_000_000
            && let Ok(content) = fs::read(&path)
        {
            found(&path, String::from_utf8_lossy(&content).into_owned());
        }
    }
    Ok(())
}

/// The items that contain a text, by partition and sort key.
async fn in_the_table(stack: &Stack, text: &str) -> Result<Vec<(String, String)>> {
    let mut pages = stack
        .table
        .scan()
        .table_name(stack.output("RunsTableName")?)
        .consistent_read(true)
        .into_paginator()
        .send();
    let mut places = Vec::new();
    while let Some(page) = pages.next().await {
        for item in page?.items.unwrap_or_default() {
            if format!("{item:?}").contains(text) {
                let key = |name: &str| {
                    let value = item.get(name).and_then(|value| value.as_s().ok());
                    value.cloned().unwrap_or_default()
                };
                places.push((key("PK"), key("SK")));
            }
        }
    }
    Ok(places)
}

fn is_nowhere(hay: &[(String, String)], needle: &str) -> Result<()> {
    let places: Vec<&str> = hay
        .iter()
        .filter(|(_, text)| text.contains(needle))
        .map(|(place, _)| place.as_str())
        .collect();
    ensure!(places.is_empty(), "it is in {places:?}");
    Ok(())
}

/// The search looks where things are: an allowed occurrence is found.
fn is_found_all_over(hay: &[(String, String)], run: &RunId) -> Result<()> {
    let mut sorts: BTreeMap<&str, usize> = BTreeMap::new();
    for (place, text) in hay {
        if text.contains(run.as_str()) {
            let sort = [
                "/aws/lambda/",
                "event",
                "mail",
                "job",
                "dropcast show",
                "runs/",
            ]
            .into_iter()
            .find(|sort| place.starts_with(sort));
            *sorts.entry(sort.unwrap_or("other")).or_default() += 1;
        }
    }
    ensure!(sorts.len() >= 6, "{sorts:?}");
    Ok(())
}

async fn invariant_7_the_task_token_is_nowhere_but_in_its_item(stack: &Stack) -> Result<()> {
    let gated = Gated::running(stack, "token").await?;
    let run = &gated.dropped.run;
    let token = stack
        .store
        .task_token(run)
        .await?
        .context("the run's token")?;
    ensure!(token.len() >= 32, "a token is long: {}", token.len());
    assert_eq!(
        in_the_table(stack, &token).await?,
        [(format!("TOKEN#{run}"), "TOKEN".to_owned())]
    );
    is_nowhere(&haystack(stack, run).await?, &token)?;
    gated.open()?;
    succeeded(&stack.ended(run).await?)?;
    stack.mail(run).await?;
    assert_eq!(
        in_the_table(stack, &token).await?,
        [],
        "it was deleted after use"
    );
    let hay = haystack(stack, run).await?;
    is_nowhere(&hay, &token)?;
    is_found_all_over(&hay, run)
}

async fn invariant_7_the_link_signing_key_is_nowhere_but_in_its_secret(
    stack: &Stack,
) -> Result<()> {
    let gated = Gated::running(stack, "key").await?;
    gated.open()?;
    let run = &gated.dropped.run;
    let ended = stack.ended(run).await?;
    succeeded(&ended)?;
    let mail = stack.mail(run).await?;
    ensure!(
        !crate::links::links_in(&mail.text).is_empty(),
        "a signed link"
    );
    let secret: serde_json::Value = serde_json::from_str(&secret(stack).await?)?;
    let key = secret["k1"].as_str().context("the key")?;
    // Within JSON texts quotation marks and backslashes would be escaped.
    let plain = key.split(['"', '\\', '\'', '<', '>', '&']);
    let longest = plain.max_by_key(|part| part.len()).context("the key")?;
    ensure!(longest.len() >= 8, "enough of it to look for");
    is_nowhere(&haystack(stack, run).await?, longest)?;
    assert_eq!(in_the_table(stack, longest).await?, []);
    Ok(())
}
