//! Opens the links in a mail as a browser would.

use std::path::Path;

use anyhow::Context as _;
use dropcast_api_types::{Download, OutputView, ReportedRun};
use reqwest::{StatusCode, header, redirect};
use sha2::{Digest as _, Sha256};

use super::{Printer, demo_failed};
use crate::messages;

/// How much of a link is shown, in characters.
const MAX_LINK_CHARS: usize = 64;

/// Opens each link to an output and saves the file. Fails unless every output of the run
/// is downloaded unchanged.
pub(super) async fn open_all(
    reported: &ReportedRun,
    folder: &Path,
    printer: Printer,
) -> anyhow::Result<Vec<Download>> {
    // Redirects are followed by hand, so that their status can be shown; proxies are not used.
    let client = reqwest::Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .build()?;
    let mut downloads = Vec::new();
    for link in reported
        .mail
        .links
        .iter()
        .filter(|link| link.contains("/r/"))
    {
        let download = open(&client, link, reported, folder).await?;
        printer.print(&format_download(&download, printer));
        downloads.push(download);
    }
    let missing = reported
        .run
        .outputs
        .iter()
        .find(|output| !downloads.iter().any(|one| one.path == output.path));
    if let Some(output) = missing {
        let what = format!("The mail has no link to {}.", output.path);
        return Err(demo_failed(&what, None));
    }
    printer.print(&format!("   Saved in {}\n", folder.display()));
    Ok(downloads)
}

async fn open(
    client: &reqwest::Client,
    link: &str,
    reported: &ReportedRun,
    folder: &Path,
) -> anyhow::Result<Download> {
    let wrong = |what: String| demo_failed(&format!("The link {link} {what}."), None);
    let answer = client.get(link).send().await.context("opening a link")?;
    let status = answer.status();
    if status != StatusCode::FOUND {
        return Err(wrong(format!("returned {status} instead of 302")));
    }
    let location = answer
        .headers()
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(|| wrong("redirects to no location".to_owned()))?
        .to_owned();
    let file = client
        .get(&location)
        .send()
        .await
        .context("following a link")?;
    let followed = file.status();
    if !followed.is_success() {
        return Err(wrong(format!(
            "redirects to a response with status {followed}"
        )));
    }
    let media_type = file
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let content = file.bytes().await.context("downloading an output")?;
    let sha256 = hex::encode(Sha256::digest(&content));
    let output = find_output(&reported.run.outputs, &sha256)
        .ok_or_else(|| wrong("leads to a file that is not an output of the run".to_owned()))?;
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

/// The output with this recorded digest.
fn find_output<'a>(outputs: &'a [OutputView], sha256: &str) -> Option<&'a OutputView> {
    outputs
        .iter()
        .find(|output| output.sha256.as_deref() == Some(sha256))
}

fn format_download(download: &Download, printer: Printer) -> String {
    let style = printer.style();
    let link: String = download.link.chars().take(MAX_LINK_CHARS).collect();
    format!(
        "   {}\n     {} → {}  {}  {}",
        style.dim(&format!("GET {link}…")),
        download.statuses[0],
        download.statuses[1],
        download.path,
        style.dim(&format!(
            "{}, {}, SHA-256 as recorded",
            download.media_type,
            messages::format_size(download.bytes)
        ))
    )
}
