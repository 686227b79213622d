//! Invoking a function as nothing else on this machine would in time.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::Stack;

impl Stack {
    /// Invokes a function of the template, by its name there, and gives its answer. What invokes
    /// it is a state machine of one state: a schedule would take minutes.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Value> {
        let resource = self
            .cloudformation
            .describe_stack_resource()
            .stack_name(&self.connection.stack_name)
            .logical_resource_id(function)
            .send()
            .await?;
        let name = resource
            .stack_resource_detail
            .and_then(|detail| detail.physical_resource_id)
            .with_context(|| format!("the function {function}"))?;
        let definition = json!({
            "QueryLanguage": "JSONata",
            "StartAt": "Invoke",
            "States": { "Invoke": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Arguments": { "FunctionName": name, "Payload": "{% $states.input %}" },
                "Output": "{% $states.result.Payload %}",
                "End": true,
            } }
        });
        let machine = self
            .sfn
            .create_state_machine()
            .name(format!("invoke-{function}"))
            .role_arn("arn:aws:iam::000000000000:role/nobody")
            .definition(definition.to_string())
            .send()
            .await?;
        let ended = self.executed(&machine.state_machine_arn, payload).await?;
        ensure!(ended.status.as_str() == "SUCCEEDED", "{ended:?}");
        let output = ended.output.context("an answer")?;
        Ok(serde_json::from_str(&output)?)
    }
}
