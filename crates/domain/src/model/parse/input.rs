//! `[input]` and `[input.table]`.

use std::ops::Range;

use super::super::{
    InputFormat, InputSpec, Locale, MAX_IN_MEMORY, Percent, TableEncoding, TableSpec,
    bounds::{
        LAST_HEADER_ROW, MAX_COLUMN, MAX_COLUMNS, MAX_INPUT, MAX_ROWS, MAX_SHEET, default_accepts,
        default_max_bytes,
    },
    read::{Item, ManifestProblems, Section},
};
use crate::{problem::nearest, text::quoted};

/// The characters that the name of an Excel sheet cannot hold.
const NOT_IN_SHEETS: [char; 7] = ['[', ']', ':', '*', '?', '/', '\\'];

pub(super) fn input(
    section: &Section<'_>,
    problems: &mut ManifestProblems<'_>,
) -> Option<InputSpec> {
    section.refuse_unknown_keys(&["accepts", "schema", "max_bytes", "table"], problems);
    let accepts = if section.holds("accepts") {
        section
            .texts("accepts", problems)
            .and_then(|list| formats(&list, problems))
    } else {
        Some(default_accepts())
    };
    let schema = section
        .text("schema", "input.schema.json", problems)
        .and_then(|item| schema_path(&item, problems));
    // What is accepted decides about the rest; while it is wrong, the rest is read leniently.
    let tables = accepts
        .as_ref()
        .is_none_or(|formats| formats.iter().any(|format| format.is_table()));
    let json = accepts
        .as_ref()
        .is_some_and(|formats| formats.contains(&InputFormat::Json));
    let most = if tables { MAX_INPUT } else { MAX_IN_MEMORY };
    let max_bytes = section.number("max_bytes", 1..=most, default_max_bytes(), problems);
    let table = match section.optional_section("table", problems) {
        Some(table) if !tables => {
            problems.note(
                table.at(),
                &section.key("table"),
                "is about tables, but none are accepted; add \"csv\", \"xlsx\" or \"xls\" to accepts, or remove the section",
            );
            None
        }
        Some(table) => Some(self::table(&table, json, problems)),
        None if section.holds("table") => None,
        None => {
            if tables && json {
                problems.note(section.at(), "input.table.schema", NO_ROW_SCHEMA);
            }
            Some(tables.then(TableSpec::default))
        }
    };
    Some(InputSpec {
        accepts: accepts?,
        schema: schema?,
        max_bytes: max_bytes?,
        table: table?,
    })
}

const NO_ROW_SCHEMA: &str = "is missing: input.schema describes the JSON document, so the rows of tables need a separate schema; for example schema = \"row.schema.json\"";

fn formats(
    list: &Item<Vec<Item<&str>>>,
    problems: &mut ManifestProblems<'_>,
) -> Option<Vec<InputFormat>> {
    if list.value.is_empty() {
        problems.note(
            &list.at,
            &list.key,
            "is empty; write for example accepts = [\"json\"] or [\"csv\", \"xlsx\"]",
        );
        return None;
    }
    let mut formats = Vec::new();
    let mut whole = true;
    for item in &list.value {
        let known = InputFormat::from_name(item.value);
        let message = match known {
            Some(format) if formats.contains(&format) => "is listed twice; list it once".to_owned(),
            Some(format) => {
                formats.push(format);
                continue;
            }
            None => unknown_format(item.value),
        };
        problems.note(&item.at, &item.key, message);
        whole = false;
    }
    whole.then_some(formats)
}

fn unknown_format(name: &str) -> String {
    let advice = match name.to_ascii_lowercase().trim_start_matches('.') {
        "tsv" | "txt" => "write \"csv\", which includes .tsv files".to_owned(),
        "excel" | "xlsm" | "xlsb" => {
            "write \"xlsx\", and \"xls\" for workbooks from before 2007".to_owned()
        }
        other => match nearest(other, InputFormat::ALL.map(InputFormat::as_str)) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "write \"json\", \"csv\", \"xlsx\" or \"xls\"".to_owned(),
        },
    };
    format!("is {}, which is not a known format; {advice}", quoted(name))
}

