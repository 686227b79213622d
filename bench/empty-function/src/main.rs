//! A function that does nothing, for `make bench`: what a Rust function costs before it does
//! anything, and, in the place of all functions of a run, what the local stack itself takes for a run.

use std::{
    fs::OpenOptions,
    io::Write as _,
    time::{SystemTime, UNIX_EPOCH},
};

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

/// Names a file that every invocation adds a line to: when it began, in nanoseconds since 1970, in
/// which function, with which event. The event may hold a task token: only for a stack of its own.
const JOURNAL: &str = "EMPTY_FUNCTION_JOURNAL";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(answer)).await
}

/// Answers what any caller of a Dropcast function takes for "go on".
#[expect(
    clippy::disallowed_methods,
    reason = "The moment of the invocation is what this function is there for."
)]
async fn answer(invocation: LambdaEvent<Value>) -> Result<Value, Error> {
    let at = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    if let Some(path) = std::env::var_os(JOURNAL) {
        let line = json!({
            "at": at.to_string(),
            "function": invocation.context.env_config.function_name,
            "event": invocation.payload,
        });
        // One write for the whole line: several processes add to the file.
        let mut journal = OpenOptions::new().append(true).create(true).open(path)?;
        journal.write_all(format!("{line}\n").as_bytes())?;
    }
    // The local emulator waits 50 ms for the log of an invocation that prints nothing.
    eprintln!("invoked");
    Ok(json!({ "outcome": "accepted", "waitSeconds": 600, "batchItemFailures": [] }))
}
