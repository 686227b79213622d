//! The REST-JSON interface of AWS Batch, and the faults beside it.

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
    routing::get,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    core::faults::Fault,
    error::ApiError,
    service::Shell,
    wire::{
        operations,
        requests::{DeregisterJobDefinition, DescribeComputeEnvironments, DescribeJobQueues},
    },
};
use crate::service::server::{self, with_request_id};

/// The largest `SubmitJob` request that AWS takes:
/// <https://docs.aws.amazon.com/batch/latest/userguide/service_limits.html>.
const MAX_SUBMISSION: usize = 30 * 1024;

/// The routes of the service.
pub(crate) fn router(shell: Arc<Shell>) -> Router {
    Router::new()
        .route(
            "/_dropcast/faults",
            get(list_faults).post(add_fault).delete(clear_faults),
        )
        .fallback(operation)
        .with_state(shell)
}

async fn list_faults(State(shell): State<Arc<Shell>>) -> Json<Value> {
    Json(json!({ "faults": shell.act(|core, _| core.faults().to_vec()) }))
}

async fn add_fault(State(shell): State<Arc<Shell>>, body: Bytes) -> Response {
    let fault: Fault = match serde_json::from_slice(&body) {
        Ok(fault) => fault,
        Err(error) => return refused(&ApiError::Serialization(error.to_string())),
    };
    if let Some(problem) = fault.problem() {
        return refused(&ApiError::client(problem));
    }
    shell.act(|core, _| core.add_fault(fault));
    (StatusCode::CREATED, Json(json!({}))).into_response()
}

async fn clear_faults(State(shell): State<Arc<Shell>>) -> Json<Value> {
    shell.act(|core, _| core.clear_faults());
    Json(json!({}))
}

async fn operation(
    State(shell): State<Arc<Shell>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let answer = match operations::find_operation(method.as_str(), uri.path()) {
        Some((name, true)) => {
            shell.calls.add(&headers, &format!("batch:{name}"));
            // To tag what is made asks for a permission of its own.
            if operations::tags(name, &body) {
                shell.calls.add(&headers, "batch:TagResource");
            }
            call(&shell, name, &body)
        }
        Some((name, false)) => Err(ApiError::Unsupported(name.to_owned())),
        None => Err(ApiError::Unknown(format!("{method} {}", uri.path()))),
    };
    match answer {
        Ok(answer) => with_request_id((StatusCode::OK, Json(answer)).into_response()),
        Err(error) => refused(&error),
    }
}

fn call(shell: &Shell, name: &str, body: &[u8]) -> Result<Value, ApiError> {
    match name {
        "SubmitJob" => {
            if body.len() > MAX_SUBMISSION {
                return Err(ApiError::client(format!(
                    "The request has {} bytes; SubmitJob accepts at most {MAX_SUBMISSION}.",
                    body.len()
                )));
            }
            let request = parsed(body)?;
            answer(shell.act(|core, now| core.submit(request, now)))
        }
        "DescribeJobs" => {
            let request = parsed(body)?;
            answer(shell.act(|core, _| core.describe(&request)))
        }
        "ListJobs" => {
            let request = parsed(body)?;
            answer(shell.act(|core, _| core.list(&request)))
        }
        "TerminateJob" => {
            let request = parsed(body)?;
            shell.act(|core, now| core.terminate(&request, now))?;
            Ok(json!({}))
        }
        "CancelJob" => {
            let request = parsed(body)?;
            shell.act(|core, now| core.cancel(&request, now))?;
            Ok(json!({}))
        }
        "RegisterJobDefinition" => {
            let request = parsed(body)?;
            answer(shell.act(|core, _| core.register(request)))
        }
        "DeregisterJobDefinition" => {
            let request: DeregisterJobDefinition = parsed(body)?;
            shell.act(|core, _| core.deregister(request.job_definition.as_deref()))?;
            Ok(json!({}))
        }
        "DescribeJobDefinitions" => {
            let request = parsed(body)?;
            answer(shell.act(|core, _| core.describe_definitions(&request)))
        }
        "DescribeJobQueues" => {
            let request: DescribeJobQueues = parsed(body)?;
            Ok(shell.act(|core, _| core.describe_queues(request.job_queues.as_deref())))
        }
        "DescribeComputeEnvironments" => {
            let request: DescribeComputeEnvironments = parsed(body)?;
            let asked = request.compute_environments.as_deref();
            Ok(shell.act(|core, _| core.describe_compute_environments(asked)))
        }
        _ => Err(ApiError::Unsupported(name.to_owned())),
    }
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    server::parsed(body).map_err(ApiError::Serialization)
}

fn answer<T: Serialize>(answer: Result<T, ApiError>) -> Result<Value, ApiError> {
    serde_json::to_value(answer?).map_err(|error| ApiError::Serialization(error.to_string()))
}

fn refused(error: &ApiError) -> Response {
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let body = Json(json!({ "message": error.to_string() }));
    let mut response = (status, body).into_response();
    response.headers_mut().insert(
        HeaderName::from_static("x-amzn-errortype"),
        HeaderValue::from_static(error.code()),
    );
    with_request_id(response)
}