fn schema_path(item: &Item<&str>, problems: &mut ManifestProblems<'_>) -> Option<String> {
    let path = item.value;
    let fault = if path.chars().any(char::is_control) || path.contains('\\') {
        "must not contain a backslash or a control character; use / between folders"
    } else if path.starts_with('/')
        || path
            .split('/')
            .any(|segment| matches!(segment, "" | "." | ".."))
    {
        "must name a file in the model's folder, such as input.schema.json"
    } else if !path
        .strip_suffix(".json")
        .is_some_and(|stem| !stem.is_empty() && !stem.ends_with('/'))
    {
        "must name a JSON Schema file that ends in .json"
    } else {
        return Some(path.to_owned());
    };
    problems.note(
        &item.at,
        &item.key,
        format!("is {}; it {fault}", quoted(path)),
    );
    None
}

/// The section; the outer `None` says that something is wrong with it.
fn table(
    section: &Section<'_>,
    json: bool,
    problems: &mut ManifestProblems<'_>,
) -> Option<TableSpec> {
    section.refuse_unknown_keys(
        &[
            "schema",
            "sheet",
            "header_row",
            "required_columns",
            "optional_columns",
            "key",
            "min_rows",
            "max_rows",
            "locale",
            "encoding",
            "percent",
        ],
        problems,
    );
    if json && !section.holds("schema") {
        problems.note(section.at(), &section.key("schema"), NO_ROW_SCHEMA);
    }
    let schema = section
        .optional_text("schema", problems)
        .and_then(|item| schema_path(&item, problems));
    let sheet = section
        .optional_text("sheet", problems)
        .and_then(|item| sheet(&item, problems));
    let header_row = optional_number(section, "header_row", 1..=LAST_HEADER_ROW, problems);
    let required = columns(section, "required_columns", problems);
    let optional = columns(section, "optional_columns", problems);
    for (at, name) in &optional {
        if required.iter().any(|(_, required)| required == name) {
            let message = format!("names {}, which required_columns also lists", quoted(name));
            problems.note(at, &section.key("optional_columns"), message);
        }
    }
    let names = |columns: Vec<(Range<usize>, String)>| {
        columns
            .into_iter()
            .map(|(_, name)| name)
            .collect::<Vec<_>>()
    };
    let key = names(columns(section, "key", problems));
    let min_rows = section.number("min_rows", 0..=MAX_ROWS, 1, problems);
    let max_rows = optional_number(section, "max_rows", 1..=MAX_ROWS, problems);
    if let (Some(least), Some(most)) = (min_rows, max_rows)
        && least > most
    {
        problems.note(
            section.at(),
            &section.key("max_rows"),
            format!("is {most}, less than min_rows, which is {least}"),
        );
    }
    let locale = section
        .optional_text("locale", problems)
        .and_then(|item| locale(&item, problems));
    let encoding = section
        .optional_text("encoding", problems)
        .and_then(|item| encoding(&item, problems));
    let percent = section
        .optional_text("percent", problems)
        .and_then(|item| percent(&item, problems));
    Some(TableSpec {
        schema,
        sheet,
        header_row,
        required_columns: names(required),
        optional_columns: names(optional),
        key,
        min_rows: min_rows?,
        max_rows,
        locale,
        encoding,
        percent: percent.unwrap_or_default(),
    })
}

fn optional_number(
    section: &Section<'_>,
    name: &str,
    range: std::ops::RangeInclusive<u64>,
    problems: &mut ManifestProblems<'_>,
) -> Option<u64> {
    let least = *range.start();
    section
        .holds(name)
        .then(|| section.number(name, range, least, problems))
        .flatten()
}

fn sheet(item: &Item<&str>, problems: &mut ManifestProblems<'_>) -> Option<String> {
    let name = item.value;
    let count = name.chars().count();
    let fault = if name.trim().is_empty() {
        "is empty; write the name on the sheet's tab, or remove the key".to_owned()
    } else if count > MAX_SHEET {
        format!("has {count} characters; sheet names have at most {MAX_SHEET}")
    } else if name.contains(NOT_IN_SHEETS) || name.chars().any(char::is_control) {
        format!(
            "is {}; sheet names cannot contain [ ] : * ? / \\ or a control character",
            quoted(name)
        )
    } else {
        return Some(name.to_owned());
    };
    problems.note(&item.at, &item.key, fault);
    None
}

