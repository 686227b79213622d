//! Rows, keys and sizes: the table as a whole.

use super::*;

pub(super) fn pair() -> Value {
    json!({"required": ["a", "b"], "properties": {"a": {"type": "string"}, "b": {"type": "number"}, "c": {}}})
}

#[test]
fn a_file_of_the_wrong_shape_gets_a_sentence() {
    let spec = TableSpec::default();
    for (csv, expected) in [
        (
            "a,b\nx,1,2\n",
            "At row 2: the row has 3 cells, but the header has 2. Put text that contains the delimiter or a line break in quotation marks, or remove the extra cells.",
        ),
        (
            "a,b\nx\n",
            "At row 2: the row has 1 cell, but the header has 2: \"b\" is missing. Fill in the row, and put text that contains a line break in quotation marks.",
        ),
        (
            "a,b\nx,\n",
            "At row 2, column b: the cell is empty. Fill it in: a number is allowed.",
        ),
        (
            "a,b\nx\0y,1\n",
            "At row 2, column a: found \"x\\u0000y\"; text without NUL bytes is allowed. The file may be damaged: save it again.",
        ),
        (
            "a,b\nx,1\n\"y,2\nz,3\n",
            "At row 3, cell 1: a quotation mark opens a text here that is not closed before the end of the file. Close it, and write a quotation mark inside a text twice.",
        ),
        (
            "a,b\nx,1,2\ny,2\nz,3,4\n",
            "2 rows have more cells than the header, which has 2: row 2 (3 cells), row 4 (3 cells). Put text that contains the delimiter or a line break in quotation marks, or remove the extra cells.",
        ),
    ] {
        assert_eq!(messages(csv, &pair(), &spec), [expected], "{csv}");
    }
    assert_eq!(
        messages("", &pair(), &spec),
        ["The file is empty. Fill it in, or save it again."]
    );
}

#[test]
fn a_row_that_lacks_only_empty_cells_is_read_and_counted() {
    let (read, clean) = accepted(b"a,b,c\nx,1\ny,2,z\nv,3\n", &pair(), &TableSpec::default());
    assert_eq!(clean, "a,b,c\nx,1,\ny,2,z\nv,3,\n");
    assert_eq!(read.reading.remarks.short_rows, 2);
    // Nothing tells such a row from one that was cut off.
    assert_eq!(
        messages("a,b,c\nx,1,y\nx,1", &pair(), &TableSpec::default()),
        [
            "At row 3: the row has 2 cells, but the header has 3, and the file ends within it. The file is incomplete, or its last line has no line break: save it again."
        ]
    );
    let (read, _) = accepted(b"a,b,c\nx,1,y", &pair(), &TableSpec::default());
    assert!(read.reading.remarks.is_empty());
}

#[test]
fn a_total_at_the_end_is_not_only_to_be_filled_in() {
    let total = "If this row is a total or a note, remove it.";
    for (csv, rows) in [
        ("a,b\nx,1\nTotal,\n", vec![total]),
        ("a,b\nx,1\n\n,3\nSource: finance,\n", vec![total, total]),
        ("a,b\nx,\ny,1\n", vec![""]),
    ] {
        let said = messages(csv, &pair(), &TableSpec::default());
        assert_eq!(said.len(), rows.len(), "{said:?}");
        for (said, hint) in said.iter().zip(rows) {
            assert_eq!(said.ends_with(total), !hint.is_empty(), "{said}");
        }
    }
    let said = messages("a,b\nx,\ny,1\nz,\n", &pair(), &TableSpec::default());
    assert!(
        said[0].ends_with("If a row is a total or a note, remove it."),
        "{said:?}"
    );
}

#[test]
fn a_cell_of_a_megabyte_is_named_and_not_shown() {
    let csv = format!("a,b\n{},1\ny,2\n", "x".repeat(1 << 20));
    assert_eq!(
        messages(&csv, &pair(), &TableSpec::default()),
        [
            "At row 2, column a: found \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…\" (1048576 characters); text of at most 32767 characters is allowed. Shorten it; if a quotation mark is missing, close it."
        ]
    );
    let longest = format!("a,b\n{},1\n", "é".repeat(32_767));
    accepted(longest.as_bytes(), &pair(), &TableSpec::default());
}

#[test]
fn an_open_quotation_mark_does_not_swallow_the_memory() {
    let csv = format!("a,b\nx,1\n\"y,2\n{}", "z,3\n".repeat(5 << 20));
    assert_eq!(
        messages(&csv, &pair(), &TableSpec::default()),
        [
            "At row 3, cell 1: the row has more than 16 MiB. A quotation mark that is opened here and never closed makes one text of everything that follows: close it, and write a quotation mark inside a text twice."
        ]
    );
}

