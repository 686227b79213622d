//! Values of single cells: what is taken, what it becomes, and what is said of the rest.

use super::*;

/// The message about the one cell of a table of one column, without its address.
pub(super) fn said(property: &Value, cell: &str, locale: Option<Locale>) -> String {
    let row = json!({"properties": {"x": property}});
    let spec = TableSpec {
        locale,
        ..TableSpec::default()
    };
    let csv = format!("x\n\"{}\"\n", cell.replace('"', "\"\""));
    let problems = problems(csv.as_bytes(), &row, &spec);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].at, "row 2, column x");
    let message = problems[0].message.strip_prefix("At row 2, column x: ");
    message.unwrap().to_owned()
}

pub(super) fn becomes(property: &Value, cell: &str, locale: Option<Locale>) -> String {
    let row = json!({"properties": {"x": property}});
    let spec = TableSpec {
        locale,
        ..TableSpec::default()
    };
    let csv = format!("x\n\"{}\"\n", cell.replace('"', "\"\""));
    let (_, clean) = accepted(csv.as_bytes(), &row, &spec);
    let clean = clean.strip_prefix("x\n").unwrap();
    clean.strip_suffix('\n').unwrap().to_owned()
}

#[test]
#[expect(clippy::too_many_lines, reason = "It is one table.")]
fn what_is_no_number_gets_a_sentence_that_says_what_to_write() {
    let number = json!({"type": "number"});
    let integer = json!({"type": "integer"});
    let german = Some(Locale::DeDe);
    for (property, cell, locale, expected) in [
        (&number, "ten", None, "found \"ten\"; a number is allowed."),
        (
            &number,
            "1.234,5",
            None,
            "found \"1.234,5\"; a number is allowed. Write 1234.5.",
        ),
        (
            &number,
            "1,234.5",
            None,
            "found \"1,234.5\"; a number is allowed. Write 1234.5.",
        ),
        (
            &number,
            "1,5",
            None,
            "found \"1,5\"; a number is allowed. Write 1.5.",
        ),
        (
            &number,
            "1,234",
            None,
            "found \"1,234\"; a number is allowed. Write numbers such as 1234.5.",
        ),
        (
            &number,
            "1 234 567",
            None,
            "found \"1 234 567\"; a number is allowed. Write 1234567.",
        ),
        (
            &number,
            "1.5",
            german,
            "found \"1.5\"; a number is allowed. Write 1,5.",
        ),
        (
            &number,
            "1.23.456",
            german,
            "found \"1.23.456\"; a number is allowed. Write numbers such as 1234,5.",
        ),
        (
            &number,
            "1,234.5",
            german,
            "found \"1,234.5\"; a number is allowed. Write 1234,5.",
        ),
        (
            &number,
            "1e999",
            None,
            "found \"1e999\"; a number is allowed. It is beyond the range of numbers, which ends at 1.8e308.",
        ),
        (
            &number,
            "٣",
            None,
            "found \"٣\"; a number is allowed. Write numbers with the digits 0 to 9.",
        ),
        (
            &number,
            "½",
            None,
            "found \"½\"; a number is allowed. Write numbers with the digits 0 to 9.",
        ),
        (
            &number,
            "NaN",
            None,
            "found \"NaN\"; a number is allowed. There is no such number: leave the cell empty.",
        ),
        (
            &number,
            "-Infinity",
            None,
            "found \"-Infinity\"; a number is allowed. There is no such number: leave the cell empty.",
        ),
        (
            &number,
            "12 %",
            None,
            "found \"12 %\"; a number is allowed. Write the number that is meant, without the percent sign.",
        ),
        (
            &number,
            "€5",
            german,
            "found \"€5\"; a number is allowed. Write the number alone, such as 1234,5: without a unit, a currency or other symbols.",
        ),
        (
            &number,
            "=1+1",
            None,
            "found \"=1+1\"; a number is allowed.",
        ),
        (
            &number,
            "=HYPERLINK(\"http://x\")",
            None,
            "found \"=HYPERLINK(\"http://x\")\"; a number is allowed.",
        ),
        (
            &number,
            "+cmd|' /C calc'!A0",
            None,
            "found \"+cmd|' /C calc'!A0\"; a number is allowed.",
        ),
        (
            &number,
            "1\u{202e}2",
            None,
            "found \"1\\u202e2\"; a number is allowed.",
        ),
        (&number, "--1", None, "found \"--1\"; a number is allowed."),
        (
            &number,
            ".",
            None,
            "found \".\"; a number is allowed. Where there is no number, leave the cell empty.",
        ),
        (
            &number,
            "1e",
            None,
            "found \"1e\"; a number is allowed. Write the number alone, such as 1234.5: without a unit, a currency or other symbols.",
        ),
        (
            &number,
            "0x10",
            None,
            "found \"0x10\"; a number is allowed.",
        ),
        (
            &integer,
            "1.5",
            None,
            "found \"1.5\"; a whole number is allowed.",
        ),
        (&integer, "1e3", Some(Locale::SvSe), ""),
        (
            &integer,
            "12345678901234567890123",
            None,
            "found \"12345678901234567890123\"; a whole number is allowed. It has more digits than can be kept exactly.",
        ),
        (
            &integer,
            "1e30",
            None,
            "found \"1e30\"; a whole number is allowed. It has more digits than can be kept exactly.",
        ),
    ] {
        if expected.is_empty() {
            assert_eq!(becomes(property, cell, locale), "1000");
        } else {
            assert_eq!(said(property, cell, locale), expected);
        }
    }
}

