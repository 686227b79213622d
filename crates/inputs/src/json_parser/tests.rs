use proptest::prelude::*;
use serde_json::json;

use super::*;

fn message(text: &str) -> String {
    match parse(text, &Limits::default()) {
        Ok(parsed) => parsed.problems.to_string(),
        Err(problems) => problems.to_string(),
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "It is one table.")]
fn every_mistake_is_named_by_its_line_and_column_with_what_to_do() {
    let cut = "It may have been cut off while it was saved or sent: save or upload it again.";
    for (text, expected) in [
        (
            "",
            "The file is empty: it contains no JSON document. Fill it in, or save it again.",
        ),
        (
            " \n\t",
            "The file is empty: it contains no JSON document. Fill it in, or save it again.",
        ),
        (
            "{\"a\": [1, 2",
            &*format!(
                "The file ends in the middle: the list that begins on line 1, column 7 is not finished. {cut}"
            ),
        ),
        (
            "{\n \"a\": 1,\n",
            &*format!(
                "The file ends in the middle: the object that begins on line 1, column 1 is not finished. {cut}"
            ),
        ),
        (
            "{\"a\": \"xyz",
            &*format!(
                "The file ends in the middle: the text that begins on line 1, column 7 is not finished. {cut}"
            ),
        ),
        (
            "[\"x\\",
            &*format!(
                "The file ends in the middle: the text that begins on line 1, column 2 is not finished. {cut}"
            ),
        ),
        (
            "hello",
            "Line 1, column 1: found \"hello\"; a value is allowed. Put texts in double quotation marks.",
        ),
        (
            "<html>",
            "Line 1, column 1: found \"<\"; a value is allowed. This looks like a web page or XML, not JSON.",
        ),
        (
            "{\"é\": 1,}",
            "Line 1, column 9: found \"}\"; a name in double quotation marks is allowed. Remove the comma before it, or add what is missing.",
        ),
        (
            "[1,\n2,]",
            "Line 2, column 3: found \"]\"; a value is allowed. Remove the comma before it, or add what is missing.",
        ),
        (
            "[1,,2]",
            "Line 1, column 4: found \",\"; a value is allowed. Remove the extra comma, or add what is missing.",
        ),
        (
            "{\"a\": 1 \"b\": 2}",
            "Line 1, column 9: found \"\\\"b\\\"\"; a comma or } is allowed. A comma is missing before it.",
        ),
        (
            "{\"a\" = 1}",
            "Line 1, column 6: found \"=\"; a colon is allowed. Write a colon between a name and its value.",
        ),
        (
            "{'a': 1}",
            "Line 1, column 2: found \"'\"; a name in double quotation marks or } is allowed. Put texts and names in straight double quotation marks.",
        ),
        (
            "{“a”: 1}",
            "Line 1, column 2: found \"“\"; a name in double quotation marks or } is allowed. Put texts and names in straight double quotation marks.",
        ),
        (
            "{a: 1}",
            "Line 1, column 2: found \"a\"; a name in double quotation marks or } is allowed. Put the name in double quotation marks.",
        ),
        (
            "{\"a\": 1,5}",
            "Line 1, column 9: found \"5\"; a name in double quotation marks is allowed. Write decimals with a point, such as 1.5, and numbers without separators.",
        ),
        (
            "[1] // done",
            "Line 1, column 5: found \"/\"; only the end of the file is allowed. Comments are not part of JSON: remove them.",
        ),
        (
            "{}\n{}",
            "Line 2, column 1: found \"{\"; only the end of the file is allowed. Put several documents into one list: [ first, second ].",
        ),
        (
            "[1}",
            "Line 1, column 3: found \"}\"; a comma or ] is allowed. An opening and a closing bracket do not match.",
        ),
        (
            "{\"a\": True}",
            "Line 1, column 7: found \"True\"; a value is allowed. Write true, false or null in lower case.",
        ),
        (
            "[NaN]",
            "Line 1, column 2: found \"NaN\"; a value or ] is allowed. JSON has no such number: leave the entry out or write null.",
        ),
        (
            "[-Infinity]",
            "Line 1, column 2: found \"-Infinity\"; a value or ] is allowed. JSON has no such number: leave the entry out or write null.",
        ),
        (
            "[01]",
            "Line 1, column 2: found \"01\"; a value or ] is allowed. Write the number without leading zeros, or put it in quotation marks.",
        ),
        (
            "[+1]",
            "Line 1, column 2: found \"+1\"; a value or ] is allowed. Write the number without a plus sign.",
        ),
        (
            "[.5]",
            "Line 1, column 2: found \".5\"; a value or ] is allowed. Write digits on both sides of the point, such as 0.5.",
        ),
        (
            "[5.]",
            "Line 1, column 2: found \"5.\"; a value or ] is allowed. Write digits on both sides of the point, such as 0.5.",
        ),
        (
            "[1.234.567]",
            "Line 1, column 2: found \"1.234.567\"; a value or ] is allowed. Write numbers without separators, such as 1234.5.",
        ),
        (
            "[2026-01-31]",
            "Line 1, column 2: found \"2026-01-31\"; a value or ] is allowed. Put texts and dates in double quotation marks.",
        ),
        (
            "[٣]",
            "Line 1, column 2: found \"٣\"; a value or ] is allowed. Write numbers with the digits 0 to 9.",
        ),
        (
            "[\"a\nb\"]",
            "Line 1, column 4: found a line break; text without line breaks and control characters is allowed. Write a line break in a text as \\n, a tab as \\t, and close the text with a quotation mark.",
        ),
        (
            "[\"C:\\Users\"]",
            "Line 1, column 5: found \"\\\\Users\\\"\"; one of \\n \\t \\\" \\\\ \\/ \\b \\f \\r or \\u with four hex digits is allowed. A backslash itself is written as two.",
        ),
        (
            "[\"\\ud83d\"]",
            "Line 1, column 3: found \"\\\\ud83d\\\"\"; one of \\n \\t \\\" \\\\ \\/ \\b \\f \\r or \\u with four hex digits is allowed. A backslash itself is written as two.",
        ),
        (
            "[1,\0 2]",
            "Line 1, column 4: found a NUL byte; a value is allowed. The file may be damaged, or it may not be a text file: save it again as UTF-8.",
        ),
    ] {
        let expected = expected
            .replace("\\\"b\\\"", "\"b\"")
            .replace("\\\\Users\\\"", "\\Users\"")
            .replace("\\\\ud83d\\\"", "\\ud83d\"");
        assert_eq!(message(text), expected, "{text:?}");
    }
}

