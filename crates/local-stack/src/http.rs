//! Plain HTTP on this machine, for what is no AWS API.

use crate::Error;

/// A client that never leaves the machine: the shell's proxies are not used.
pub(crate) fn client() -> Result<reqwest::Client, Error> {
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .map_err(Error::call("preparing an HTTP client"))
}
