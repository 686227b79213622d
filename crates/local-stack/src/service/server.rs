//! A server on 127.0.0.1 that answers as AWS's JSON services do.

use std::net::{Ipv4Addr, SocketAddr};

use axum::{
    Router,
    http::{HeaderName, HeaderValue},
    response::Response,
    serve::ListenerExt,
};
use serde::de::DeserializeOwned;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use uuid::Uuid;

use super::StartError;

/// A server that runs. Dropping it ends it at once.
#[derive(Debug)]
pub(crate) struct Server {
    endpoint: String,
    serving: JoinHandle<()>,
    stop: Option<oneshot::Sender<()>>,
}

impl Server {
    /// Listens on a port; 0 takes a free one. `name` is what the log calls the service.
    pub(crate) async fn start(
        name: &'static str,
        port: u16,
        router: impl FnOnce() -> Router,
    ) -> Result<Self, StartError> {
        let bind = async {
            let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
            let address = listener.local_addr()?;
            Ok((listener, address))
        };
        let (listener, address) = bind.await.map_err(|source| StartError::Listen {
            service: name,
            port,
            source,
        })?;
        let router = router();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(async move {
            // Answers are small; none waits for the acknowledgement of the one before it.
            let listener = listener.tap_io(|stream| {
                let _ = stream.set_nodelay(true);
            });
            let serving = axum::serve(listener, router).with_graceful_shutdown(async {
                let _ = stopped.await;
            });
            if let Err(error) = serving.await {
                tracing::error!(%error, "the local {name} no longer responds");
            }
        });
        Ok(Self {
            endpoint: format!("http://{address}"),
            serving,
            stop: Some(stop),
        })
    }

    /// Where it is, for example `http://127.0.0.1:40123`.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Answers what was asked already, and nothing more.
    pub(crate) fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// A request's body; one that is empty counts as an empty object.
pub(crate) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

/// Names the request, as every answer of AWS does.
pub(crate) fn with_request_id(mut response: Response) -> Response {
    if let Ok(id) = HeaderValue::from_str(&Uuid::new_v4().to_string()) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    response
}
