//! The JSON 1.1 interface of AWS CodeBuild, and the faults beside it.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{
    core::Fault,
    error::ApiError,
    shell::Shell,
    wire::{SUPPORTED, TARGET},
};
use crate::service::server::{self, with_request_id};

/// The routes of the service.
pub(crate) fn router(shell: Arc<Shell>) -> Router {
    Router::new()
        .route("/", post(operation))
        .route(
            "/_dropcast/faults",
            get(list_faults).post(add_fault).delete(clear_faults),
        )
        .with_state(shell)
}

async fn list_faults(State(shell): State<Arc<Shell>>) -> Json<Value> {
    Json(json!({ "faults": shell.act(|core, _| core.faults()) }))
}

async fn add_fault(State(shell): State<Arc<Shell>>, body: Bytes) -> Response {
    match parsed::<Fault>(&body) {
        Ok(fault) => {
            shell.act(|core, _| core.add_fault(fault));
            (StatusCode::CREATED, Json(json!({}))).into_response()
        }
        Err(error) => refused(&error),
    }
}

async fn clear_faults(State(shell): State<Arc<Shell>>) -> Json<Value> {
    shell.act(|core, _| core.clear_faults());
    Json(json!({}))
}

async fn operation(State(shell): State<Arc<Shell>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .unwrap_or_default();
    let name = target.strip_prefix(TARGET).unwrap_or(target);
    if SUPPORTED.contains(&name) {
        shell.calls.add(&headers, &format!("codebuild:{name}"));
    }
    match call(&shell, name, &body) {
        Ok(answer) => in_json_1_1(StatusCode::OK, answer),
        Err(error) => refused(&error),
    }
}

fn call(shell: &Shell, name: &str, body: &[u8]) -> Result<Value, ApiError> {
    match name {
        "StartBuild" => {
            let request = parsed(body)?;
            shell.act(|core, now| core.start(request, now))
        }
        "StopBuild" => {
            let request = parsed(body)?;
            shell.act(|core, _| core.stop(&request))
        }
        "BatchGetBuilds" => {
            let request = parsed(body)?;
            shell.act(|core, _| core.describe(&request))
        }
        "ListBuildsForProject" | "ListBuilds" => {
            let request = parsed(body)?;
            shell.act(|core, _| core.list(&request, name == "ListBuildsForProject"))
        }
        "BatchGetProjects" => {
            let request = parsed(body)?;
            Ok(shell.act(|core, _| core.projects(&request)))
        }
        _ => Err(ApiError::Unknown(name.to_owned())),
    }
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    server::parsed(body).map_err(ApiError::Serialization)
}

fn refused(error: &ApiError) -> Response {
    let body = json!({ "__type": error.code(), "message": error.to_string() });
    in_json_1_1(StatusCode::BAD_REQUEST, body)
}

fn in_json_1_1(status: StatusCode, body: Value) -> Response {
    let mut response = (status, Json(body)).into_response();
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-amz-json-1.1"),
    );
    with_request_id(response)
}