#[test]
fn a_duplicate_name_is_reported_by_its_pointer() {
    let parsed = parse(
        "{\"a\": {\"b/c\": 1,\n \"b/c\": [{\"x\": 1, \"x\": 2}], \"d\": 2}, \"a\": 3}",
        &Limits::default(),
    )
    .unwrap();
    let pointers: Vec<&str> = parsed
        .problems
        .problems
        .iter()
        .map(|problem| problem.at.as_str())
        .collect();
    assert_eq!(pointers, ["/a/b~1c", "/a/b~1c/0/x", "/a"]);
    assert_eq!(
        parsed.value,
        json!({"a": {"b/c": 1, "d": 2}}),
        "the first value of a name is kept"
    );
    assert_eq!(
        parsed.problems.problems[0].message,
        "At /a/b~1c: this name appears twice in the same object, again on line 2, column 2. Keep one of them."
    );
    let parsed = parse(r#"{"é": 1, "\u00e9": 2}"#, &Limits::default()).unwrap();
    assert_eq!(
        parsed.problems.problems[0].at, "/é",
        "an escaped name is the same name"
    );
}

#[test]
fn a_number_that_cannot_be_kept_is_named_by_its_pointer() {
    for (number, allowed) in [
        (
            "1e999",
            "0 or a number of a size between 5e-324 and 1.7976931348623157e308",
        ),
        (
            "-1E+400",
            "0 or a number of a size between 5e-324 and 1.7976931348623157e308",
        ),
        (
            "0.1e-400",
            "0 or a number of a size between 5e-324 and 1.7976931348623157e308",
        ),
        (
            "18446744073709551616",
            "a whole number from -9223372036854775808 to 18446744073709551615",
        ),
        (
            "-9223372036854775809",
            "a whole number from -9223372036854775808 to 18446744073709551615",
        ),
    ] {
        let parsed = parse(&format!("{{\"a\": [0,\n {number}]}}"), &Limits::default()).unwrap();
        let problem = &parsed.problems.problems[0];
        assert_eq!(
            (
                problem.at.as_str(),
                problem.found.as_str(),
                problem.allowed.as_str()
            ),
            ("/a/1", number, allowed)
        );
        assert!(
            problem.message.contains("It is on line 2, column 2."),
            "{}",
            problem.message
        );
        assert!(!parsed.exact);
    }
    let long = "9".repeat(1_000_000);
    let problem = parse(&long, &Limits::default())
        .unwrap()
        .problems
        .problems
        .remove(0);
    assert_eq!(problem.found.chars().count(), 200);
}

#[test]
fn whole_numbers_of_64_bits_keep_every_digit() {
    let parsed = parse(
        "[9007199254740993, 18446744073709551615, -9223372036854775808, -0, 0.0, 1e2]",
        &Limits::default(),
    )
    .unwrap();
    assert!(parsed.exact && parsed.problems.is_empty());
    assert_eq!(
        parsed.value.to_string(),
        "[9007199254740993,18446744073709551615,-9223372036854775808,-0.0,0.0,100.0]"
    );
}

#[test]
fn a_million_levels_need_no_stack() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":", "}]")] {
        for text in [
            open.repeat(1_000_000),
            format!("{}1{}", open.repeat(1_000_000), close.repeat(1_000_000)),
        ] {
            let limits = Limits::for_bytes(u64::MAX);
            let problems = parse(&text, &limits).unwrap_err();
            assert!(
                problems
                    .to_string()
                    .contains("more than 127 deep in each other; at most 127 levels are allowed")
            );
            let careless = Limits {
                max_depth: usize::MAX,
                max_memory: u64::MAX,
                ..limits
            };
            assert_eq!(parse(&text, &careless).unwrap_err(), problems);
        }
    }
    let deepest = format!("{}{}", "[".repeat(127), "]".repeat(127));
    assert!(
        parse(&deepest, &Limits::default())
            .unwrap()
            .problems
            .is_empty()
    );
    assert!(
        serde_json::from_str::<Value>(&deepest).is_ok(),
        "others can read what was accepted"
    );
}

