//! One HTTP client for all services of a process, which needs certificates only where TLS is spoken.
//!
//! The SDK's own client reads the machine's certificates for every service client, used or not, and
//! for endpoints without TLS too. This one reads them at its first request over TLS, or not at all:
//! a local stack's endpoints are plain `http://`, and functions have theirs compiled in.

use std::sync::Arc;

use aws_smithy_http_client::{
    Builder,
    tls::{self, TlsContext, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    connector_metadata::ConnectorMetadata,
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
        SharedHttpConnector,
    },
    orchestrator::HttpRequest,
    runtime_components::RuntimeComponents,
};

/// A client that trusts these authorities. TLS is rustls over ring.
pub(crate) fn client(trusted: TlsContext) -> SharedHttpClient {
    SharedHttpClient::new(ByScheme {
        clients: Arc::new(Clients {
            https: Builder::new()
                .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
                .tls_context(trusted)
                .build_https(),
            http: Builder::new().build_http(),
        }),
    })
}

/// Each keeps its connections, and makes its connector at the first request.
#[derive(Debug)]
struct Clients {
    https: SharedHttpClient,
    http: SharedHttpClient,
}

#[derive(Debug)]
struct ByScheme {
    clients: Arc<Clients>,
}

impl HttpClient for ByScheme {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            clients: Arc::clone(&self.clients),
            settings: settings.clone(),
            components: components.clone(),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.clients.https.connector_metadata()
    }
}

/// Chooses by the scheme of each request: an endpoint may be set for one service alone.
#[derive(Debug)]
struct Connector {
    clients: Arc<Clients>,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = if is_plain(request.uri()) {
            &self.clients.http
        } else {
            &self.clients.https
        };
        client
            .http_connector(&self.settings, &self.components)
            .call(request)
    }
}

fn is_plain(uri: &str) -> bool {
    uri.get(.."http://".len())
        .is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://"))
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_plain_http_goes_without_certificates() {
        assert!(is_plain("http://127.0.0.1:4566"));
        assert!(is_plain("HTTP://127.0.0.1:4566"));
        for uri in ["https://s3.eu-west-1.amazonaws.com", "http:", "", "é"] {
            assert!(!is_plain(uri), "{uri}");
        }
    }
}
