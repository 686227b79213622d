//! The real state machine over functions that answer what a test tells them.

use std::{
    collections::{BTreeMap, HashMap},
    io::Write as _,
    net::Ipv4Addr,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result, bail};
use aws_sdk_cloudformation::types::Capability;
use aws_sdk_s3::primitives::ByteStream;
use axum::{
    Json, Router,
    extract::{self, State},
    routing::post,
};
use serde_json::{Value, json};
use tokio::task::AbortHandle;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{Stack, programs, stack::until};

/// The bucket that the stack's own packages lie in.
pub const PACKAGES: &str = "dropcast-artifacts";
/// The functions that the state machine calls.
const ROLES: [&str; 5] = [
    "ValidateInputs",
    "SubmitJob",
    "TrackJob",
    "IndexOutputs",
    "FinishRun",
];
const MACHINE: &str = "state-machines/run.asl.json";
const PACKAGE: &str = "stand-ins/bootstrap.zip";

/// What a case's functions answer, and what they were asked.
#[derive(Debug, Default)]
struct Case {
    /// The answers of each function, one for each call; the last repeats.
    answers: Value,
    calls: BTreeMap<String, usize>,
    finish: Option<Value>,
}

type Cases = Arc<Mutex<HashMap<String, Case>>>;

/// The result of a case.
#[derive(Debug)]
pub struct StandInRun {
    /// The execution's status.
    pub execution: String,
    /// The execution's output, without the run's id.
    pub output: Option<Value>,
    /// Why it failed.
    pub cause: String,
    /// How often each function was called.
    pub calls: BTreeMap<String, usize>,
    /// The last event of finish-run, without the run's id.
    pub finish: Option<Value>,
}

/// The state machine with its stand-ins.
#[derive(Debug)]
pub struct StandIns {
    machine: String,
    cases: Cases,
    server: AbortHandle,
}

impl Drop for StandIns {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[derive(Clone)]
struct ServerState {
    cases: Cases,
    sfn: aws_sdk_sfn::Client,
}

impl StandIns {
    /// Deploys the state machine's own definition beside the stack, over functions that run
    /// `program`.
    pub async fn deploy(stack: &Stack, program: &Path) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?.to_string();
        let cases = Cases::default();
        let state = ServerState {
            cases: cases.clone(),
            sfn: stack.sfn.clone(),
        };
        let router = Router::new()
            .route("/{role}", post(answer))
            .with_state(state);
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        stack
            .s3
            .put_object()
            .bucket(PACKAGES)
            .key(PACKAGE)
            .body(ByteStream::from(package(program)?))
            .send()
            .await?;
        let outputs = stack
            .deploy_beside("stand-ins", &template(&address)?)
            .await?;
        Ok(Self {
            machine: outputs
                .get("Machine")
                .context("the state machine's ARN")?
                .clone(),
            cases,
            server: serving.abort_handle(),
        })
    }

    /// Runs one case to its end. `answers` holds a list for each function, as in
    /// `tests/asl/paths.json`.
    pub async fn run(&self, stack: &Stack, name: &str, answers: &Value) -> Result<StandInRun> {
        let case = Case {
            answers: answers.clone(),
            ..Case::default()
        };
        lock(&self.cases).insert(name.to_owned(), case);
        let ended = stack
            .executed(&self.machine, &json!({ "runId": name }))
            .await?;
        let case = lock(&self.cases).remove(name).unwrap_or_default();
        let output = ended.output.as_deref().map(serde_json::from_str::<Value>);
        Ok(StandInRun {
            execution: ended.status.as_str().to_owned(),
            output: output.transpose()?.map(without_run),
            cause: ended.cause.unwrap_or_default(),
            calls: case.calls,
            finish: case.finish,
        })
    }
}

/// Returns what a stand-in is to do.
async fn answer(
    State(state): State<ServerState>,
    extract::Path(role): extract::Path<String>,
    Json(event): Json<Value>,
) -> Json<Value> {
    let order = {
        let mut cases = lock(&state.cases);
        let case = event["runId"].as_str().and_then(|name| cases.get_mut(name));
        let Some(case) = case else {
            return Json(json!({ "fails": { "error": "NoSuchCase", "message": event } }));
        };
        let calls = case.calls.entry(role.clone()).or_default();
        *calls += 1;
        if role == "FinishRun" {
            case.finish = Some(without_run(event.clone()));
        }
        let answers = case.answers[&role].as_array();
        let last = answers.map_or(0, Vec::len).saturating_sub(1);
        answers
            .and_then(|answers| answers.get((*calls - 1).min(last)))
            .cloned()
    };
    let Some(order) = order else {
        return Json(json!({ "fails": { "error": "NotExpected", "message": role } }));
    };
    let Some(callback) = order.get("callback") else {
        return Json(order);
    };
    let token = event["taskToken"].as_str().unwrap_or_default();
    if let Err(error) = call_back(&state.sfn, token, callback).await {
        return Json(json!({ "fails": { "error": "CallbackRefused", "message": error } }));
    }
    Json(json!({ "answers": {} }))
}