#[test]
fn memory_is_bounded_not_only_the_file() {
    let limits = Limits {
        max_memory: 1024 * 1024,
        ..Limits::default()
    };
    for text in [
        format!("[{}0]", "{\"\":0},".repeat(10_000)),
        format!("[{}0]", "[0],".repeat(20_000)),
        format!("[\"{}\"]", "x".repeat(1 << 20)),
    ] {
        assert!(
            parse(&text, &limits)
                .unwrap_err()
                .to_string()
                .starts_with("The document contains too many separate values")
        );
    }
}

#[test]
fn an_excerpt_never_shows_much_of_the_file() {
    let secret = "x".repeat(10_000);
    for text in [
        secret.clone(),
        format!("[\"a\" \"{secret}\"]"),
        format!("{{{secret}: 1}}"),
        format!("[\"\\{secret}\"]"),
        format!("{{\"{secret}\": 1, \"{secret}\": 2}}"),
    ] {
        let shown = message(&text);
        assert!(shown.matches('x').count() <= 200, "{shown}");
    }
}

/// What others accept and this parser refuses: repeated names, and numbers that lose digits.
fn is_refused_on_purpose(text: &str) -> bool {
    parse(text, &Limits::default()).is_ok_and(|parsed| !parsed.problems.is_empty())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_json_is_decided_as_others_decide(text in r#"([\[\]{}:,]|"a"|"\\u00e9"|"\\ud83d\\ude00"|"\\n"|"\\x"|"\\ud83d"|-?[0-9]{1,3}(\.[0-9])?(e[0-9])?|true|null|nul| |\n|\t|-|\+|0){0,12}"#) {
        let ours = parse(&text, &Limits::default());
        match serde_json::from_str::<Value>(&text) {
            Ok(value) if !is_refused_on_purpose(&text) => prop_assert_eq!(ours.unwrap().value, value),
            Ok(_) => {}
            // Others refuse a number that no double holds; here it is read and marked, so that the
            // person is told the number.
            Err(error) if error.to_string().contains("number out of range") => {
                prop_assert!(!ours.is_ok_and(|parsed| parsed.exact), "{}", text);
            }
            Err(_) => prop_assert!(ours.is_err(), "{}", text),
        }
    }

    #[test]
    fn any_number_is_read_as_others_read_it(text in r"-?(0|[1-9][0-9]{0,22})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?") {
        let ours = parse(&text, &Limits::default()).unwrap();
        match serde_json::from_str::<Value>(&text) {
            Ok(value) if ours.exact => prop_assert_eq!(ours.value, value),
            Ok(value) => prop_assert!(value.as_f64().is_some_and(|double| double == 0.0 || double.abs() > 9e18)),
            Err(_) => prop_assert!(!ours.exact),
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in r#"(\PC|[\[\]{}",:\\\n\x00]){0,60}"#) {
        let _ = message(&text);
    }

    #[test]
    fn a_truncated_document_is_never_accepted(cut in 1_usize..60) {
        let text = r#"{"lines": [{"name": "Hardware", "percent": 4.5}], "é": tru"#;
        let cut = (0..=cut.min(text.len() - 1)).rev().find(|&at| text.is_char_boundary(at)).unwrap();
        prop_assert!(parse(&text[..cut], &Limits::default()).is_err());
    }
}
