//! The calls of a service of our own, with the caller's key, as the emulator records those of its
//! services: together they show everything that a role was used for.

use std::{
    collections::BTreeSet,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use axum::http::{HeaderMap, header::AUTHORIZATION};
use serde_json::json;

/// Name of the file of calls in a service's state folder: JSON lines of `accessKey`, `action` and
/// `resource`.
pub const CALLS_FILE: &str = "calls.jsonl";

/// A file of calls. Each action of each key is written once.
#[derive(Debug)]
pub(crate) struct Calls {
    file: PathBuf,
    known: Mutex<BTreeSet<(String, String)>>,
}

impl Calls {
    /// The calls that a service with this state folder answers from now on.
    pub(crate) fn in_folder(state: &Path) -> Self {
        let file = state.join(CALLS_FILE);
        // Keys of an earlier stack mean nothing in this one.
        let _ = std::fs::remove_file(&file);
        Self {
            file,
            known: Mutex::default(),
        }
    }

    /// Records an action and its caller, unless it is recorded. `headers` are the request's.
    pub(crate) fn add(&self, headers: &HeaderMap, action: &str) {
        let Some(key) = headers
            .get(AUTHORIZATION)
            .and_then(|it| it.to_str().ok())
            .and_then(access_key)
        else {
            return;
        };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.insert((key.to_owned(), action.to_owned())) {
            return;
        }
        // These services know no permissions, so that a call names no resource.
        let line = json!({ "accessKey": key, "action": action, "resource": "*" });
        let written = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.file)
            .and_then(|mut file| writeln!(file, "{line}"));
        if let Err(error) = written {
            tracing::warn!(%error, action, "a call could not be recorded");
        }
    }
}

/// The key that a request is signed with.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html>.
fn access_key(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split_once('/').map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn each_action_of_a_key_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let calls = Calls::in_folder(folder.path());
        let mut headers = HeaderMap::new();
        calls.add(&headers, "batch:SubmitJob");
        let signed = "AWS4-HMAC-SHA256 Credential=ASIA0001/20260301/eu-west-1/batch/aws4_request, \
                      SignedHeaders=host, Signature=0";
        headers.insert(AUTHORIZATION, signed.parse().unwrap());
        calls.add(&headers, "batch:SubmitJob");
        calls.add(&headers, "batch:SubmitJob");
        calls.add(&headers, "batch:ListJobs");
        let lines = fs::read_to_string(folder.path().join(CALLS_FILE)).unwrap();
        assert_eq!(lines.lines().count(), 2, "{lines}");
        assert!(lines.contains("\"accessKey\":\"ASIA0001\""), "{lines}");
    }
}
