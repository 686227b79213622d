//! Opens the links of a mail as a browser would.

use std::path::Path;

use anyhow::Context as _;
use dropcast_api_types::{Download, OutputView, ReportedRun};
use reqwest::{StatusCode, header, redirect};
use sha2::{Digest as _, Sha256};

use super::{Teller, did_not_happen};
use crate::words;

/// How much of a link is shown, in characters.
const SHOWN: usize = 64;

/// Opens each link of ours in a mail and saves what comes. Every output of the
/// run has to come, unchanged.
pub(super) async fn open_all(
    told: &ReportedRun,
    folder: &Path,
    teller: Teller,
) -> anyhow::Result<Vec<Download>> {
    // The first answer is looked at, not followed; the machine's proxies are not asked.
    let client = reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .build()?;
    let mut downloads = Vec::new();
    for link in told.mail.links.iter().filter(|link| link.contains("/r/")) {
        let download = open(&client, link, told, folder).await?;
        teller.say(&line(&download, teller));
        downloads.push(download);
    }
    let missing = told
        .run
        .outputs
        .iter()
        .find(|output| !downloads.iter().any(|one| one.path == output.path));
    if let Some(output) = missing {
        let what = format!("The mail has no link to {}.", output.path);
        return Err(did_not_happen(&what, None));
    }
    teller.say(&format!("   saved in {}\n", folder.display()));
    Ok(downloads)
}

async fn open(
    client: &reqwest::Client,
    link: &str,
    told: &ReportedRun,
    folder: &Path,
) -> anyhow::Result<Download> {
    let wrong = |what: String| did_not_happen(&format!("The link {link} {what}."), None);
    let answer = client.get(link).send().await.context("opening a link")?;
    let status = answer.status();
    if status != StatusCode::FOUND {
        return Err(wrong(format!(
            "was answered with {status} and not with 302"
        )));
    }
    let location = answer
        .headers()
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| wrong("leads nowhere".to_owned()))?
        .to_owned();
    let file = client
        .get(&location)
        .send()
        .await
        .context("following a link")?;
    let followed = file.status();
    if !followed.is_success() {
        return Err(wrong(format!("leads to an answer of {followed}")));
    }
    let media_type = file
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let content = file.bytes().await.context("downloading an output")?;
    let sha256 = hex::encode(Sha256::digest(&content));
    let output = output_of(&told.run.outputs, &sha256)
        .ok_or_else(|| wrong("leads to something that is no output of the run".to_owned()))?;
    let name = output.path.rsplit('/').next().unwrap_or("output");
    let place = folder.join(dropcast_domain::upload::safe_file_name(name));
    std::fs::write(&place, &content).with_context(|| format!("writing {}", place.display()))?;
    Ok(Download {
        link: link.to_owned(),
        path: output.path.clone(),
        statuses: [status.as_u16(), followed.as_u16()],
        media_type,
        bytes: content.len() as u64,
        sha256,
        file: place,
    })
}

/// The output whose recorded digest is this content's.
fn output_of<'a>(outputs: &'a [OutputView], sha256: &str) -> Option<&'a OutputView> {
    outputs
        .iter()
        .find(|output| output.sha256.as_deref() == Some(sha256))
}

fn line(download: &Download, teller: Teller) -> String {
    let paint = teller.paint();
    let link: String = download.link.chars().take(SHOWN).collect();
    format!(
        "   {}\n     {} → {}  {}  {}",
        paint.dim(&format!("GET {link}…")),
        download.statuses[0],
        download.statuses[1],
        download.path,
        paint.dim(&format!(
            "{}, {}, SHA-256 as recorded",
            download.media_type,
            words::size(download.bytes)
        ))
    )
}
