//! `dropcast doctor`: whether a stack is fit to run models, and what to do where it is not.

mod canary;
mod checks;
mod patient;

use std::fmt::Write as _;

use serde::Serialize;

use crate::{
    args::Doctor,
    exit::Exit,
    screen::{Paint, Screen},
    stack::Stack,
    words,
};

use patient::Patient;

/// What a check came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// It works, and somebody should look at it.
    Warn,
    /// Runs fail, or nobody is notified of them, until it is fixed.
    Fail,
    /// It could not be asked for, or there is nothing to ask.
    NotChecked,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
            Self::NotChecked => "–",
        }
    }

    fn painted(self, paint: Paint) -> String {
        let word = format!("{:4}", self.word());
        match self {
            Self::Ok => paint.good(&word),
            Self::Warn => paint.bold(&word),
            Self::Fail => paint.bad(&word),
            Self::NotChecked => paint.dim(&word),
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What: `stack`, `sender` and so on.
    pub name: &'static str,
    /// What it came to.
    pub outcome: Outcome,
    /// How it stands, in sentences.
    pub message: String,
    /// What to do, where there is something to do.
    pub advice: Option<String>,
}

impl Check {
    fn new(name: &'static str, outcome: Outcome, message: impl Into<String>) -> Self {
        Self {
            name,
            outcome,
            message: message.into(),
            advice: None,
        }
    }

    fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Outcome::Ok, message)
    }

    fn not_checked(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, Outcome::NotChecked, message)
    }

    fn warn(name: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, Outcome::Warn, message).advice(advice)
    }

    fn fail(name: &'static str, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, Outcome::Fail, message).advice(advice)
    }

    fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// `doctor`: `schemas/cli/doctor.schema.json`.
#[derive(Debug, Serialize)]
pub struct Examined {
    /// The stack.
    pub stack: String,
    /// Whether no check failed.
    pub healthy: bool,
    /// Every check, in their order.
    pub checks: Vec<Check>,
}

/// Examines a stack; ends with 1 when a check failed.
pub async fn run(args: &Doctor, stack: &Stack, screen: Screen) -> anyhow::Result<Exit> {
    let patient = Patient::of(stack).await?;
    let mut checks = Box::pin(checks::all(&patient)).await;
    let canary = canary::run(args.canary.as_deref(), args.timeout, stack, screen);
    checks.push(Box::pin(canary).await.or_else(canary::failed)?);
    let examined = Examined {
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

fn text(examined: &Examined, paint: Paint) -> String {
    let widest = examined
        .checks
        .iter()
        .map(|check| check.name.len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for check in &examined.checks {
        let message = words::printable(&check.message);
        let outcome = check.outcome.painted(paint);
        let _ = writeln!(text, "{outcome}  {:widest$}  {message}", check.name);
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
    use super::*;

    #[test]
    fn each_check_says_how_it_stands_and_what_to_do() {
        let examined = Examined {
            stack: "dropcast".into(),
            healthy: false,
            checks: vec![
                Check::ok("stack", "It stands."),
                Check::fail("sender", "It is not verified.", "Verify it."),
                Check::not_checked("canary", "No file was sent."),
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