async fn call_back(sfn: &aws_sdk_sfn::Client, token: &str, callback: &Value) -> Result<(), String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let done = if let Some(result) = callback.get("succeeds") {
        let success = sfn.send_task_success().task_token(token);
        let answer = success.output(result.to_string()).send().await;
        answer.map(drop).map_err(|error| format!("{error:?}"))
    } else if let Some(failure) = callback.get("fails") {
        let report = sfn.send_task_failure().task_token(token);
        let report = report
            .error(text(&failure["error"]))
            .cause(text(&failure["cause"]));
        let answer = report.send().await;
        answer.map(drop).map_err(|error| format!("{error:?}"))
    } else {
        // "none": there is no callback.
        Ok(())
    };
    done.inspect_err(|error| eprintln!("a callback was refused: {error}"))
}

fn without_run(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.remove("runId");
    }
    value
}

fn lock(cases: &Cases) -> std::sync::MutexGuard<'_, HashMap<String, Case>> {
    cases.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A function's package with this program in it.
fn package(program: &Path) -> Result<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .unix_permissions(0o755);
    let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    writer.start_file("bootstrap", options)?;
    writer.write_all(&std::fs::read(program)?)?;
    Ok(writer.finish()?.into_inner())
}

fn template(stand_ins: &str) -> Result<Value> {
    let definition = std::fs::read_to_string(programs::repository().join(MACHINE))?;
    let mut resources = json!({
        "FunctionsRole": role("lambda.amazonaws.com", "logs:*"),
        "MachineRole": role("states.amazonaws.com", "lambda:InvokeFunction"),
    });
    let mut substitutions = json!({});
    for name in ROLES {
        resources[name] = json!({
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "provided.al2023",
                "Handler": "bootstrap",
                "Timeout": 30,
                "Code": { "S3Bucket": PACKAGES, "S3Key": PACKAGE },
                "Role": { "Fn::GetAtt": ["FunctionsRole", "Arn"] },
                "Environment": { "Variables": { "DIRECTOR": stand_ins, "ROLE": name } },
            },
        });
        substitutions[format!("{name}Arn")] = json!({ "Fn::GetAtt": [name, "Arn"] });
    }
    resources["Machine"] = json!({
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "DefinitionString": definition,
            "DefinitionSubstitutions": substitutions,
            "RoleArn": { "Fn::GetAtt": ["MachineRole", "Arn"] },
        },
    });
    Ok(json!({
        "Resources": resources,
        "Outputs": { "Machine": { "Value": { "Ref": "Machine" } } },
    }))
}

/// A role for a template: one service may take it, and it allows one action.
pub fn role(service: &str, action: &str) -> Value {
    json!({
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Principal": { "Service": service },
                    "Action": "sts:AssumeRole",
                }],
            },
            "Policies": [{
                "PolicyName": "one-action",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }],
                },
            }],
        },
    })
}

impl Stack {
    /// Deploys a template beside the stack's own; returns its outputs.
    pub async fn deploy_beside(
        &self,
        name: &str,
        template: &Value,
    ) -> Result<BTreeMap<String, String>> {
        self.cloudformation
            .create_stack()
            .stack_name(name)
            .template_body(template.to_string())
            .capabilities(Capability::CapabilityIam)
            .send()
            .await?;
        until(&format!("the stack {name} stands"), || async {
            let describe = self.cloudformation.describe_stacks().stack_name(name);
            let stack = describe.send().await?.stacks.and_then(|mut all| all.pop());
            let stack = stack.context("the stack is gone")?;
            match stack.stack_status().map_or("", |status| status.as_str()) {
                "CREATE_COMPLETE" => {}
                status if status.ends_with("IN_PROGRESS") => return Ok(None),
                status => bail!("the stack {name} is {status}: {stack:?}"),
            }
            let outputs = stack.outputs.unwrap_or_default().into_iter();
            let named = outputs.filter_map(|one| Some((one.output_key?, one.output_value?)));
            Ok(Some(named.collect()))
        })
        .await
    }
}
