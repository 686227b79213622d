//! Real texts, as AWS documents and sends them, and the cause of each.

mod table;

use std::collections::BTreeSet;

use table::TEXTS;

use super::*;

/// Where a text appears.
#[derive(Clone, Copy)]
enum At {
    /// The status reason of a job that waits.
    Waiting,
    /// The reason of a task or container that did not start or has ended.
    Ended,
    /// The status reason of an invalid compute environment.
    Environment,
    /// A scaling activity.
    Scaling,
    /// The answer of `SubmitJob`.
    Refusal,
    /// The last line of a model that ended with 1.
    Line,
}

fn evidence(at: At, text: &str) -> Evidence {
    let lines = || Some(vec![text.to_owned()]);
    match at {
        At::Waiting => Evidence {
            status_reason: Some(text.to_owned()),
            ..waiting()
        },
        At::Ended => ended("Task failed to start", Some(text), None),
        At::Environment => Evidence {
            environments: Some(vec![ComputeEnvironment {
                valid: false,
                status_reason: Some(text.to_owned()),
                ..environment()
            }]),
            ..waiting()
        },
        At::Scaling => Evidence {
            scaling: lines().map(Ok),
            ..waiting()
        },
        At::Refusal => Evidence {
            refusal: Some(text.to_owned()),
            ..Evidence::default()
        },
        At::Line => Evidence {
            last_lines: lines(),
            ..ended("Essential container in task exited", None, Some(1))
        },
    }
}

/// The causes that a text tells, of all.
const TOLD_BY_TEXTS: usize = 47;

#[test]
fn every_text_has_its_cause() {
    for (at, text, cause) in TEXTS {
        let finding = diagnose(&evidence(*at, text));
        assert_eq!(finding.cause, *cause, "{text}: {finding:#?}");
        assert!(!finding.evidence.is_empty(), "{text}");
    }
}

#[test]
fn forty_seven_of_sixty_nine_causes_are_recognized_from_texts() {
    let causes: BTreeSet<Cause> = TEXTS.iter().map(|(_, _, cause)| *cause).collect();
    assert_eq!((causes.len(), Cause::ALL.len()), (TOLD_BY_TEXTS, 69));
    let rules: BTreeSet<Cause> = super::super::texts::rules()
        .into_iter()
        .map(|(_, cause)| cause)
        .collect();
    assert_eq!(rules, causes, "every cause that has a rule has a text");
}

#[test]
fn the_spelling_does_not_matter() {
    for (at, text, cause) in TEXTS {
        let variants = [
            text.to_uppercase(),
            text.replace('\'', "’").replace('’', "'"),
            text.replace('\'', "’"),
            text.replace("can't", "cannot").replace("can’t", "cannot"),
            text.replace("canceled", "cancelled"),
            text.replace(' ', "\n "),
        ];
        for variant in variants {
            assert_eq!(
                diagnose(&evidence(*at, &variant)).cause,
                *cause,
                "{variant}"
            );
        }
    }
}

#[test]
fn needles_are_spelled_as_texts_are_normalized() {
    for needle in super::super::texts::needles() {
        assert_eq!(
            super::super::texts::normalize(needle),
            needle.trim(),
            "{needle}"
        );
    }
}

#[test]
fn the_reason_of_a_queues_time_limit_is_the_cause() {
    for (at, text, cause) in TEXTS.iter().take(12) {
        if !matches!(at, At::Waiting) {
            continue;
        }
        for word in ["Canceled", "Cancelled", "Terminated"] {
            let text = format!("{word} by JobStateTimeLimit action due to reason: {text}");
            let finding = diagnose(&Evidence {
                stopped_on_request: Some(true),
                ..ended(&text, None, None)
            });
            assert_eq!(finding.cause, *cause, "{text}");
        }
    }
}

#[test]
fn a_persons_words_are_not_read_as_awss() {
    let finding = diagnose(&Evidence {
        stopped_on_request: Some(true),
        ..ended(
            "It waits for Fargate: Capacity is unavailable at this time",
            None,
            None,
        )
    });
    assert_eq!(finding.cause, Cause::Cancelled);
}

#[test]
fn a_text_that_nobody_knows_is_nobodys_request() {
    let finding = diagnose(&ended("Something new", None, None));
    assert_eq!(finding.certainty, Certainty::Undetermined);
    assert_eq!(
        finding.evidence,
        ["Job: Something new", "Job: Something new"]
    );
    let finding = diagnose(&ended("Something new", None, Some(143)));
    assert_eq!(finding.cause, Cause::Cancelled);
}