/// Names of columns, each once, with their places.
fn columns(
    section: &Section<'_>,
    name: &str,
    problems: &mut ManifestProblems<'_>,
) -> Vec<(Range<usize>, String)> {
    let Some(list) = section.texts(name, problems) else {
        return Vec::new();
    };
    if list.value.len() > MAX_COLUMNS {
        let message = format!("names more than {MAX_COLUMNS} columns");
        problems.note(&list.at, &list.key, message);
    }
    let mut names: Vec<(Range<usize>, String)> = Vec::new();
    for item in list.value {
        let count = item.value.chars().count();
        let fault = if item.value.trim().is_empty() {
            "is empty; write the column's name in the header".to_owned()
        } else if item.value.trim() != item.value {
            format!(
                "is {}; remove the surrounding white space",
                quoted(item.value)
            )
        } else if count > MAX_COLUMN {
            format!("has {count} characters; at most {MAX_COLUMN} are allowed")
        } else if names.iter().any(|(_, earlier)| earlier == item.value) {
            format!("is {}, which is already listed above", quoted(item.value))
        } else {
            names.push((item.at, item.value.to_owned()));
            continue;
        };
        problems.note(&item.at, &item.key, fault);
    }
    names
}

fn locale(item: &Item<&str>, problems: &mut ManifestProblems<'_>) -> Option<Locale> {
    let known = Locale::from_name(item.value);
    if known.is_none() {
        let written = item.value.replace('_', "-");
        let same = Locale::ALL
            .map(Locale::as_str)
            .into_iter()
            .find(|tag| tag.eq_ignore_ascii_case(&written));
        // A country that is not known is more likely meant than another language.
        let language = written.split('-').next().unwrap_or_default();
        let of_language = Locale::ALL.map(Locale::as_str).into_iter().filter(|tag| {
            tag.split('-')
                .next()
                .is_some_and(|known| known.eq_ignore_ascii_case(language))
        });
        let meant: Vec<_> = match same {
            Some(tag) => vec![tag],
            None => of_language.collect(),
        };
        let advice = if meant.is_empty() {
            format!(
                "write one of {}",
                Locale::ALL.map(Locale::as_str).join(", ")
            )
        } else {
            format!("did you mean {}?", alternatives(&meant))
        };
        let message = format!(
            "is {}, which is not a known locale; {advice}",
            quoted(item.value)
        );
        problems.note(&item.at, &item.key, message);
    }
    known
}

fn encoding(item: &Item<&str>, problems: &mut ManifestProblems<'_>) -> Option<TableEncoding> {
    let known = TableEncoding::from_name(item.value);
    if known.is_none() {
        let names = TableEncoding::ALL.map(TableEncoding::as_str);
        let advice = match item.value.to_ascii_lowercase().as_str() {
            "utf-16" | "utf16" => "write \"utf-16le\" or \"utf-16be\"".to_owned(),
            "latin1" | "latin-1" | "iso-8859-1" | "cp1252" | "ansi" => {
                "write \"windows-1252\", which includes it".to_owned()
            }
            other => match nearest(other, names) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("write {}, or remove the key", alternatives(&names)),
            },
        };
        let message = format!(
            "is {}, which is not a known encoding; {advice}",
            quoted(item.value)
        );
        problems.note(&item.at, &item.key, message);
    }
    known
}

fn percent(item: &Item<&str>, problems: &mut ManifestProblems<'_>) -> Option<Percent> {
    let known = Percent::from_name(item.value);
    if known.is_none() {
        let message = format!(
            "is {}; write {}, for which 4.5 % is a problem, 4.5 or 0.045",
            quoted(item.value),
            alternatives(&Percent::ALL.map(Percent::as_str))
        );
        problems.note(&item.at, &item.key, message);
    }
    known
}

/// `"a", "b" or "c"`
fn alternatives(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, before)) => format!("{} or {last}", before.join(", ")),
        None => String::new(),
    }
}
