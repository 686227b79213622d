//! `dropcast doctor`: whether a stack is fit to run models, and what to do where it is not.

mod canary;
mod checks;
mod patient;

use std::fmt::Write as _;

use dropcast_api_types::{Check, DoctorReport, Outcome};

use crate::{
    args::Doctor,
    exit::Exit,
    screen::{Paint, Screen},
    stack::Stack,
    words,
};

use patient::Patient;

/// Examines a stack; ends with 1 when a check failed.
pub async fn run(args: &Doctor, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let patient = Patient::of(stack).await?;
    let mut checks = Box::pin(checks::all(&patient)).await;
    let canary = canary::run(args.canary.as_deref(), args.timeout, stack, screen);
    checks.push(Box::pin(canary).await.or_else(canary::failed)?);
    let examined = DoctorReport {
        stack: stack.name.clone(),
        healthy: checks.iter().all(|check| check.outcome != Outcome::Fail),
        checks,
    };
    screen.show(&examined, |paint| text(&examined, paint))?;
    Ok(if examined.healthy {
        Exit::Done
    } else {
        Exit::Failed
    })
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Warn => "warn",
        Outcome::Fail => "FAIL",
        Outcome::NotChecked => "–",
    }
}

fn painted(outcome: Outcome, paint: Paint) -> String {
    let word = format!("{:4}", word(outcome));
    match outcome {
        Outcome::Ok => paint.good(&word),
        Outcome::Warn => paint.bold(&word),
        Outcome::Fail => paint.bad(&word),
        Outcome::NotChecked => paint.dim(&word),
    }
}

fn text(examined: &DoctorReport, paint: Paint) -> String {
    let widest = examined
        .checks
        .iter()
        .map(|check| check.name.as_str().len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for check in &examined.checks {
        let message = words::printable(&check.message);
        let outcome = painted(check.outcome, paint);
        let _ = writeln!(
            text,
            "{outcome}  {:widest$}  {message}",
            check.name.as_str()
        );
        if let Some(advice) = &check.advice {
            let advice = words::printable(advice);
            let (advice, width) = (paint.dim(&advice), widest + 8);
            let _ = writeln!(text, "{:width$}{advice}", "");
        }
    }
    let count = |outcome| {
        let of = |check: &&Check| check.outcome == outcome;
        examined.checks.iter().filter(of).count() as u64
    };
    let told = format!(
        "{}, {}, {} not checked.",
        words::counted(count(Outcome::Fail), "failure"),
        words::counted(count(Outcome::Warn), "warning"),
        count(Outcome::NotChecked)
    );
    let stack = words::printable(&examined.stack);
    let verdict = if examined.healthy {
        paint.good(&format!("The stack {stack} is fit to run models"))
    } else {
        paint.bad(&format!("The stack {stack} needs fixing"))
    };
    format!("{text}\n{verdict}: {told}\n")
}

#[cfg(test)]
mod tests {
    use dropcast_api_types::CheckName;

    use super::*;

    #[test]
    fn each_check_says_how_it_stands_and_what_to_do() {
        let examined = DoctorReport {
            stack: "dropcast".into(),
            healthy: false,
            checks: vec![
                Check::ok(CheckName::Stack, "It stands."),
                Check::fail(CheckName::Sender, "It is not verified.", "Verify it."),
                Check::not_checked(CheckName::Canary, "No file was sent."),
            ],
        };
        assert_eq!(
            text(&examined, Paint::plain(80)),
            "ok    stack   It stands.\n\
             FAIL  sender  It is not verified.\n              Verify it.\n\
             –     canary  No file was sent.\n\n\
             The stack dropcast needs fixing: 1 failure, 0 warnings, 1 not checked.\n"
        );
    }
}
