//! `dropcast doctor`: whether a stack can run models, and how to fix what it cannot.

mod canary;
mod checks;
mod queues;
mod snapshot;

use std::fmt::Write as _;

use dropcast_api_types::{Check, DoctorReport, Outcome};
use snapshot::StackSnapshot;

use crate::{
    args::Doctor,
    exit::Exit,
    messages,
    screen::{Screen, Style},
    stack::Stack,
};

/// Checks a stack; the exit code is 1 if a check failed.
pub async fn run(args: &Doctor, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let snapshot = StackSnapshot::load(stack).await?;
    let mut checks = Box::pin(checks::run_all(&snapshot)).await;
    let canary = canary::run(args.canary.as_deref(), args.timeout, stack, screen);
    checks.push(Box::pin(canary).await.or_else(canary::to_failed_check)?);
    let report = DoctorReport {
        stack: stack.name.clone(),
        healthy: checks.iter().all(|check| check.outcome != Outcome::Fail),
        checks,
    };
    screen.show(&report, |style| render(&report, style))?;
    Ok(if report.healthy {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn name_outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Warn => "warn",
        Outcome::Fail => "FAIL",
        Outcome::NotChecked => "–",
    }
}

fn style_outcome(outcome: Outcome, style: Style) -> String {
    let word = format!("{:4}", name_outcome(outcome));
    match outcome {
        Outcome::Ok => style.success(&word),
        Outcome::Warn => style.bold(&word),
        Outcome::Fail => style.failure(&word),
        Outcome::NotChecked => style.dim(&word),
    }
}

fn render(report: &DoctorReport, style: Style) -> String {
    let widest = report
        .checks
        .iter()
        .map(|check| check.name.as_str().len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for check in &report.checks {
        let message = messages::sanitize(&check.message);
        let outcome = style_outcome(check.outcome, style);
        let _ = writeln!(
            text,
            "{outcome}  {:widest$}  {message}",
            check.name.as_str()
        );
        if let Some(advice) = &check.advice {
            let advice = messages::sanitize(advice);
            let (advice, width) = (style.dim(&advice), widest + 8);
            let _ = writeln!(text, "{:width$}{advice}", "");
        }
    }
    let count = |outcome| {
        let of = |check: &&Check| check.outcome == outcome;
        report.checks.iter().filter(of).count() as u64
    };
    let counts = format!(
        "{}, {}, {} not checked.",
        messages::format_count(count(Outcome::Fail), "failure"),
        messages::format_count(count(Outcome::Warn), "warning"),
        count(Outcome::NotChecked)
    );
    let stack = messages::sanitize(&report.stack);
    let conclusion = if report.healthy {
        style.success(&format!("The stack {stack} is ready to run models"))
    } else {
        style.failure(&format!("The stack {stack} needs fixing"))
    };
    format!("{text}\n{conclusion}: {counts}\n")
}

#[cfg(test)]
mod tests {
    use dropcast_api_types::CheckName;

    use super::*;

    #[test]
    fn each_check_shows_its_outcome_and_advice() {
        let report = DoctorReport {
            stack: "dropcast".into(),
            healthy: false,
            checks: vec![
                Check::ok(CheckName::Stack, "It is deployed."),
                Check::fail(CheckName::Sender, "It is not verified.", "Verify it."),
                Check::not_checked(CheckName::Canary, "No file was sent."),
            ],
        };
        assert_eq!(
            render(&report, Style::plain(80)),
            "ok    stack   It is deployed.\n\
             FAIL  sender  It is not verified.\n              Verify it.\n\
             –     canary  No file was sent.\n\n\
             The stack dropcast needs fixing: 1 failure, 0 warnings, 1 not checked.\n"
        );
    }
}
