//! What a mail says of a table.

use super::*;

#[test]
fn a_rejected_table_shows_the_number_of_cells_with_each_problem() {
    let none = BTreeMap::new();
    let run = run(Status::Rejected);
    let many = Problem::with_message(
        "Plan!C7",
        "\"ten\"",
        "a number",
        "Column growth: 1214 cells are not numbers: C7 (\"ten\"), C9 and 1212 more.",
    )
    .with_count(1_214, ["Plan!C9"]);
    let one = Problem::new("row 7, column a/b", "an empty cell", "text");
    let problems = ProblemList {
        problems: vec![many, one],
        more: 5,
    };
    let content = composed(&MailInput {
        problems: Some(&problems),
        copy: Some(MarkedCopy::Attached),
        ..input(&run, &none)
    });
    let rows = &content.problems;
    assert_eq!(rows[0].place, "Plan!C7 and 1,213 more");
    assert_eq!(
        (rows[0].found.as_str(), rows[0].allowed.as_str()),
        ("\"ten\"", "a number")
    );
    assert!(rows[0].hint.starts_with("Column growth: 1214 cells"));
    assert_eq!(rows[1].place, "row 7, column a/b");
    assert_eq!(rows[1].hint, "");
    assert!(content.lead.contains("1,220 things"), "{}", content.lead);
    assert!(content.copy.unwrap().starts_with("The attached workbook"));
    assert_eq!(content.copy_link, None);
}

#[test]
fn a_marked_copy_behind_a_link_is_linked_if_a_browser_may_follow_it() {
    let none = BTreeMap::new();
    let run = run(Status::Rejected);
    for (link, shown) in [("https://links.example/r/x", true), ("javascript:x", false)] {
        let content = composed(&MailInput {
            copy: Some(MarkedCopy::Linked(link)),
            ..input(&run, &none)
        });
        assert_eq!(content.copy_link.as_deref() == Some(link), shown);
    }
}

#[test]
fn an_accepted_table_is_summarized_without_its_cells() {
    let none = BTreeMap::new();
    let mut run = run(Status::Succeeded);
    run.input.as_mut().unwrap().table = Some(dropcast_domain::table::TableReading {
        format: dropcast_domain::model::InputFormat::Xlsx,
        sheet: Some("Plan".into()),
        rows: 24,
        column_count: 2,
        columns: vec!["line".into(), "month".into()],
        delimiter: None,
        encoding: None,
        locale: None,
        defaults: Vec::new(),
        remarks: dropcast_domain::table::ReadingRemarks::default(),
    });
    let summary = composed(&input(&run, &none)).input.unwrap();
    let values: Vec<_> = summary.sections[0]
        .rows
        .iter()
        .map(|row| row.value.as_str())
        .collect();
    assert!(
        values.ends_with(&["Plan", "24 rows × 2 columns", "line, month"]),
        "{values:?}"
    );
}
