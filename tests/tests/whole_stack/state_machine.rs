//! Every path of the state machine, over functions that answer as `tests/asl/paths.json` says.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use dropcast_tests::{Stack, programs, stand_ins::StandIns};
use libtest_mimic::Trial;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::world::scenario;

const PATHS: &str = "tests/asl/paths.json";
const PROGRAM: &str = env!("CARGO_BIN_EXE_stand-in");

pub(crate) fn scenarios() -> Vec<Trial> {
    let paths = match read() {
        Ok(paths) => paths,
        Err(error) => {
            let message = format!("{PATHS} does not read: {error:#}");
            return vec![Trial::test(
                "state_machine::paths_are_readable",
                move || Err(message.into()),
            )];
        }
    };
    paths
        .into_iter()
        .map(|path| {
            let name = path["name"].as_str().unwrap_or_default();
            let name = name.replace([' ', '\''], "_");
            scenario("state_machine", &name, move |stack| {
                ends_as_said(stack, path)
            })
        })
        .collect()
}

fn read() -> Result<Vec<Value>> {
    let text = fs::read_to_string(programs::repository().join(PATHS))?;
    let table: Value = serde_json::from_str(&text)?;
    let paths = table["paths"].as_array().context("paths")?.clone();
    ensure!(!paths.is_empty());
    Ok(paths)
}

async fn ends_as_said(stack: &Stack, path: Value) -> Result<()> {
    static STAND_INS: OnceCell<StandIns> = OnceCell::const_new();
    let stand_ins = STAND_INS
        .get_or_try_init(|| StandIns::deploy(stack, Path::new(PROGRAM)))
        .await?;
    let name = path["name"].as_str().context("a name")?;
    let result = stand_ins.run(stack, name, &path["functions"]).await?;
    let expected = &path["expect"];
    let shown = format!("{result:#?}");
    ensure!(
        result.execution == *expected["execution"].as_str().context("execution")?,
        "{shown}"
    );
    for (field, value) in [("finish", &result.finish), ("output", &result.output)] {
        if let Some(expected) = expected.get(field) {
            ensure!(
                value.as_ref() == Some(expected),
                "{field} is not {expected}\n{shown}"
            );
        }
    }
    if let Some(words) = expected["causeContains"].as_str() {
        ensure!(result.cause.contains(words), "no “{words}”\n{shown}");
    }
    let calls = serde_json::to_value(&result.calls)?;
    ensure!(calls == expected["calls"], "{}\n{shown}", expected["calls"]);
    Ok(())
}
