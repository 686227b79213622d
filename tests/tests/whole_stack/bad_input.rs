//! Every bad input ends as one rejected run, in a plain sentence, in the record and in a mail.

use anyhow::{Context as _, Result, ensure};
use dropcast_domain::{
    failure::ErrorCode, problem::ProblemList, status::Status, upload::INPUTS_PREFIX,
};
use dropcast_tests::{OPERATOR, Stack, Upload};
use libtest_mimic::Trial;

use crate::{
    checks::{ended_with, fits, flat, is_a_sentence, is_the_only_run, reports_failure},
    world::scenario,
};

/// A file that is not accepted.
struct Bad {
    /// What is wrong with it, as the test's name.
    name: &'static str,
    /// Its key below `inputs/`.
    key: &'static str,
    content: fn() -> Vec<u8>,
    code: ErrorCode,
    /// Words of the sentences that say why.
    says: &'static [&'static str],
    /// The requested recipient; the operator without.
    notify: Option<&'static str>,
}

impl Bad {
    const fn new(
        name: &'static str,
        key: &'static str,
        content: fn() -> Vec<u8>,
        says: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            key,
            content,
            code: ErrorCode::InputRejected,
            says,
            notify: None,
        }
    }

    const fn code(self, code: ErrorCode) -> Self {
        Self { code, ..self }
    }

    const fn notify(self, address: &'static str) -> Self {
        Self {
            notify: Some(address),
            ..self
        }
    }
}

const HUNDRED_MEGABYTES: usize = 100_000_000;
const DEEP: usize = 1_000_000;

