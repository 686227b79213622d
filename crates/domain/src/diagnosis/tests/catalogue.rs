//! What holds for every cause.

use std::collections::BTreeSet;

use super::*;

/// Words that somebody who uploads a file need not know.
const JARGON: &[&str] = &[
    "batch",
    "ecs",
    "ecr",
    "ec2",
    "fargate",
    "iam",
    "vcpu",
    "arn",
    "vpc",
    "subnet",
    "queue's",
    "compute environment",
    "role",
    "job",
    "docker",
    "container",
    "task",
    "agent",
    "quota",
];

#[test]
fn the_facts_stand_in_the_order_of_the_causes() {
    for (index, cause) in Cause::ALL.into_iter().enumerate() {
        assert_eq!(cause.number(), index + 1);
        assert_eq!(cause.facts().cause, cause);
        assert!(!cause.facts().owners.is_empty(), "{cause:?}");
        assert_eq!(serde_json::to_value(cause).unwrap(), cause.as_str());
        assert!(cause.meaning().ends_with('.'), "{cause:?}");
    }
    let names: BTreeSet<_> = Cause::ALL.map(Cause::as_str).into();
    assert_eq!(names.len(), 69);
}

#[test]
fn the_causes_of_one_platform_are_those_that_only_it_has() {
    let numbers = |platform| -> Vec<usize> {
        let causes = Cause::ALL.into_iter();
        let only = causes.filter(|cause| cause.facts().platform == platform);
        only.map(Cause::number).collect()
    };
    assert_eq!(numbers(Platform::Fargate), [16, 17, 44, 45, 46]);
    let instances = [
        3, 4, 8, 9, 10, 12, 13, 14, 15, 18, 20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 51, 52, 56, 57,
    ];
    assert_eq!(numbers(Platform::Instances), instances);
}

#[test]
fn every_sentence_is_a_sentence_and_every_source_a_page_of_awss() {
    for cause in Cause::ALL {
        let facts = cause.facts();
        for sentence in [facts.sentence, facts.fix] {
            assert!(
                sentence.ends_with('.') && !sentence.contains(['\n', '…']),
                "{cause:?}"
            );
            assert!(
                sentence.starts_with(|c: char| c.is_uppercase()),
                "{cause:?}"
            );
        }
        if let Some(source) = facts.source {
            assert!(
                source.starts_with("https://docs.aws.amazon.com/"),
                "{source}"
            );
        }
    }
}

#[test]
fn no_finding_blames_the_uploader_for_what_is_not_theirs() {
    let mut theirs = Vec::new();
    for cause in Cause::ALL {
        let facts = cause.facts();
        if facts.owners.contains(&Owner::Uploader) {
            theirs.push(cause);
            continue;
        }
        let shown = Finding::certain(cause).for_uploader();
        for text in [facts.sentence, facts.fix, &shown] {
            let lower = text.to_lowercase();
            for blame in [
                "your file",
                "the file",
                "your input",
                "you ",
                "upload",
                "correct your",
            ] {
                let of_volumes = lower.replace("the file system", "");
                assert!(!of_volumes.contains(blame), "{cause:?}: {text}");
            }
        }
    }
    assert_eq!(theirs, [Cause::ModelFailed]);
}

#[test]
fn what_an_uploader_is_told_has_no_jargon() {
    for cause in Cause::ALL {
        let shown = Finding::certain(cause).for_uploader();
        assert!(shown.ends_with('.'), "{shown}");
        if cause == Cause::SubmitThrottled {
            continue; // Told to nobody: it ends by itself within minutes.
        }
        let words: Vec<_> = shown
            .to_lowercase()
            .split(|c: char| !c.is_alphanumeric() && c != '\'')
            .map(ToOwned::to_owned)
            .collect();
        for jargon in JARGON {
            let is_said = jargon
                .split(' ')
                .all(|part| words.iter().any(|word| word.trim_end_matches('s') == part));
            assert!(!is_said, "{cause:?} says {jargon}: {shown}");
        }
    }
}

#[test]
fn the_queue_itself_ends_three_causes_alone() {
    let ended: Vec<_> = Cause::ALL
        .into_iter()
        .filter(|cause| cause.has_queue_time_limit())
        .map(Cause::number)
        .collect();
    assert_eq!(ended, [7, 8, 12]);
}

#[test]
fn a_finding_reads_back() {
    let finding =
        Finding::likely(Cause::NoFreeAddresses).with_evidence("Subnets", "subnet-1\nsubnet-2");
    let text = serde_json::to_string(&finding).unwrap();
    assert_eq!(serde_json::from_str::<Finding>(&text).unwrap(), finding);
    assert_eq!(finding.evidence, ["Subnets: subnet-1 subnet-2"]);
}
