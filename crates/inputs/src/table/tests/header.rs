//! The header: names, and what is said of those that are wrong.

use super::*;

#[test]
fn a_wrong_header_gets_a_sentence_for_each_fault() {
    let spec = TableSpec::default();
    let known = "\"line\", \"month\", \"active\", \"growth\", \"unit\" and \"units\"";
    for (csv, expected) in [
        (
            "line,month,growht\nA,2026-01-31,1\n",
            vec!["At row 1, column growht: the column \"growht\" is not known. Did you mean \"growth\"?".to_owned()],
        ),
        (
            "line,month,colour\nA,2026-01-31,red\n",
            vec![format!("At row 1, column colour: the column \"colour\" is not known. Remove it; the columns are {known}.")],
        ),
        (
            "line,mnth\nA,2026-01-31\n",
            vec!["At row 1, column mnth: the column \"mnth\" is not known. Did you mean \"month\"?".to_owned()],
        ),
        (
            "line\nA\n",
            vec!["At row 1: the column \"month\" is missing. Add it to the header. Its cells contain a date such as 2026-01-31.".to_owned()],
        ),
        (
            "line,month,line\nA,2026-01-31,B\n",
            vec!["At row 1, column line: the column \"line\" appears twice in the header, as columns 1 and 3. Remove or rename one of them.".to_owned()],
        ),
        (
            "line,month,LINE\nA,2026-01-31,B\n",
            vec!["At row 1, column LINE: the column \"LINE\" appears twice in the header, as columns 1 and 3. Remove or rename one of them.".to_owned()],
        ),
        (
            "A,2026-01-31,5\nB,2026-02-28,6\n",
            vec![format!("At row 1: the first row must contain the column names, but it looks like values: \"A\", \"2026-01-31\", \"5\". Put a row with the names {known} above it.")],
        ),
        (
            "red,green\nA,B\n",
            vec![format!("At row 1: none of the names in this row is a known column: \"red\", \"green\". The columns are {known}.")],
        ),
        (
            "line,month,gro\u{202e}wth\nA,2026-01-31,1\n",
            vec!["At row 1, column gro\\u202ewth: the column's name \"gro\\u202ewth\" contains the invisible character U+202E. Write the name without it.".to_owned()],
        ),
        (
            "line,month,,growth\nA,2026-01-31,x,1\nB,2026-01-31,,1\nC,2026-01-31,y,1\n",
            vec!["2 cells are in a column without a name at row 1, cell 3: row 2 (\"x\"), row 4 (\"y\"). Give the column a name, or empty it.".to_owned()],
        ),
        (
            "\n , \n",
            vec!["The table is empty. Write the names of the columns in its first row and the values below.".to_owned()],
        ),
        (
            "line,month\n",
            vec!["There are no values below the header; at least 1 row must follow it.".to_owned()],
        ),
    ] {
        assert_eq!(messages(csv, &plan(), &spec), expected, "{csv}");
    }
}

fn growth() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["product_line", "year"],
        "properties": {
            "product_line": {"title": "Product line", "type": "string"},
            "year": {"title": "Year", "type": "integer"},
            "growth_percent": {"title": "Growth in percent", "type": "number"},
            "comment": {"title": "Comment", "type": "string"},
        }
    })
}

fn growth_needed() -> TableSpec {
    TableSpec {
        required_columns: vec!["growth_percent".into()],
        ..TableSpec::default()
    }
}

#[test]
fn a_column_that_is_meant_is_not_to_be_removed() {
    for name in ["growth", "Growth %", "Growth", "percent"] {
        let csv = format!("product_line,year,{name},colour\nA,2027,3,red\n");
        assert_eq!(
            messages(&csv, &growth(), &growth_needed()),
            [
                format!("At row 1, column {name}: the column \"{name}\" is not known. If \"growth_percent\" is meant, rename it to that."),
                "At row 1, column colour: the column \"colour\" is not known. Remove it; the columns are \"growth_percent\", \"product_line\", \"year\" and \"comment\".".to_owned(),
            ]
        );
    }
    for name in ["Growth rate", "Wachstum"] {
        let csv = format!("product_line,year,{name}\nA,2027,3\n");
        assert_eq!(
            messages(&csv, &growth(), &growth_needed()),
            [format!(
                "At row 1, column {name}: the column \"{name}\" is not known, and the column \"growth_percent\" is missing. If it is that column, rename it; otherwise remove it and add \"growth_percent\"."
            )]
        );
    }
    // Nothing is missing: it is one too many.
    let said = messages(
        "product_line,year,growth_percent,Growth rate\nA,2027,3,4\n",
        &growth(),
        &growth_needed(),
    );
    assert!(said[0].contains("Remove it"), "{said:?}");
}

