//! Invariant 8: a function can do what its role allows, and nothing else. The stack runs with the
//! roles in force, so that every other scenario shows that they allow enough; here it is shown that
//! they are in force. `aftermath` looks for refusals in all logs.

use anyhow::{Context as _, Result, ensure};
use aws_sdk_s3::config::Credentials;
use dropcast_tests::{
    Stack,
    stand_ins::{PACKAGES, role},
};
use serde_json::json;

use crate::world::scenarios;

scenarios![
    invariant_8_a_function_is_refused_what_its_role_does_not_allow,
    invariant_8_strangers_are_refused,
];

async fn invariant_8_a_function_is_refused_what_its_role_does_not_allow(
    stack: &Stack,
) -> Result<()> {
    // The real finish-run, with a role that does not know the table.
    let keys = stack.keys(PACKAGES, "functions/finish-run-").await?;
    let package = keys.first().context("finish-run's package")?;
    let definition = json!({
        "StartAt": "Ask",
        "States": {
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:::lambda:invoke",
                "Parameters": { "FunctionName": "${Function}", "Payload.$": "$" },
                "End": true,
            },
        },
    });
    let template = json!({
        "Resources": {
            "FunctionRole": role("lambda.amazonaws.com", "logs:*"),
            "MachineRole": role("states.amazonaws.com", "lambda:InvokeFunction"),
            "Function": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "FunctionName": "refused-finish-run",
                    "Runtime": "provided.al2023",
                    "Handler": "bootstrap",
                    "Timeout": 15,
                    "Code": { "S3Bucket": PACKAGES, "S3Key": package },
                    "Role": { "Fn::GetAtt": ["FunctionRole", "Arn"] },
                    "Environment": {
                        "Variables": { "RUNS_TABLE": stack.output("RunsTableName")? },
                    },
                },
            },
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "DefinitionString": definition.to_string(),
                    "DefinitionSubstitutions": {
                        "Function": { "Fn::GetAtt": ["Function", "Arn"] },
                    },
                    "RoleArn": { "Fn::GetAtt": ["MachineRole", "Arn"] },
                },
            },
        },
        "Outputs": { "Machine": { "Value": { "Ref": "Machine" } } },
    });
    let outputs = stack.deploy_beside("refused", &template).await?;
    let input = json!({ "runId": "mfrggzdfmztwq2lknnwg23tpoa", "status": "failed" });
    let machine = outputs.get("Machine").context("the state machine")?;
    let ended = stack.executed(machine, &input).await?;
    assert_eq!(ended.status.as_str(), "FAILED");
    assert_eq!(ended.error.as_deref(), Some("Internal"));
    let cause = ended.cause.unwrap_or_default();
    ensure!(cause.contains("AccessDenied"), "{cause}");
    let lines = stack.log("/aws/lambda/refused-finish-run").await?;
    ensure!(
        lines.iter().any(|line| line.contains("AccessDenied")),
        "{lines:?}"
    );
    Ok(())
}

async fn invariant_8_strangers_are_refused(stack: &Stack) -> Result<()> {
    let stranger = Credentials::new("AKIASTRANGER00000000", "guessed", None, None, "tests");
    let config = aws_sdk_s3::config::Builder::from(&stack.connection().sdk_config())
        .credentials_provider(stranger)
        .build();
    let stranger = aws_sdk_s3::Client::from_conf(config);
    let list = stranger.list_objects_v2();
    let answer = list.bucket(stack.output("ResultsBucketName")?).send().await;
    ensure!(answer.is_err(), "a stranger may list results: {answer:?}");
    Ok(())
}
