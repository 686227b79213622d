//! One HTTP client for all services of a process, which knows certificates only where TLS is spoken.
//!
//! Reading the machine's certificates costs milliseconds and megabytes. The SDK's own client does it
//! for every service client, used or not, and for endpoints without TLS too. This one does it once:
//! while the process starts, where Lambda grants a whole processor, and not at all when every
//! endpoint is plain `http://`, as in a local stack.

use std::sync::{Arc, Once};

use aws_smithy_http_client::{
    Builder,
    tls::{self, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        connector_metadata::ConnectorMetadata,
        http::{
            HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
            SharedHttpClient, SharedHttpConnector,
        },
        orchestrator::HttpRequest,
        runtime_components::{RuntimeComponents, RuntimeComponentsBuilder},
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use aws_types::endpoint_config::EndpointUrl;

/// The client. TLS is rustls over ring.
pub(crate) fn client() -> SharedHttpClient {
    SharedHttpClient::new(ByScheme {
        clients: Arc::new(Clients {
            https: Builder::new()
                .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
                .build_https(),
            http: Builder::new().build_http(),
        }),
        warmed: Once::new(),
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
    warmed: Once,
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

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        let endpoint = config.load::<EndpointUrl>();
        if endpoint.is_some_and(|endpoint| is_plain(&endpoint.0)) {
            return Ok(());
        }
        let mut valid = Ok(());
        self.warmed.call_once(|| {
            valid = self
                .clients
                .https
                .validate_base_client_config(components, config);
        });
        valid
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