#[test]
fn more_than_ten_thousand_columns_are_refused() {
    let names: Vec<String> = (0..10_001).map(|index| format!("c{index}")).collect();
    let csv = format!("{}\n", names.join(","));
    assert_eq!(
        messages(&csv, &json!({}), &TableSpec::default()),
        [
            "At row 1: the row has 10001 cells; at most 10000 cells are allowed in one row. Remove columns, or check where the rows end."
        ]
    );
    let csv = format!("{}{}\n1{}\n", "a", ",".repeat(16_383), ",".repeat(16_383));
    accepted(csv.as_bytes(), &json!({}), &TableSpec::default());
    let csv = ",".repeat(1 << 20);
    assert_eq!(
        messages(&csv, &json!({}), &TableSpec::default()),
        [
            "At row 1: the row has more than 65536 cells; at most 10000 cells are allowed in one row. Remove columns, or check where the rows end."
        ]
    );
}

#[test]
fn a_file_larger_than_the_limit_is_refused_unread() {
    struct Huge;
    impl io::Read for Huge {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("it must not be read");
        }
    }
    impl io::Seek for Huge {
        fn seek(&mut self, _: io::SeekFrom) -> io::Result<u64> {
            Ok(2 << 30)
        }
    }
    let limits = Limits::for_bytes(1 << 20);
    let spec = TableSpec::default();
    let outcome = read(
        Huge,
        InputFormat::Csv,
        &spec,
        &schema(&json!({})),
        &limits,
        io::sink(),
    );
    let Ok(Outcome::Rejected(rejected)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(
        rejected.problems.to_string(),
        "The file has 2147483648 bytes; at most 1048576 bytes are allowed."
    );
}

#[test]
fn rows_are_counted_as_a_spreadsheet_counts_them() {
    let csv = "\r\na,b\r\n\"x\ny\",1\n\n\r\rz,ten\r\"w\r\nw\",1\nv,eleven";
    assert_eq!(
        problems(csv.as_bytes(), &pair(), &TableSpec::default())
            .into_iter()
            .map(|problem| (problem.at, problem.count, problem.others))
            .collect::<Vec<_>>(),
        [(
            "row 7, column b".to_owned(),
            2,
            vec!["row 9, column b".to_owned()]
        )]
    );
}

#[test]
fn a_key_occurs_in_only_one_row() {
    let spec = TableSpec {
        key: vec!["a".into(), "b".into()],
        ..TableSpec::default()
    };
    assert_eq!(
        messages("a,b\nx,1\nx,2\nx,1.0\ny,1\n", &pair(), &spec),
        [
            "At row 4, column a: \"x\", 1.0 is already in row 2; each combination of \"a\" and \"b\" may occur only once. Remove or correct one of the rows."
        ]
    );
    let spec = TableSpec {
        key: vec!["a".into()],
        ..TableSpec::default()
    };
    assert_eq!(
        messages("a,b\nx,1\nx,2\nx,3\n", &pair(), &spec),
        [
            "Column \"a\": 2 rows repeat the values of an earlier row: row 3 (\"x\" again), row 4 (\"x\" again). Remove or correct one of the rows."
        ]
    );
}

#[test]
fn there_may_be_too_few_and_too_many_rows() {
    let spec = TableSpec {
        min_rows: 2,
        max_rows: Some(3),
        ..TableSpec::default()
    };
    assert_eq!(
        messages("a,b\nx,1\n", &pair(), &spec),
        ["The table has 1 row below the header; at least 2 rows must follow it."]
    );
    assert_eq!(
        messages(&format!("a,b\n{}", "x,1\n".repeat(4)), &pair(), &spec),
        ["The table has 4 rows below the header; at most 3 rows are allowed. Split it."]
    );
    let none = TableSpec {
        min_rows: 0,
        ..TableSpec::default()
    };
    accepted(b"a,b\n\n,\n", &pair(), &none);
}

#[test]
fn rules_about_several_columns_see_the_whole_row() {
    let row = json!({
        "properties": {"kind": {"enum": ["growth", "target"]}, "growth": {"type": "number"}, "target": {"type": "number"}},
        "dependentRequired": {"target": ["kind"]},
        "if": {"properties": {"kind": {"const": "growth"}}, "required": ["kind"]},
        "then": {"required": ["growth"], "properties": {"growth": {"maximum": 100}}},
    });
    assert_eq!(
        messages(
            "kind,growth,target\ngrowth,5,\ngrowth,,\ntarget,,7\n,,8\ngrowth,101,\n",
            &row,
            &TableSpec::default()
        ),
        [
            "At row 3, column growth: the cell is empty; a number is allowed.",
            "At row 5, column kind: the cell is empty, which is needed because \"target\" is given; one of \"growth\" or \"target\" is allowed.",
            "At row 6, column growth: found 101; a number of at most 100 is allowed.",
        ]
    );
}

