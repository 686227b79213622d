//! A Lambda function that asks the test what to do: answer, fail or crash.
//!
//! It speaks Lambda's Runtime API with nothing but sockets, so that it is built in a moment. See
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

fn main() -> Result<()> {
    let setting = |name: &str| {
        let value = std::env::var_os(name).with_context(|| format!("{name} is not set"))?;
        Ok::<_, anyhow::Error>(value.to_string_lossy().into_owned())
    };
    let runtime = setting("AWS_LAMBDA_RUNTIME_API")?;
    let (stand_ins, role) = (setting("DIRECTOR")?, setting("ROLE")?);
    loop {
        let event = call(&runtime, "GET", "/2018-06-01/runtime/invocation/next", b"")?;
        let id = event.request_id.context("an invocation has an id")?;
        // The emulator waits for a line of each invocation.
        eprintln!("{role} is called");
        let order = call(&stand_ins, "POST", &format!("/{role}"), &event.body)?;
        let order: Value = serde_json::from_slice(&order.body)?;
        let invocation = format!("/2018-06-01/runtime/invocation/{id}");
        if let Some(answer) = order.get("answers") {
            let path = format!("{invocation}/response");
            call(&runtime, "POST", &path, answer.to_string().as_bytes())?;
        } else if let Some(failure) = order.get("fails") {
            let error = serde_json::json!({
                "errorType": failure["error"],
                "errorMessage": failure["message"],
            });
            let path = format!("{invocation}/error");
            call(&runtime, "POST", &path, error.to_string().as_bytes())?;
        } else {
            bail!("told to crash");
        }
    }
}

struct Answer {
    request_id: Option<String>,
    body: Vec<u8>,
}

/// One HTTP request on a connection of its own.
fn call(host: &str, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
    let mut stream = TcpStream::connect(host).with_context(|| format!("connecting to {host}"))?;
    stream.set_nodelay(true)?;
    let mut request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend(body);
    stream.write_all(&request)?;
    let mut reader = BufReader::new(stream);
    let mut status = String::new();
    reader.read_line(&mut status)?;
    let (mut request_id, mut length) = (None, None);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "lambda-runtime-aws-request-id" => request_id = Some(value.trim().to_owned()),
            "content-length" => length = Some(value.trim().parse::<usize>()?),
            _ => {}
        }
    }
    let mut body = Vec::new();
    match length {
        Some(length) => {
            body.resize(length, 0);
            reader.read_exact(&mut body)?;
        }
        None => {
            reader.read_to_end(&mut body)?;
        }
    }
    if !status.contains(" 2") {
        bail!(
            "{method} {path}: {} {}",
            status.trim_end(),
            String::from_utf8_lossy(&body)
        );
    }
    Ok(Answer { request_id, body })
}