#[test]
fn a_column_is_found_by_its_title_too() {
    let csv = "Product line,Year,growth in percent,COMMENT\nA,2027,3,\n";
    let (_, clean) = accepted(csv.as_bytes(), &growth(), &growth_needed());
    assert_eq!(
        clean,
        "product_line,year,growth_percent,comment\nA,2027,3,\n"
    );
    // Its own name goes before another's title, and a title that two have is none.
    let row = json!({"additionalProperties": false, "properties": {
        "a": {"title": "b"}, "b": {"title": "x"}, "c": {"title": "x"}
    }});
    let (_, clean) = accepted(b"a,b\n1,2\n", &row, &TableSpec::default());
    assert_eq!(clean, "a,b\n1,2\n");
    let said = messages("a,x\n1,2\n", &row, &TableSpec::default());
    assert!(
        said[0].contains("the column \"x\" is not known"),
        "{said:?}"
    );
}

/// The notes of the marked copy of a CSV file.
fn notes(csv: &[u8], rejected: &TableProblems, spec: &TableSpec) -> String {
    let mut copy = Cursor::new(Vec::new());
    let limits = Limits::default();
    mark(
        Cursor::new(csv),
        InputFormat::Csv,
        spec,
        rejected,
        &limits,
        &mut copy,
    )
    .unwrap();
    let mut archive = zip::ZipArchive::new(copy).unwrap();
    std::io::read_to_string(archive.by_name("xl/comments1.xml").unwrap()).unwrap()
}

#[test]
fn a_title_above_the_header_is_reported_with_the_row_of_the_names() {
    for (csv, above) in [
        (
            "Plan 2027 - confidential,,,\n,,,\nproduct_line,year,growth_percent,comment\nHardware,2027,4.5,\n",
            "rows 1 and 2",
        ),
        (
            "Plan 2027\n\nproduct_line;year;growth_percent;comment\nHardware;2027;4.5;\n",
            "rows 1 and 2",
        ),
        (
            "# exported 2026-11-23\nproduct_line,year,growth_percent\nA,2027,3\n",
            "row 1",
        ),
    ] {
        let row = if above == "row 1" { 2 } else { 3 };
        assert_eq!(
            messages(csv, &growth(), &growth_needed()),
            [format!(
                "At row 1: the first row must contain the column names, but they are in row {row}. Delete {above}."
            )]
        );
        let rejected = rejected(csv.as_bytes(), &growth(), &growth_needed());
        assert!(rejected.can_be_marked());
        let notes = notes(csv.as_bytes(), &rejected, &growth_needed());
        assert!(notes.contains("<comment ref=\"A1\""), "{notes}");
        assert!(notes.contains(&format!("are in row {row}")), "{notes}");
    }
}

#[test]
fn a_missing_column_is_marked_where_it_is_missing() {
    let csv = b"product_line,comment\nA,x\n";
    let rejected = rejected(csv, &growth(), &growth_needed());
    assert_eq!(rejected.problems.problems.len(), 2, "{}", rejected.problems);
    assert!(rejected.can_be_marked());
    let notes = notes(csv, &rejected, &growth_needed());
    for (cell, name) in [("C1", "year"), ("D1", "growth_percent")] {
        assert!(
            notes.contains(&format!("<comment ref=\"{cell}\"")),
            "{notes}"
        );
        assert!(
            notes.contains(&format!("The column &quot;{name}&quot; is missing here"))
                || notes.contains(&format!("The column \"{name}\" is missing here")),
            "{notes}"
        );
    }
}