#[test]
fn a_faulty_cell_hides_no_problem_of_other_columns() {
    let row = json!({
        "properties": {"a": {"type": "string"}, "n": {"type": "number"}, "kind": {}, "target": {"type": "number"}},
        "required": ["n"],
        "dependentRequired": {"target": ["kind"]}
    });
    let spec = TableSpec {
        key: vec!["a".into()],
        ..TableSpec::default()
    };
    assert_eq!(
        messages(
            "a,n,kind,target\nx,1,,\nx,ten,,5\ny,ten,k,x\ny,1,,\n",
            &row,
            &spec
        ),
        [
            "Column \"n\": 2 cells do not contain a number: row 3 (\"ten\"), row 4 (\"ten\").",
            "Column \"a\": 2 rows repeat the values of an earlier row: row 3 (\"x\" again), row 5 (\"y\" again). Remove or correct one of the rows.",
            "At row 3, column kind: the cell is empty, which is needed because \"target\" is given; text is allowed.",
            "At row 4, column target: found \"x\"; a number is allowed.",
        ]
    );
    // A rule is not asked of a cell that is faulty.
    let row = json!({
        "properties": {"n": {"type": "number"}, "kind": {"enum": ["a", "b"]}},
        "if": {"properties": {"kind": {"const": "a"}}, "required": ["kind"]},
        "then": {"properties": {"n": {"maximum": 5}}}
    });
    assert_eq!(
        messages("n,kind\n9,c\nx,a\n9,a\n", &row, &TableSpec::default()).len(),
        3
    );
}

#[test]
fn similar_problems_are_put_together_and_the_worst_comes_first() {
    let mut csv = String::from("a,b\n,1\n");
    for index in 0..214 {
        csv.push_str(if index % 2 == 0 { "x,ten\n" } else { "x,1;5\n" });
    }
    let found = rejected(csv.as_bytes(), &pair(), &TableSpec::default());
    let [numbers, empty] = found.problems.problems.as_slice() else {
        panic!("{}", found.problems);
    };
    assert_eq!(
        numbers.message,
        "Column \"b\": 214 cells do not contain a number: row 3 (\"ten\"), row 4 (\"1;5\"), row 5 (\"ten\"), row 6 (\"1;5\"), row 7 (\"ten\"), row 8 (\"1;5\") and 208 more."
    );
    assert_eq!((numbers.count, numbers.others.len()), (214, 5));
    assert_eq!(empty.at, "row 2, column a");
    assert_eq!(found.problems.total(), 215);
    assert_eq!(found.cell_problems.total(), 215);
    let last = found.cell_problems.of_row(216);
    assert_eq!(last.len(), 1);
    assert_eq!(last[0].column, Some(1));
    assert_eq!(last[0].message, "found \"1;5\"; a number is allowed.");
}

#[test]
fn faults_beyond_what_is_kept_are_counted() {
    let columns: Vec<String> = (0..150).map(|index| format!("c{index}")).collect();
    let mut properties = serde_json::Map::new();
    for column in &columns {
        properties.insert(column.clone(), json!({"type": "number"}));
    }
    let row = json!({"properties": properties});
    let mut csv = columns.join(",") + "\n";
    for _ in 0..100 {
        csv.push_str(&(vec!["x"; 150].join(",") + "\n"));
    }
    let found = rejected(csv.as_bytes(), &row, &TableSpec::default());
    assert_eq!(found.problems.problems.len(), 100);
    assert_eq!(found.problems.more, 5_000);
    assert_eq!(found.problems.total(), 15_000);
    assert_eq!(
        (found.cell_problems.total(), found.cell_problems.more()),
        (15_000, 5_000)
    );
}

#[test]
fn a_schema_that_no_row_can_satisfy_is_refused() {
    let refused = |value: Value| {
        let error = RowSchema::new(CompiledSchema::new(&value).unwrap()).unwrap_err();
        error.problems.to_string()
    };
    assert_eq!(
        refused(json!({"type": "array"})),
        "The schema of a row describes an object: its columns are the object's properties. Write \"type\": \"object\"."
    );
    assert_eq!(
        refused(json!({"properties": {"a": {"type": "array"}}})),
        "At /properties/a: a table cell contains a single value; this column takes only lists or objects. Describe a number, a text, a date or a boolean."
    );
}
