//! The header: names, and what is said of those that are wrong.

use super::*;

#[test]
fn a_wrong_header_gets_a_sentence_for_each_fault() {
    let spec = TableSpec::default();
    let known = "\"active\", \"growth\", \"line\", \"month\", \"unit\" and \"units\"";
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
            vec!["At row 1: the column \"month\" is missing. Add it to the header. Its cells hold a date such as 2026-01-31.".to_owned()],
        ),
        (
            "line,month,line\nA,2026-01-31,B\n",
            vec!["At row 1, column line: the column \"line\" stands in the header twice, as columns 1 and 3. Remove or rename one of them.".to_owned()],
        ),
        (
            "line,month,LINE\nA,2026-01-31,B\n",
            vec!["At row 1, column LINE: the column \"LINE\" stands in the header twice, as columns 1 and 3. Remove or rename one of them.".to_owned()],
        ),
        (
            "A,2026-01-31,5\nB,2026-02-28,6\n",
            vec![format!("At row 1: the first row must hold the names of the columns, but it looks like values: \"A\", \"2026-01-31\", \"5\". Put a row with the names {known} above it.")],
        ),
        (
            "red,green\nA,B\n",
            vec![format!("At row 1: none of the names in this row is a known column: \"red\", \"green\". The columns are {known}.")],
        ),
        (
            "line,month,gro\u{202e}wth\nA,2026-01-31,1\n",
            vec!["At row 1, column gro\\u202ewth: the column's name \"gro\\u202ewth\" holds the invisible character U+202E. Write the name without it.".to_owned()],
        ),
        (
            "line,month,,growth\nA,2026-01-31,x,1\nB,2026-01-31,,1\nC,2026-01-31,y,1\n",
            vec!["2 cells stand in a column that has no name at row 1, cell 3: row 2 (\"x\"), row 4 (\"y\"). Give the column a name, or empty it.".to_owned()],
        ),
        (
            "\n , \n",
            vec!["The table is empty. Write the names of the columns in its first row and the values below.".to_owned()],
        ),
        (
            "line,month\n",
            vec!["There are no values below the header; at least 1 row must be there.".to_owned()],
        ),
    ] {
        assert_eq!(messages(csv, &plan(), &spec), expected, "{csv}");
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
            "At row 3, column d: the column \"d\" is not known. Remove it; the columns are \"a\", \"b\" and \"c\".",
            "At row 3: the column \"b\" is missing. Add it to the header. Its cells hold text.",
        ]
    );
    assert_eq!(
        messages("Plan\n\n\na,b\n1,2\n", &row, &spec),
        ["Row 3 must hold the names of the columns, but it is empty. Put them there."]
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
fn ten_thousand_wrong_names_are_told_quickly() {
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
    let start = std::time::Instant::now();
    let found = rejected(csv.as_bytes(), &row, &TableSpec::default());
    assert_eq!(found.reading.unwrap().delimiter, Some(';'));
    assert_eq!(found.problems.problems.len(), 100);
    assert!(found.problems.total() >= 19_000);
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn a_manifest_that_misspells_a_column_is_told_so() {
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
