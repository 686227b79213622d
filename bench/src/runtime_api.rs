//! A bare Lambda Runtime API, and a function that runs on it.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::{
    collections::BTreeMap,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::mpsc,
    task::JoinHandle,
};

use crate::machine;

/// The longest that a function may take to start.
const START_LIMIT: Duration = Duration::from_secs(20);
/// The longest that an invocation may take; Lambda's own limit.
const INVOCATION_LIMIT: Duration = Duration::from_mins(15);
const REQUEST_ID: &str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd";

/// Serves one function at a time.
pub(crate) struct RuntimeApi {
    address: String,
    receiver: mpsc::UnboundedReceiver<RuntimeEvent>,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    sender: mpsc::UnboundedSender<RuntimeEvent>,
    event: Mutex<Option<Value>>,
}

/// An event of the running function.
enum RuntimeEvent {
    /// It asked for an event and got none.
    Waits(Instant),
    /// It was given an event.
    Given(Instant),
    /// It answered, with a result or with an error.
    Answered(Instant, Result<Value, Value>),
}

/// A running function. Dropping it kills it.
pub(crate) struct Function(Child);

/// How an invocation went.
pub(crate) struct Invoked {
    /// From the event's way out to the answer's way in.
    pub(crate) took: Duration,
    /// What the function answered.
    pub(crate) answer: Value,
}

impl RuntimeApi {
    /// Serves on a free port of this machine.
    pub(crate) async fn serve() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let (sender, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            sender,
            event: Mutex::new(None),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route(
                "/2018-06-01/runtime/invocation/{id}/response",
                post(response),
            )
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            // Ends with the task.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            address,
            receiver,
            shared,
            server,
        })
    }

    /// Starts a function with nothing but this environment, and returns how long it took from the
    /// start of the process to its first request for an event, which it is not given.
    pub(crate) async fn start(
        &mut self,
        program: &Path,
        environment: &BTreeMap<&str, String>,
    ) -> anyhow::Result<(Function, Duration)> {
        let began = Instant::now();
        let mut function = self.spawn(program, environment, None)?;
        match self.next_event(&mut function, START_LIMIT).await? {
            RuntimeEvent::Waits(at) => Ok((function, at.duration_since(began))),
            _ => anyhow::bail!("{} sent an answer without an event", program.display()),
        }
    }

    /// Starts a function, gives it one event, and waits for its answer and for its request for the
    /// next one.
    pub(crate) async fn invoke(
        &mut self,
        program: &Path,
        environment: &BTreeMap<&str, String>,
        event: Value,
    ) -> anyhow::Result<(Function, Invoked)> {
        let mut function = self.spawn(program, environment, Some(event))?;
        let (mut given, mut answered) = (None, None);
        loop {
            match self.next_event(&mut function, INVOCATION_LIMIT).await? {
                RuntimeEvent::Given(at) => given = Some(at),
                RuntimeEvent::Answered(at, Ok(answer)) => answered = Some((at, answer)),
                RuntimeEvent::Answered(_, Err(error)) => {
                    anyhow::bail!("the function failed: {error}")
                }
                RuntimeEvent::Waits(_) => {
                    let (Some(given), Some((at, answer))) = (given, answered) else {
                        anyhow::bail!("the function passed its event over");
                    };
                    let took = at.duration_since(given);
                    return Ok((function, Invoked { took, answer }));
                }
            }
        }
    }

    fn spawn(
        &mut self,
        program: &Path,
        environment: &BTreeMap<&str, String>,
        event: Option<Value>,
    ) -> anyhow::Result<Function> {
        // What the function before it still said counts no more.
        while self.receiver.try_recv().is_ok() {}
        let mut next = self
            .shared
            .event
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *next = event;
        drop(next);
        let child = Command::new(program)
            .env_clear()
            .envs(environment)
            .env("AWS_LAMBDA_RUNTIME_API", &self.address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        Ok(Function(child))
    }

    async fn next_event(
        &mut self,
        function: &mut Function,
        limit: Duration,
    ) -> anyhow::Result<RuntimeEvent> {
        let event = tokio::select! {
            event = tokio::time::timeout(limit, self.receiver.recv()) => event,
            ended = function.0.wait() => anyhow::bail!("the function ended: {}", ended?),
        };
        event.ok().flatten().context("the function took too long")
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Function {
    /// The most memory that it has had so far, in bytes.
    pub(crate) fn peak_memory(&self) -> anyhow::Result<u64> {
        machine::peak_memory(self.pid()?)
    }

    /// The processor time that it has used so far.
    pub(crate) fn processor_time(&self) -> anyhow::Result<Duration> {
        machine::processor_time(self.pid()?)
    }

    /// Ends it.
    pub(crate) async fn end(mut self) -> anyhow::Result<()> {
        Ok(self.0.kill().await?)
    }

    fn pid(&self) -> anyhow::Result<u32> {
        self.0.id().context("the function has ended")
    }
}

/// Hands out the event if there is one; otherwise the request waits for ever, as in a function
/// that is not invoked.
async fn next(State(shared): State<Arc<Shared>>) -> impl IntoResponse {
    let at = Instant::now();
    let event = shared
        .event
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(event) = event else {
        let _ = shared.sender.send(RuntimeEvent::Waits(at));
        std::future::pending::<()>().await;
        return (HeaderMap::new(), Json(Value::Null));
    };
    let mut headers = HeaderMap::new();
    let mut put = |name, value: &str| {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    };
    put("lambda-runtime-aws-request-id", REQUEST_ID);
    put("lambda-runtime-deadline-ms", "9999999999999");
    put(
        "lambda-runtime-invoked-function-arn",
        "arn:aws:lambda:eu-west-1:000000000000:function:bench",
    );
    let _ = shared.sender.send(RuntimeEvent::Given(Instant::now()));
    (headers, Json(event))
}

async fn response(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    answered(&shared, Ok(&body))
}

async fn error(State(shared): State<Arc<Shared>>, body: Bytes) -> StatusCode {
    answered(&shared, Err(&body))
}

/// Functions send their answers without saying that they are JSON.
fn answered(shared: &Shared, body: Result<&Bytes, &Bytes>) -> StatusCode {
    let at = Instant::now();
    let read = |body: &Bytes| serde_json::from_slice(body).unwrap_or_default();
    let _ = shared
        .sender
        .send(RuntimeEvent::Answered(at, body.map(read).map_err(read)));
    StatusCode::ACCEPTED
}
