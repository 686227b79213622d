//! Laws: what is right arrives unchanged, and one problem is named by exactly its cell.

use std::iter;

use ::csv::{QuoteStyle, ReaderBuilder, Terminator, WriterBuilder};
use dropcast_domain::model::{DateOrder, TableEncoding};
use encoding_rs::WINDOWS_1252;
use proptest::prelude::*;

use super::*;

const COLUMNS: [&str; 7] = [
    "text", "whole", "number", "boolean", "day", "moment", "choice",
];

fn row() -> Value {
    json!({
        "required": ["whole"],
        "properties": {
            "text": {"type": "string", "maxLength": 100},
            "whole": {"type": "integer"},
            "number": {"type": "number"},
            "boolean": {"type": "boolean"},
            "day": {"type": "string", "format": "date"},
            "moment": {"type": "string", "format": "date-time"},
            "choice": {"enum": ["month", "year", 7]},
        },
        "additionalProperties": false,
    })
}

/// One row's cells, as their canonical texts.
fn cells() -> impl Strategy<Value = Vec<String>> {
    let text = prop_oneof![
        Just(String::new()),
        "[a-zA-Z0-9 ,;|\t\"'\n\r=+@é€😀-]{0,30}",
        any::<String>(),
    ]
    .prop_map(|text| text.replace('\0', "0"))
    .prop_filter("short, and empty or visible", |text| {
        text.chars().count() <= 100 && (text.is_empty() || !text.trim().is_empty())
    });
    let number = prop_oneof![
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| serde_json::Number::from_f64(number).unwrap().to_string())
            .prop_map(|text| text.replace("e+", "e")),
        Just(String::new()),
    ];
    let day = (1_i16..=9999, 1_i8..=12, 1_i8..=28)
        .prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"));
    let moment = (day.clone(), 0..24, 0..60, 0..60).prop_map(|(day, hour, minute, second)| {
        format!("{day}T{hour:02}:{minute:02}:{second:02}Z")
    });
    (
        text,
        any::<i64>().prop_map(|whole| whole.to_string()),
        number,
        prop::sample::select(vec!["true", "false", ""]).prop_map(str::to_owned),
        prop_oneof![day, Just(String::new())],
        moment,
        prop::sample::select(vec!["month", "year", "7", ""]).prop_map(str::to_owned),
    )
        .prop_map(|(a, b, c, d, e, f, g)| vec![a, b, c, d, e, f, g])
}

/// How a file is written.
#[derive(Debug, Clone, Copy)]
struct CsvStyle {
    delimiter: u8,
    end: Terminator,
    /// Whether each text is quoted, or only what must be.
    quotes_all: bool,
    encoding: Written,
}

/// How the bytes of a text stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Utf8,
    Utf8Marked,
    Utf16LeMarked,
    Utf16BeMarked,
    /// Without a byte order mark: the manifest names it.
    Utf16LeDeclared,
    Utf16BeDeclared,
    /// The reader finds it out.
    Windows1252,
}

fn look() -> impl Strategy<Value = CsvStyle> {
    let ends = vec![
        Terminator::CRLF,
        Terminator::Any(b'\n'),
        Terminator::Any(b'\r'),
    ];
    let encodings = vec![
        Written::Utf8,
        Written::Utf8Marked,
        Written::Utf16LeMarked,
        Written::Utf16BeMarked,
        Written::Utf16LeDeclared,
        Written::Utf16BeDeclared,
        Written::Windows1252,
    ];
    (
        prop::sample::select(vec![b',', b';', b'\t', b'|']),
        prop::sample::select(ends),
        any::<bool>(),
        prop::sample::select(encodings),
    )
        .prop_map(|(delimiter, end, quotes_all, encoding)| CsvStyle {
            delimiter,
            end,
            quotes_all,
            encoding,
        })
}

impl CsvStyle {
    /// The rows as they can be written so.
    fn rows(self, mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
        if self.encoding == Written::Windows1252 {
            for text in rows.iter_mut().flatten() {
                *text = western(text);
            }
        }
        rows
    }