const ALL: &[Bad] = &[
    Bad::new(
        "a_file_of_100_megabytes_is_refused_by_its_size",
        "echo/large.json",
        || vec![b' '; HUNDRED_MEGABYTES],
        &["100000000 bytes", "at most 10485760 bytes"],
    )
    .code(ErrorCode::InputTooLarge),
    Bad::new(
        "an_empty_file_is_rejected",
        "echo/empty.json",
        Vec::new,
        &["The file is empty", "Fill it in"],
    )
    .notify("ana@corp.example"),
    Bad::new(
        "a_file_of_spaces_is_rejected",
        "echo/spaces.json",
        || b" \r\n\t ".to_vec(),
        &["The file is empty"],
    ),
    Bad::new(
        "a_letter_is_rejected",
        "echo/letter.json",
        || b"Dear Ana, the plan is as follows.".to_vec(),
        &["Line 1, column 1", "\"Dear\""],
    )
    .notify("bo@corp.test"),
    Bad::new(
        "a_workbook_in_disguise_is_rejected",
        "echo/workbook.json",
        || b"PK\x03\x04\x14\0\x06\0\x08\0".to_vec(),
        &["a zip archive or an Excel workbook"],
    ),
    Bad::new(
        "a_truncated_file_is_rejected",
        "echo/truncated.json",
        || br#"{"growth": [1, 2, {"year": 20"#.to_vec(),
        &["The file ends in the middle", "save or upload it again"],
    )
    .notify("ana@corp.example"),
    Bad::new(
        "invalid_utf8_is_rejected",
        "echo/latin1.json",
        || b"{\"name\": \"M\xfcller\"}".to_vec(),
        &["The file is not UTF-8", "0xFC", "\"ü\""],
    ),
    Bad::new(
        "half_a_character_of_utf16_is_rejected",
        "echo/utf16-cut.json",
        || vec![0xff, 0xfe, b'[', 0, b']'],
        &["UTF-16", "half of a character"],
    ),
    Bad::new(
        "a_million_levels_are_rejected",
        "echo/deep.json",
        || vec![b'['; DEEP],
        &["127 levels are allowed"],
    ),
    Bad::new(
        "a_million_levels_that_are_closed_again_are_rejected",
        "echo/deep-closed.json",
        || {
            let open = "{\"a\":".repeat(DEEP);
            (open + "1" + &"}".repeat(DEEP)).into_bytes()
        },
        &["127 levels are allowed"],
    ),
    Bad::new(
        "a_name_that_stands_twice_is_rejected",
        "echo/twice.json",
        || br#"{"year": 2027, "year": 2028}"#.to_vec(),
        &["/year", "appears twice", "Keep one of them."],
    ),
    Bad::new(
        "a_number_beyond_all_range_is_rejected",
        "echo/number.json",
        || br#"{"growth": 1e999}"#.to_vec(),
        &["1e999", "/growth", "Check its exponent."],
    ),
    Bad::new(
        "a_whole_number_that_would_lose_digits_is_rejected",
        "echo/digits.json",
        || br#"{"id": 123456789012345678901234567890}"#.to_vec(),
        &["123456789012345678901234567890", "quotation marks"],
    ),
    Bad::new(
        "what_breaks_the_models_rules_is_rejected_with_every_problem",
        "strict/rules.json",
        || br#"{"horizon_month": 6, "interval_percent": "wide", "growth": [1, null]}"#.to_vec(),
        &[
            "horizon_months",
            "interval_percent",
            "\"wide\"",
            "/growth/1",
        ],
    )
    .notify("ana@corp.example"),
    Bad::new(
        "five_hundred_problems_are_a_hundred_and_a_count",
        "strict/many.json",
        || {
            let growth = vec!["\"x\""; 500].join(",");
            format!(r#"{{"horizon_months": 6, "growth": [{growth}]}}"#).into_bytes()
        },
        &["500 problems", "/growth/99"],
    ),
    Bad::new(
        "a_wrong_extension_is_rejected",
        "echo/plan.csv",
        || b"year,growth\n2027,3\n".to_vec(),
        &["“plan.csv”", ".json"],
    )
    .notify("ana@corp.example"),
    Bad::new(
        "a_file_without_an_extension_is_rejected",
        "echo/plan",
        || b"{}".to_vec(),
        &["“plan”", ".json"],
    ),
    Bad::new(
        "a_file_called_dot_dot_is_rejected",
        "echo/folder/..",
        || b"{}".to_vec(),
        &[".json"],
    ),
    Bad::new(
        "an_unknown_model_is_rejected_with_a_suggestion",
        "strickt/plan.json",
        || b"{}".to_vec(),
        &["There is no model called “strickt”", "“strict”"],
    )
    .code(ErrorCode::ModelUnknown)
    .notify("ana@corp.example"),
    Bad::new(
        "a_model_that_is_no_name_is_rejected",
        "<b>Modell + é %\u{202e}/plan.json",
        || b"{}".to_vec(),
        &["There is no model called “<b>Modell + é %"],
    )
    .code(ErrorCode::ModelUnknown),
    Bad::new(
        "a_file_in_no_models_folder_is_rejected",
        "plan.json",
        || b"{}".to_vec(),
        &["directly under inputs/"],
    )
    .code(ErrorCode::ModelUnknown),
    Bad::new(
        "an_unknown_version_is_rejected",
        "echo@99/plan.json",
        || b"{}".to_vec(),
        &["echo has no version 99"],
    )
    .code(ErrorCode::VersionUnknown)
    .notify("ana@corp.example"),
    Bad::new(
        "a_version_that_is_no_number_is_rejected",
        "echo@latest/plan.json",
        || b"{}".to_vec(),
        &["“latest” is not a version"],
    )
    .code(ErrorCode::VersionUnknown),
    Bad::new(
        "a_version_that_is_written_in_another_way_is_rejected",
        "echo@v1/plan.json",
        || b"{}".to_vec(),
        &["“v1” is not a version; a version is a whole number from 1 to 999999"],
    )
    .code(ErrorCode::VersionUnknown),
];

pub(crate) fn scenarios() -> Vec<Trial> {
    ALL.iter()
        .map(|bad| scenario("bad_input", bad.name, move |stack| is_rejected(stack, bad)))
        .collect()
}

async fn is_rejected(stack: &Stack, bad: &Bad) -> Result<()> {
    stack.model("echo").await?;
    stack.model("strict").await?;
    let mut file = Upload::new("", "", (bad.content)());
    file.key = format!("{INPUTS_PREFIX}{}", bad.key);
    if let Some(address) = bad.notify {
        file = file.notify(address);
    }
    let (dropped, ended) = stack.run(&file).await?;
    ended_with(&ended, Status::Rejected, bad.code, &[])?;
    is_the_only_run(stack, &dropped).await?;
    let run = &ended.run;
    let way = [Status::Received, Status::Validating, Status::Rejected];
    ensure!(ended.statuses() == way, "{:?}", ended.statuses());
    ensure!(run.job.is_none() && run.input.is_none(), "{run:?}");

    let problems = stack.result(&run.keys().problems()).await?;
    fits("problems.schema.json", &serde_json::from_slice(&problems)?)?;
    let problems: ProblemList = serde_json::from_slice(&problems)?;
    ensure!(run.problem_count == Some(problems.total()));
    let mut said = vec![run.failure.as_ref().context("a failure")?.message.clone()];
    for problem in &problems.problems {
        is_a_sentence(&problem.message)?;
        said.push(problem.message.clone());
    }
    let said = said.join("\n");
    for words in bad.says {
        ensure!(said.contains(words), "no “{words}” in {said}");
    }

    let mail = stack.mail(&run.id).await?;
    reports_failure(&mail, &ended, bad.notify.unwrap_or(OPERATOR))?;
    if let Some(first) = problems.problems.first() {
        let text = flat(&mail.text);
        let shown = flat(&first.found);
        ensure!(text.contains(&shown), "no “{shown}” in {text}");
    }

    // Nothing that a user gave us is lost (invariant 6).
    let bucket = stack.output("InputsBucketName")?;
    let kept = stack.s3.head_object().bucket(bucket).key(&file.key);
    let kept = kept.send().await.context("the dropped file")?;
    ensure!(kept.content_length == i64::try_from(file.content.len()).ok());
    Ok(())
}
