//! Opens a mailed link: checks it and redirects to the file.
//!
//! Opening a link any number of times is harmless, as mail scanners do.

mod config;
mod error;
mod event;
mod files;
mod pages;

pub use config::Config;
pub use dropcast_aws::secrets::{KeySource, SecretKeys};
use dropcast_domain::link::LinkKeys;
use dropcast_lambda_kit::telemetry;
use dropcast_store::Runs;
pub use error::Error;
pub use event::{Answer, OpenLink};
pub use files::Files;
use jiff::Timestamp;

#[derive(Debug)]
pub struct Deps<S, K, F> {
    pub store: S,
    pub keys: K,
    pub files: F,
    pub now: fn() -> Timestamp,
}

/// Returns a redirect to the file, or a page that says why it does not open.
pub async fn handle<S: Runs, K: KeySource, F: Files>(
    deps: &Deps<S, K, F>,
    request: OpenLink,
) -> Result<Answer, std::convert::Infallible> {
    let token = request.token();
    Ok(match open(deps, token).await {
        Ok(url) => {
            tracing::info!("link opened");
            Answer::redirect(url)
        }
        Err(Error::Link(reason)) => {
            tracing::info!(%reason, "link refused");
            pages::refused(reason)
        }
        Err(Error::Gone) => pages::gone(),
        Err(error) => {
            telemetry::log_failure(&error, "a link could not be opened");
            pages::try_later()
        }
    })
}

async fn open<S: Runs, K: KeySource, F: Files>(
    deps: &Deps<S, K, F>,
    token: &str,
) -> Result<String, Error> {
    let now = (deps.now)();
    let keys: LinkKeys = deps.keys.keys(now).await?;
    let link = keys.verify(token, now)?;
    let run = deps.store.get(&link.run).await?.ok_or(Error::Gone)?;
    link.check_epoch(run.links_epoch)?;
    let output = run.opened(&link.path).ok_or(Error::Gone)?;
    Ok(deps.files.url(&output).await?)
}