#[test]
fn ordinary_slips_get_advice_that_can_be_followed() {
    let number = json!({"type": "number"});
    for (cell, hint) in [
        ("(4.5)", "Write -4.5."),
        ("4.5-", "Write -4.5."),
        ("–3", "Write -3."),
        ("- 4.5", "Write -4.5."),
        ("-", "Where there is no number, leave the cell empty."),
        ("–", "Where there is no number, leave the cell empty."),
        ("n/a", "Where there is no number, leave the cell empty."),
        ("#N/A", "Where there is no number, leave the cell empty."),
        ("NULL", "Where there is no number, leave the cell empty."),
        (
            "~5",
            "Write the number alone, such as 1234.5: without a unit, a currency or other symbols.",
        ),
        (
            "4.5*",
            "Write the number alone, such as 1234.5: without a unit, a currency or other symbols.",
        ),
    ] {
        let said = said(&number, cell, None);
        assert!(said.ends_with(hint), "{said}");
    }
    assert_eq!(becomes(&number, "\u{2212}4.5", None), "-4.5");
    let german = Some(Locale::DeDe);
    assert!(said(&number, "(4,5)", german).ends_with("Write -4,5."));
    // An example is one that the column takes.
    let year = json!({"type": "integer", "minimum": 2000, "maximum": 2099});
    assert!(said(&year, "FY2027", None).contains("such as 2026:"));
    let growth = json!({"type": "number", "minimum": -90, "maximum": 300});
    assert!(said(&growth, "5 %o", None).contains("such as 12.5:"));
    let row = json!({"properties": {"x": number}, "required": ["x"]});
    let said = messages("x\nn/a\n", &row, &TableSpec::default());
    assert!(said[0].ends_with("Write the number."), "{said:?}");
}

