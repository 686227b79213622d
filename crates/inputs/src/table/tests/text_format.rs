//! Delimiters and encodings: how a CSV file is written.

use dropcast_domain::model::TableEncoding;

use super::{shape::pair, *};

#[test]
fn every_delimiter_is_found_out() {
    let spec = TableSpec::default();
    for (csv, delimiter) in [
        ("a,b\nx;y,1\n", ','),
        ("a;b\n\"1,5\";1\n", ';'),
        ("a\tb\nx,y;z\t1\n", '\t'),
        ("a|b\nx|1\n", '|'),
        ("sep=|\na|b\nx|1\n", '|'),
        ("\"sep=;\"\r\na;b\r\nx;1\r\n", ';'),
        ("other,things;a;b\n1,2;x;1\n", ';'),
    ] {
        let (accepted, _) = accepted(csv.as_bytes(), &pair(), &spec);
        assert_eq!(accepted.reading.delimiter, Some(delimiter), "{csv}");
    }
    let any = json!({});
    for (csv, delimiter) in [
        ("p;q\n1,5;2,5\n3,5;4\n", ';'),
        ("p\n1\n", ','),
        ("p q\n1;2\n", ','),
        ("p|q|r\n1|2|3\n", '|'),
    ] {
        let (accepted, _) = accepted(csv.as_bytes(), &any, &spec);
        assert_eq!(accepted.reading.delimiter, Some(delimiter), "{csv}");
    }
}

#[test]
fn rows_after_a_sep_line_are_counted_as_a_spreadsheet_shows_them() {
    let problems = problems(b"sep=;\na;b\nx;ten\n", &pair(), &TableSpec::default());
    assert_eq!(problems[0].at, "row 2, column b");
}

#[test]
fn every_encoding_is_found_out_or_declared() {
    use dropcast_domain::model::TableEncoding as E;
    let text = "a,b\nMünchen,1\nKöln €,2\n";
    let utf16 = |text: &str, little: bool| -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| {
                if little {
                    unit.to_le_bytes()
                } else {
                    unit.to_be_bytes()
                }
            })
            .collect()
    };
    let marked = format!("\u{feff}{text}");
    let windows = b"a,b\nM\xfcnchen,1\nK\xf6ln \x80,2\n".to_vec();
    for (bytes, declared, expected) in [
        (text.as_bytes().to_vec(), None, E::Utf8),
        (marked.clone().into_bytes(), None, E::Utf8),
        (utf16(&marked, true), None, E::Utf16Le),
        (utf16(&marked, false), None, E::Utf16Be),
        (utf16(text, true), None, E::Utf16Le),
        (utf16(text, false), None, E::Utf16Be),
        (utf16(text, true), Some(E::Utf16Le), E::Utf16Le),
        (windows.clone(), None, E::Windows1252),
        (windows, Some(E::Windows1252), E::Windows1252),
        (marked.into_bytes(), Some(E::Windows1252), E::Utf8),
    ] {
        let spec = TableSpec {
            encoding: declared,
            ..TableSpec::default()
        };
        let (accepted, clean) = accepted(&bytes, &pair(), &spec);
        assert_eq!(clean, text);
        assert_eq!(accepted.reading.encoding, Some(expected));
    }
}

#[test]
fn a_guessed_encoding_is_reported_with_a_sample() {
    let any = json!({"properties": {"a": {"type": "string"}}});
    let guess = TableSpec::default();
    let (read, clean) = accepted(b"a,b\nM\xfcller & Co,1\n", &any, &guess);
    assert_eq!(clean, "a,b\nMüller & Co,1\n");
    assert_eq!(read.reading.remarks.sample.as_deref(), Some("Müller"));
    // In Windows-1250, Shift JIS and Mac Roman; no letter of Windows-1252 has these bytes.
    for text in [
        &b"a\n\xa3\xf3d\x9f\x8dk\n"[..],
        b"a\n\x94\x84\x8f\xe3\n",
        b"a\nHardw\x8dre\n",
    ] {
        let said = problems(text, &any, &guess);
        assert_eq!(said[0].at, "row 2, column a");
        assert!(
            said[0].message.contains("save it again as UTF-8"),
            "{said:?}"
        );
    }
    for (encoding, text) in [
        (TableEncoding::Windows1250, &b"a\n\xa3\xf3d\x9f\x8dk\n"[..]),
        (TableEncoding::Iso8859Part2, b"a\n\xa3\xf3d\xbc\xabk\n"),
    ] {
        let declared = TableSpec {
            encoding: Some(encoding),
            ..TableSpec::default()
        };
        let (read, clean) = accepted(text, &any, &declared);
        assert_eq!(clean, "a\nŁódźŤk\n");
        assert_eq!(read.reading.remarks.sample, None);
    }
    let declared = TableSpec {
        encoding: Some(TableEncoding::Iso8859Part15),
        ..TableSpec::default()
    };
    assert_eq!(accepted(b"a\n\xa4\n", &any, &declared).1, "a\n€\n");
}

#[test]
fn what_is_damaged_is_named_by_its_cell() {
    use dropcast_domain::model::TableEncoding as E;
    let mut utf16: Vec<u8> = "a,b\nxy,1\nz,2\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    utf16[9] = 0xd8;
    let declared = |encoding| TableSpec {
        encoding: Some(encoding),
        ..TableSpec::default()
    };
    for (bytes, spec, expected) in [
        (
            b"a,b\nM\xfcnchen,1\n".to_vec(),
            declared(E::Utf8),
            "At row 2, column a: found \"M\u{fffd}nchen\"; text in UTF-8 is allowed. A character is damaged, or the file has another encoding: save it again as UTF-8.",
        ),
        (
            "a,b\nMünchen,1\nKöln,2\nx"
                .bytes()
                .chain(*b"\xc3,3\n")
                .collect(),
            TableSpec::default(),
            "At row 4, column a: found \"x\u{fffd}\"; text in UTF-8 is allowed. A character is damaged, or the file has another encoding: save it again as UTF-8.",
        ),
        (
            utf16,
            declared(E::Utf16Le),
            "At row 2, column a: found \"\u{fffd}y\"; text in UTF-16 is allowed. A character is damaged, or the file has another encoding: save it again as UTF-8.",
        ),
        (
            b"\xff\xfe\0\0a\0\0\0".to_vec(),
            TableSpec::default(),
            "The file is UTF-32 text. Save it again and choose UTF-8 as its encoding.",
        ),
    ] {
        let problems = problems(&bytes, &pair(), &spec);
        assert_eq!(problems[0].message, expected);
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
}

#[test]
fn a_workbook_named_csv_is_refused_by_what_it_is() {
    for magic in [
        &b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest"[..],
        b"PK\x03\x04rest",
    ] {
        let messages = problems(magic, &pair(), &TableSpec::default());
        assert!(
            messages[0]
                .message
                .starts_with("The file is named .csv, but is an Excel workbook"),
            "{messages:?}"
        );
    }
}