#[test]
fn a_header_is_read_with_its_slips() {
    let row = json!({"required": ["growth_percent", "Product line"], "properties": {"growth_percent": {"type": "number"}, "Product line": {}}});
    let csv = "\u{feff}note,Growth Percent , PRODUCT_LINE,,\nx,1,A,,\n";
    let (accepted, clean) = accepted(csv.as_bytes(), &row, &TableSpec::default());
    assert_eq!(clean, "note,growth_percent,Product line\nx,1,A\n");
    assert_eq!(accepted.reading.column_count, 3);
}

#[test]
fn a_name_that_may_be_two_columns_is_neither() {
    let row = json!({"properties": {"ab": {}, "a b": {}}, "additionalProperties": false});
    assert_eq!(
        messages("ab,A-B\n1,2\n", &row, &TableSpec::default()),
        ["At row 1, column A-B: the column \"A-B\" is not known. Did you mean \"a b\"?"]
    );
}

#[test]
fn the_manifest_names_further_columns_and_the_header_s_row() {
    let row = json!({"properties": {"a": {}}});
    let spec = TableSpec {
        required_columns: vec!["b".into()],
        optional_columns: vec!["c".into()],
        header_row: Some(3),
        ..TableSpec::default()
    };
    let (_, clean) = accepted(b"Plan 2027\n\na,b,c\n1,,3\n", &row, &spec);
    assert_eq!(clean, "a,b,c\n1,,3\n");
    assert_eq!(
        messages("Plan\n\na,d\n1,2\n", &row, &spec),
        [
            "At row 3, column d: the column \"d\" is not known, and the column \"b\" is missing. If it is that column, rename it; otherwise remove it and add \"b\".",
        ]
    );
    assert_eq!(
        messages("Plan\n\n\na,b\n1,2\n", &row, &spec),
        ["Row 3 must contain the column names, but it is empty. Put them there."]
    );
    let closed = json!({"properties": {"a": {}}, "additionalProperties": false});
    let (_, clean) = accepted(b"\n\na,b,c\n1,,3\n", &closed, &spec);
    assert_eq!(clean, "a,b,c\n1,,3\n");
}

#[test]
fn a_column_that_only_has_a_default_is_appended() {
    let row = json!({"required": ["a", "b"], "properties": {"a": {}, "b": {"default": 7, "type": "integer"}}});
    let (accepted, clean) = accepted(b"a\nx\ny\n", &row, &TableSpec::default());
    assert_eq!(clean, "a,b\nx,7\ny,7\n");
    assert_eq!(accepted.reading.defaults[0].cells, 2);
}

#[test]
fn of_ten_thousand_wrong_names_a_hundred_are_listed_and_all_are_counted() {
    let mut properties = serde_json::Map::new();
    for index in 0..10_000 {
        properties.insert(
            format!("a_rather_long_column_name_{index}"),
            json!({"type": "number"}),
        );
    }
    let required: Vec<&String> = properties.keys().collect();
    let row =
        json!({"required": required, "properties": properties, "additionalProperties": false});
    let names: Vec<String> = (0..10_000)
        .map(|index| format!("another_rather_lang_calumn_{index}"))
        .collect();
    let csv = format!("a_rather_long_column_name_7;{}\n1\n", names[1..].join(";"));
    let found = rejected(csv.as_bytes(), &row, &TableSpec::default());
    assert_eq!(found.reading.unwrap().delimiter, Some(';'));
    assert_eq!(found.problems.problems.len(), 100);
    assert!(found.problems.total() >= 19_000);
}

#[test]
fn a_misspelled_column_in_the_manifest_is_reported() {
    let spec = TableSpec {
        key: vec!["line".into(), "mnth".into()],
        optional_columns: vec!["remark".into()],
        ..TableSpec::default()
    };
    assert_eq!(
        schema(&plan()).misspelt(&spec).to_string(),
        "At input.table.key: the row schema has no column \"mnth\". Did you mean \"month\"?"
    );
}
