//! The `JSONata` expressions of the state machine, each as a function.
//!
//! An expression that is not listed here stops the simulation: one that is added to the state machine
//! is added here too.

use std::collections::BTreeMap;

use dropcast_domain::task::TaskAttempt;
use serde_json::{Map, Value, json};

/// What an expression may refer to.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope {
    pub(super) execution_input: Value,
    pub(super) input: Value,
    pub(super) result: Option<Value>,
    pub(super) error_output: Option<Value>,
    pub(super) token: Option<String>,
    pub(super) variables: BTreeMap<String, Value>,
    /// When the state was entered, and how often its task was retried.
    pub(super) attempt: Option<TaskAttempt>,
}

/// A value of the definition with its expressions evaluated. A field that an expression gives no
/// value is left out.
pub(super) fn evaluate(value: &Value, scope: &Scope) -> Value {
    match value {
        Value::String(text) => match text
            .strip_prefix("{%")
            .and_then(|text| text.strip_suffix("%}"))
        {
            Some(expression) => meaning(expression.trim(), scope).unwrap_or(Value::Null),
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| evaluate(item, scope)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| (name.clone(), evaluate(field, scope)))
            .filter(|(_, field)| !field.is_null())
            .collect::<Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// What an expression gives; none where `JSONata` gives nothing.
fn meaning(expression: &str, scope: &Scope) -> Option<Value> {
    let input = &scope.input;
    let run_id = &scope.execution_input["runId"];
    if let Some(name) = expression.strip_prefix('$')
        && let Some(value) = scope.variables.get(name)
    {
        return Some(value.clone());
    }
    if let Some(names) = expression
        .strip_prefix("$states.input.Error in [")
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let error = input["Error"].as_str()?;
        return Some(
            names
                .split(',')
                .any(|name| name.trim().trim_matches('\'') == error)
                .into(),
        );
    }
    if let Some((path, text)) = expression.split_once(" = ")
        && let Some(field) = path.strip_prefix("$states.input.")
        && text.starts_with('\'')
    {
        return Some((input[field] == text.trim_matches('\'')).into());
    }
    match expression {
        "$states.context.Execution.Input.runId" => Some(run_id.clone()),
        "$states.context.Task.Token" => scope.token.clone().map(Value::from),
        "$states.context.State.EnteredTime" => Some(json!(scope.attempt?.entered_at)),
        "$states.context.State.RetryCount" => Some(scope.attempt?.retry_count.into()),
        "$states.result" => scope.result.clone(),
        "$states.result.Payload" => scope
            .result
            .as_ref()
            .map(|result| result["Payload"].clone()),
        "$states.errorOutput" => scope.error_output.clone(),
        "{ 'status': 'rejected', 'code': $states.input.code, 'message': $states.input.message }" => {
            Some(
                json!({ "status": "rejected", "code": input["code"], "message": input["message"] }),
            )
        }
        "$merge([{ 'runId': $states.context.Execution.Input.runId }, $states.input])" => {
            let mut merged = Map::from_iter([("runId".to_owned(), run_id.clone())]);
            merged.extend(input.as_object().cloned().unwrap_or_default());
            Some(merged.into())
        }
        "{ 'runId': $states.context.Execution.Input.runId, 'status': $states.input.status, 'code': $states.input.code }" => {
            Some(json!({ "runId": run_id, "status": input["status"], "code": input["code"] }))
        }
        "$exists($states.input.Error) ? $string($states.input.Error) & ': ' & $string($states.input.Cause) : 'A function returned something that the state machine does not expect.'" => {
            Some(error_text(input).into())
        }
        "'The run could not be finished. ' & $string($states.errorOutput.Error) & ': ' & $string($states.errorOutput.Cause)" =>
        {
            let error = scope.error_output.as_ref()?;
            Some(format!("The run could not be finished. {}", error_text(error)).into())
        }
        text if text.starts_with("( $minutes := $ceil($waitSeconds / 60);") => {
            let minutes = scope.variables.get("waitSeconds")?.as_u64()?.div_ceil(60);
            Some(format!("The job did not end within {minutes} minutes.").into())
        }
        text if text.starts_with("( $cause := $trim($string($states.input.Cause));") => {
            let cause = input["Cause"].as_str()?;
            let parsed: Option<Value> = serde_json::from_str(cause).ok();
            let message =
                parsed.map_or(Value::from(cause), |parsed| parsed["errorMessage"].clone());
            Some(message)
        }
        path if path.starts_with("$states.input.") => {
            let field = path.trim_start_matches("$states.input.");
            input.get(field).cloned()
        }
        unknown => panic!("expressions.rs does not say what this means: {unknown}"),
    }
}

fn error_text(error: &Value) -> String {
    let text = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
    match error.get("Error") {
        Some(_) => format!("{}: {}", text("Error"), text("Cause")),
        None => "A function returned something that the state machine does not expect.".to_owned(),
    }
}