    /// The file, below a header of these columns.
    fn write(self, columns: &[&str], rows: &[Vec<String>]) -> Vec<u8> {
        let mut writer = WriterBuilder::new()
            .delimiter(self.delimiter)
            .terminator(self.end)
            .quote_style(if self.quotes_all {
                QuoteStyle::Always
            } else {
                QuoteStyle::Necessary
            })
            .from_writer(Vec::new());
        writer.write_record(columns).unwrap();
        for row in rows {
            writer.write_record(row).unwrap();
        }
        let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
        let marked = format!("\u{feff}{text}");
        let low_first = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let high_first = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        match self.encoding {
            Written::Utf8 => text.into_bytes(),
            Written::Utf8Marked => marked.into_bytes(),
            Written::Utf16LeMarked => low_first(&marked),
            Written::Utf16BeMarked => high_first(&marked),
            Written::Utf16LeDeclared => low_first(&text),
            Written::Utf16BeDeclared => high_first(&text),
            Written::Windows1252 => {
                // It has one no-break space.
                let text = text.replace('\u{202f}', "\u{a0}");
                let (bytes, _, has_others) = WINDOWS_1252.encode(&text);
                assert!(!has_others, "{text}");
                bytes.into_owned()
            }
        }
    }

    /// What the manifest says of such files.
    fn spec(self) -> TableSpec {
        TableSpec {
            encoding: match self.encoding {
                Written::Utf16LeDeclared => Some(TableEncoding::Utf16Le),
                Written::Utf16BeDeclared => Some(TableEncoding::Utf16Be),
                _ => None,
            },
            ..TableSpec::default()
        }
    }
}

/// A text of Western letters, each of them before a plain one: two of them may happen to be one
/// in UTF-8, and nothing would tell which is meant.
fn western(text: &str) -> String {
    let letters = ['é', 'Ä', 'ß', '€', 'œ'];
    let mut is_after_letter = false;
    text.chars()
        .map(|c| {
            is_after_letter = !c.is_ascii() && !is_after_letter;
            if c.is_ascii() {
                c
            } else if is_after_letter {
                letters[u32::from(c) as usize % letters.len()]
            } else {
                'x'
            }
        })
        .collect()
}

/// A number or a date as people of one country write it, and as the clean CSV has it.
#[derive(Debug, Clone)]
struct Local {
    written: String,
    canonical: String,
}

/// A whole number, a number and a date.
fn local_cells(locale: Locale) -> impl Strategy<Value = [Local; 3]> {
    let separators: Vec<Option<char>> = locale
        .grouping()
        .iter()
        .flat_map(|separator| match separator {
            ' ' => vec![' ', '\u{a0}', '\u{202f}'],
            separator => vec![*separator],
        })
        .map(Some)
        .chain([None])
        .collect();
    let digits = prop_oneof![0..10_000_u64, 0..1_000_000_000_000_000_u64];
    let whole = (any::<bool>(), digits, prop::sample::select(separators)).prop_map(
        |(is_negative, digits, separator)| {
            let minus = if is_negative { "-" } else { "" };
            Local {
                written: format!("{minus}{}", grouped(digits, separator)),
                canonical: format!("{minus}{digits}"),
            }
        },
    );
    let number = (whole.clone(), "[0-9]{1,6}").prop_map(move |(whole, decimals)| Local {
        written: format!("{}{}{decimals}", whole.written, locale.decimal()),
        canonical: format!("{}.{decimals}", whole.canonical),
    });
    let day = (
        (1000_i16..=9999, 1_i8..=12, 1_i8..=28),
        prop::sample::select(vec!['.', '/', '-']),
        any::<bool>(),
    )
        .prop_map(move |((year, month, day), separator, is_padded)| {
            let two = |part: i8| {
                if is_padded {
                    format!("{part:02}")
                } else {
                    part.to_string()
                }
            };
            let parts = match locale.date_order() {
                DateOrder::DayMonthYear => [two(day), two(month), year.to_string()],
                DateOrder::MonthDayYear => [two(month), two(day), year.to_string()],
                DateOrder::YearMonthDay => [year.to_string(), two(month), two(day)],
            };
            Local {
                written: parts.join(&separator.to_string()),
                canonical: format!("{year:04}-{month:02}-{day:02}"),
            }
        });
    (whole, number, day).prop_map(|(whole, number, day)| [whole, number, day])
}

