//! The HTTP request and answer, in API Gateway's payload format 2.0.
//!
//! See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The request, as far as it is used.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenLink {
    #[serde(default)]
    path_parameters: BTreeMap<String, String>,
}

impl OpenLink {
    pub fn new(token: &str) -> Self {
        Self {
            path_parameters: BTreeMap::from([("token".to_owned(), token.to_owned())]),
        }
    }

    /// The token in the path; empty where there is none, which no key signed.
    pub(crate) fn token(&self) -> &str {
        self.path_parameters.get("token").map_or("", String::as_str)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    pub status_code: u16,
    pub headers: BTreeMap<&'static str, String>,
    /// The page; empty for a redirect.
    pub body: String,
}

impl Answer {
    /// A redirect that must not be cached: the URL expires within minutes.
    pub(crate) fn redirect(url: String) -> Self {
        let headers = [
            ("location", url),
            ("cache-control", "no-store".to_owned()),
            ("referrer-policy", "no-referrer".to_owned()),
        ];
        Self {
            status_code: 302,
            headers: headers.into(),
            body: String::new(),
        }
    }

    pub(crate) fn page(status_code: u16, body: String) -> Self {
        let headers = [
            ("content-type", "text/html; charset=utf-8".to_owned()),
            ("cache-control", "no-store".to_owned()),
            (
                "content-security-policy",
                "default-src 'none'; style-src 'unsafe-inline'".to_owned(),
            ),
            ("x-content-type-options", "nosniff".to_owned()),
        ];
        Self {
            status_code,
            headers: headers.into(),
            body,
        }
    }
}