#[test]
fn other_values_get_their_sentences_too() {
    let boolean = json!({"type": "boolean"});
    let choice = json!({"enum": ["month", "year"]});
    for (property, cell, locale, expected) in [
        (
            &boolean,
            "maybe",
            None,
            "found \"maybe\"; true or false is allowed. Write true or false.",
        ),
        (
            &boolean,
            "2",
            Some(Locale::DeDe),
            "found \"2\"; true or false is allowed. Write true or false, or wahr or falsch.",
        ),
        (
            &choice,
            "monht",
            None,
            "found \"monht\"; one of \"month\" or \"year\" is allowed. Did you mean \"month\"?",
        ),
        (
            &choice,
            "Month",
            None,
            "found \"Month\"; one of \"month\" or \"year\" is allowed. Did you mean \"month\"?",
        ),
        (
            &json!({"type": "string", "pattern": "^[A-Z]{2}$"}),
            "abc",
            None,
            "found \"abc\"; text of the form ^[A-Z]{2}$ is allowed.",
        ),
        (
            &json!({"type": "string", "maxLength": 2}),
            "abc",
            None,
            "found \"abc\" (3 characters); text of at most 2 characters is allowed.",
        ),
        (
            &json!({"type": ["number", "null"], "minimum": 0}),
            "x",
            None,
            "found \"x\"; a number of at least 0 or an empty cell is allowed.",
        ),
        (
            &json!({"anyOf": [{"type": "number"}, {"const": "n/a"}]}),
            "na",
            None,
            "found \"na\"; a number or only \"n/a\" is allowed.",
        ),
    ] {
        assert_eq!(said(property, cell, locale), expected);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "It is one table.")]
fn values_become_canonical() {
    let number = json!({"type": "number"});
    let integer = json!({"type": "integer"});
    let date = json!({"type": "string", "format": "date"});
    let time = json!({"type": "string", "format": "date-time"});
    let boolean = json!({"type": "boolean"});
    let text = json!({"type": "string"});
    for (property, cell, locale, expected) in [
        (&number, "1234.50", None, "1234.50"),
        (&number, " +007.5 ", None, "7.5"),
        (&number, ".5", None, "0.5"),
        (&number, "5.", None, "5"),
        (&number, "-0", None, "-0"),
        (&number, "1E+5", None, "1e5"),
        (
            &number,
            "0.1000000000000000055511151231257827",
            None,
            "0.1000000000000000055511151231257827",
        ),
        (
            &number,
            "12345678901234567890123",
            None,
            "12345678901234567890123",
        ),
        (&number, "1.234.567,5", Some(Locale::DeDe), "1234567.5"),
        (&number, "1.234", Some(Locale::DeDe), "1234"),
        (&number, "1 234,5", Some(Locale::FrFr), "1234.5"),
        (&number, "1\u{202f}234,5", Some(Locale::FrFr), "1234.5"),
        (&number, "1\u{a0}234,5", Some(Locale::PlPl), "1234.5"),
        (&number, "\u{2212}1,5", Some(Locale::SvSe), "-1.5"),
        (&number, "1’234.5", Some(Locale::DeCh), "1234.5"),
        (&number, "1'234.5", Some(Locale::DeCh), "1234.5"),
        (&number, "1,234.5", Some(Locale::EnUs), "1234.5"),
        (&integer, "3.0", None, "3"),
        (&integer, "1e3", None, "1000"),
        (
            &integer,
            "18446744073709551615",
            None,
            "18446744073709551615",
        ),
        (
            &integer,
            "-9223372036854775808",
            None,
            "-9223372036854775808",
        ),
        (&date, " 2026-01-31", None, "2026-01-31"),
        (&date, "2026-01-31T00:00:00", None, "2026-01-31"),
        (&date, "31.1.2026", Some(Locale::DeDe), "2026-01-31"),
        (&date, "1/31/2026", Some(Locale::EnUs), "2026-01-31"),
        (&date, "31/01/2026", Some(Locale::EnGb), "2026-01-31"),
        (&date, "31-01-2026 00:00", Some(Locale::NlNl), "2026-01-31"),
        (&time, "2026-01-31T08:30:00Z", None, "2026-01-31T08:30:00Z"),
        (
            &time,
            "2026-01-31t08:30:00.250+01:00",
            None,
            "2026-01-31T08:30:00.250+01:00",
        ),
        (&time, "2026-01-31 8:30", None, "2026-01-31T08:30:00Z"),
        (
            &time,
            "31.01.2026 08:30",
            Some(Locale::DeDe),
            "2026-01-31T08:30:00Z",
        ),
        (&time, "2026-01-31", None, "2026-01-31T00:00:00Z"),
        (&boolean, "TRUE", None, "true"),
        (&boolean, "no", None, "false"),
        (&boolean, "1", None, "true"),
        (&boolean, "Oui", Some(Locale::FrFr), "true"),
        (&boolean, "FAŁSZ", Some(Locale::PlPl), "false"),
        (&text, " a ", None, " a "),
        (&text, "=1+1", None, "=1+1"),
        (&text, "007", None, "007"),
        (&json!({}), "1,5", None, "\"1,5\""),
        (&json!({"enum": ["a"]}), " a ", None, "a"),
        (&json!({"enum": [1, 2.5]}), "2.5", None, "2.5"),
        (&json!({"type": ["number", "string"]}), "007", None, "007"),
        (&json!({"type": ["boolean", "string"]}), "yes", None, "yes"),
        (
            &json!({"anyOf": [{"type": "number", "minimum": 5}, {"const": "3"}]}),
            "3",
            None,
            "3",
        ),
        (
            &json!({"anyOf": [{"type": "string", "format": "date"}, {"const": "never"}]}),
            "never",
            None,
            "never",
        ),
        (
            &json!({"anyOf": [{"type": "string", "format": "date"}, {"const": "never"}]}),
            "31.1.2026",
            Some(Locale::DeDe),
            "2026-01-31",
        ),
    ] {
        assert_eq!(
            becomes(property, cell, locale),
            expected,
            "{property} {cell}"
        );
    }
}

