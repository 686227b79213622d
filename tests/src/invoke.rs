//! Invoking a function that on this machine nothing else would invoke in time.

use anyhow::{Context, Result};
use serde_json::json;

use crate::{Stack, stand_ins::role};

impl Stack {
    /// Deploys a state machine whose only state invokes a function of the template, by its name
    /// there; returns its ARN.
    pub async fn machine_that_invokes(&self, function: &str) -> Result<String> {
        let name = self.physical_id(function).await?;
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
        let template = json!({
            "Resources": {
                "Role": role("states.amazonaws.com", "lambda:InvokeFunction"),
                "Machine": {
                    "Type": "AWS::StepFunctions::StateMachine",
                    "Properties": {
                        "DefinitionString": definition.to_string(),
                        "RoleArn": { "Fn::GetAtt": ["Role", "Arn"] },
                    },
                },
            },
            "Outputs": { "Machine": { "Value": { "Ref": "Machine" } } },
        });
        let beside = format!("invokes-{function}");
        let mut outputs = self.deploy_beside(&beside, &template).await?;
        outputs.remove("Machine").context("the state machine's ARN")
    }
}
