//! Runs of tables as `show` shows them.

mod support;

use dropcast_api_types::{RunDetail, RunDetailParts};
use dropcast_domain::{
    failure::{ErrorCode, Failure},
    model::{InputFormat, Locale, TableEncoding},
    problem::{Problem, ProblemList},
    run::Run,
    status::Status,
    table::{FilledColumn, ReadingRemarks, TableReading},
};
use dropcast_test_support::samples::{acceptance, new_run, now, step};
use serde_json::json;
use support::assert_fits;

fn parts(run: &Run) -> RunDetailParts {
    RunDetailParts {
        timeline: vec![run.current],
        ..RunDetailParts::default()
    }
}

#[test]
fn an_accepted_table_says_how_it_was_read() {
    let mut run = new_run("plan.csv");
    let mut input = acceptance(&run.id).input.unwrap();
    input.table = Some(TableReading {
        format: InputFormat::Csv,
        sheet: None,
        rows: 24,
        column_count: 2,
        columns: vec!["line".into(), "month".into()],
        delimiter: Some('\t'),
        encoding: Some(TableEncoding::Windows1252),
        locale: Some(Locale::DeDe),
        defaults: vec![FilledColumn {
            column: "month".into(),
            cells: 3,
        }],
        remarks: ReadingRemarks {
            short_rows: 2,
            ..ReadingRemarks::default()
        },
    });
    run.input = Some(input);
    let detail = RunDetail::of("local", &run, parts(&run), now());
    let document = serde_json::to_value(&detail).unwrap();
    assert_fits("run", &document);
    assert_eq!(document["reading"]["rows"], 24);
    assert_eq!(document["reading"]["delimiter"], "\t");
    assert_eq!(
        document["reading"]["remarks"],
        json!([
            "Short rows: 2 rows are shorter than the header; their missing cells count as empty"
        ])
    );
    assert_eq!(
        document["reading"]["defaults"],
        json!([{"at": "month", "count": 3}])
    );
}

#[test]
fn a_rejected_table_has_its_problems_by_group_and_a_marked_copy() {
    let mut run = new_run("plan.xlsx");
    run.marked = true;
    run.failure = Some(Failure::new(
        ErrorCode::InputRejected,
        "The file has 214 problems.",
    ));
    run.advance(step(0, Status::Rejected, 20));
    let problem = Problem::new("Plan!C7", "\"ten\"", "a number").with_count(214, ["Plan!C9"]);
    let parts = RunDetailParts {
        problems: ProblemList::of(problem),
        marked_copy: Some("https://s3.example/runs/x/marked.xlsx?X-Amz-Expires=300".into()),
        ..parts(&run)
    };
    let detail = RunDetail::of("local", &run, parts, now());
    let document = serde_json::to_value(&detail).unwrap();
    assert_fits("run", &document);
    assert_eq!(document["problems"][0]["count"], 214);
    assert_eq!(document["problems"][0]["others"], json!(["Plan!C9"]));
    assert_eq!(document["reading"], json!(null));
}