#[test]
fn types_are_found_behind_references_and_choices() {
    let row = json!({
        "$defs": {"share": {"type": "number", "minimum": 0, "maximum": 1}},
        "$ref": "#/$defs/base",
        "allOf": [{"properties": {"b": {"allOf": [{"$ref": "#/$defs/share"}]}}}],
        "properties": {"a": {"$ref": "#/$defs/share"}},
    });
    let mut row = row;
    row["$defs"]["base"] = json!({"required": ["a"], "properties": {"c": {"oneOf": [{"type": "integer"}, {"type": "null"}]}}});
    let spec = TableSpec {
        locale: Some(Locale::DeDe),
        ..TableSpec::default()
    };
    let (_, clean) = accepted("a;b;c\n0,5;1,0;\n1;0;1.000\n".as_bytes(), &row, &spec);
    assert_eq!(clean, "a,b,c\n0.5,1.0,\n1,0,1000\n");
    assert_eq!(
        messages("a;b;c\n2;3;4,5\n", &row, &spec),
        [
            "At row 2, column a: found 2; a number from 0 to 1 is allowed.",
            "At row 2, column b: found 3; a number from 0 to 1 is allowed.",
            "At row 2, column c: found \"4,5\"; a whole number or an empty cell is allowed.",
        ]
    );
}

#[test]
fn an_empty_cell_is_absent_and_a_default_takes_its_place() {
    let row = json!({
        "required": ["a", "b", "c"],
        "properties": {"a": {"type": "string"}, "b": {"type": ["integer", "null"]}, "c": {"type": "number", "default": 0.5}, "d": {"minLength": 3}},
    });
    let (accepted, clean) = accepted(b"a,b,c,d\nx,, \t,\ny,1,2,\n", &row, &TableSpec::default());
    assert_eq!(clean, "a,b,c,d\nx,,0.5,\ny,1,2,\n");
    assert_eq!(
        accepted.reading.defaults,
        [FilledColumn {
            column: "c".into(),
            cells: 1
        }]
    );
    assert_eq!(
        messages("a,b,c,d\n,1,2,abc\n", &row, &TableSpec::default()),
        ["At row 2, column a: the cell is empty. Fill it in: text is allowed."]
    );
}