/// Digits with a separator between the thousands.
fn grouped(digits: u64, separator: Option<char>) -> String {
    let digits = digits.to_string();
    let Some(separator) = separator else {
        return digits;
    };
    let count = digits.len();
    digits
        .chars()
        .enumerate()
        .flat_map(|(at, digit)| {
            let begins_group = at > 0 && (count - at).is_multiple_of(3);
            begins_group.then_some(separator).into_iter().chain([digit])
        })
        .collect()
}

proptest! {
    #[test]
    fn what_satisfies_the_schema_arrives_unchanged(
        rows in prop::collection::vec(cells(), 1..20),
        look in look(),
    ) {
        let rows = look.rows(rows);
        let csv = look.write(&COLUMNS, &rows);
        let (accepted, clean) = accepted(&csv, &row(), &look.spec());
        prop_assert_eq!(accepted.reading.rows, rows.len() as u64);
        prop_assert_eq!(accepted.reading.delimiter, Some(char::from(look.delimiter)));
        let mut reader = ReaderBuilder::new().has_headers(false).from_reader(clean.as_bytes());
        let arrived: Vec<Vec<String>> = reader
            .records()
            .map(|record| record.unwrap().iter().map(str::to_owned).collect())
            .collect();
        prop_assert_eq!(&arrived[0], &COLUMNS);
        prop_assert_eq!(&arrived[1..], &rows[..]);
    }

    #[test]
    fn a_single_problem_is_named_by_exactly_its_cell(
        rows in prop::collection::vec(cells(), 1..20),
        at in any::<prop::sample::Index>(),
        column in 0..COLUMNS.len(),
        look in look(),
    ) {
        let mut rows = look.rows(rows);
        let at = at.index(rows.len());
        let long = "x".repeat(101);
        let wrong = [long.as_str(), "", "1,2,3", "maybe", "2026-02-30", "2026-01-31T24:00:00Z", "8"];
        rows[at][column] = wrong[column].to_owned();
        let csv = look.write(&COLUMNS, &rows);
        let problems = problems(&csv, &row(), &look.spec());
        prop_assert_eq!(problems.len(), 1);
        let expected = format!("row {}, column {}", at + 2, COLUMNS[column]);
        prop_assert_eq!(&problems[0].at, &expected);
        prop_assert_eq!(problems[0].count, 1);
        let begins = format!("At {expected}: ");
        prop_assert!(problems[0].message.starts_with(&begins));
    }

    #[test]
    fn numbers_and_dates_of_every_locale_become_canonical(
        (locale, rows) in prop::sample::select(Locale::ALL.to_vec()).prop_flat_map(|locale| {
            (Just(locale), prop::collection::vec(local_cells(locale), 1..10))
        }),
        look in look(),
    ) {
        let columns = ["whole", "number", "day"];
        let side = |of: fn(&Local) -> &String| -> Vec<Vec<String>> {
            rows.iter().map(|row| row.iter().map(of).cloned().collect()).collect()
        };
        let spec = TableSpec { locale: Some(locale), ..look.spec() };
        let csv = look.write(&columns, &side(|cell| &cell.written));
        let (_, clean) = accepted(&csv, &row(), &spec);
        let canonical = side(|cell| &cell.canonical);
        let expected: String = iter::once(columns.join(","))
            .chain(canonical.iter().map(|row| row.join(",")))
            .map(|line| line + "\n")
            .collect();
        prop_assert_eq!(clean, expected);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read_csv(&bytes, &schema(&row()), &TableSpec::default());
    }

    #[test]
    fn no_table_like_text_makes_the_reader_panic(text in "[a-z\",;|\t\r\n =0-9.-]{0,200}", locale in prop::option::of(prop::sample::select(Locale::ALL.to_vec()))) {
        let spec = TableSpec { locale, ..TableSpec::default() };
        let csv = format!("text,whole,number,boolean,day,moment,choice\n{text}");
        let _ = read_csv(csv.as_bytes(), &schema(&row()), &spec);
    }
}
