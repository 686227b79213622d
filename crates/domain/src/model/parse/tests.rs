mod schema;

use serde_json::json;

use super::{
    super::{InputFormat, TableSpec},
    *,
};

/// A manifest without problems.
pub(super) const GOOD: &str = r#"
name = "revenue-forecast"
title = "Revenue forecast"

[input]
accepts = ["json"]
schema = "input.schema.json"

[job]
command = ["python", "main.py"]

[[outputs]]
path = "forecast.csv"
title = "Forecast"
kind = "table"
"#;

fn problems(text: &str) -> Vec<(usize, String, String)> {
    match Manifest::parse("model.toml", text) {
        Ok(_) => Vec::new(),
        Err(errors) => errors
            .problems
            .into_iter()
            .map(|p| (p.line, p.key, p.message))
            .collect(),
    }
}

#[test]
fn a_small_manifest_gets_the_documented_defaults() {
    let manifest = Manifest::parse("model.toml", GOOD).unwrap();
    assert_eq!(
        serde_json::to_value(&manifest).unwrap(),
        json!({
            "name": "revenue-forecast",
            "title": "Revenue forecast",
            "description": "",
            "input": {"accepts": ["json"], "schema": "input.schema.json", "maxBytes": 10_485_760},
            "job": {"command": ["python", "main.py"], "vcpus": 1, "memoryMib": 2048, "timeoutMinutes": 60, "attempts": 2},
            "outputs": [{"path": "forecast.csv", "title": "Forecast", "kind": "table", "required": true}],
            "notify": {"recipients": []},
        })
    );
    let stored = serde_json::to_string(&manifest).unwrap();
    assert_eq!(serde_json::from_str::<Manifest>(&stored).unwrap(), manifest);
}

#[test]
fn the_format_of_an_input_follows_from_its_extension() {
    let input = Manifest::parse("model.toml", GOOD).unwrap().input;
    assert_eq!(input.format_of("Plan.JSON"), Some(InputFormat::Json));
    assert_eq!(input.format_of("plan.json.csv"), None);
    assert_eq!(input.format_of("json"), None);
}

#[test]
#[expect(clippy::too_many_lines, reason = "It is one table.")]
fn every_problem_is_reported_together_with_its_line() {
    let text = r#"nam = "x"
title = ""
descripton = "y"

[input]
accepts = ["cvs"]
schema = "../schema.json"
max_bytes = "10"

[job]
comand = ["python"]
vcpus = 0
memory_mib = 1.5
timeout_minutes = 1441
attempts = 11

[[outputs]]
path = "../forecast.csv"
kind = "tabel"
required = "yes"

[notify]
recipients = ["ana@corp.example", "nobody", 3]
"#;
    let expected = [
        (
            1,
            "name",
            "is missing; for example name = \"revenue-forecast\"",
        ),
        (1, "nam", "is not a known key; did you mean name?"),
        (2, "title", "is empty; describe the item in a few words"),
        (
            3,
            "descripton",
            "is not a known key; did you mean description?",
        ),
        (
            6,
            "input.accepts[0]",
            "is \"cvs\", which is not a known format; write \"json\", \"csv\", \"xlsx\" or \"xls\"",
        ),
        (
            7,
            "input.schema",
            "is \"../schema.json\"; it must name a file in the model's folder, such as input.schema.json",
        ),
        (
            8,
            "input.max_bytes",
            "is the text \"10\"; write a whole number without quotes",
        ),
        (
            10,
            "job.command",
            "is missing; write for example command = [\"python\", \"main.py\"]",
        ),
        (
            11,
            "job.comand",
            "is not a known key; did you mean command?",
        ),
        (
            12,
            "job.vcpus",
            "is out of range; write 0.25, 0.5 or a whole number from 1 to 256",
        ),
        (
            13,
            "job.memory_mib",
            "is the number 1.5; write a whole number without quotes",
        ),
        (
            14,
            "job.timeout_minutes",
            "is out of range; write a number from 1 to 1440",
        ),
        (
            15,
            "job.attempts",
            "is out of range; write a number from 1 to 10",
        ),
        (
            17,
            "outputs[0].title",
            "is missing; for example title = \"Revenue forecast\"",
        ),
        (
            18,
            "outputs[0].path",
            "contains . or .. as a folder; outputs must be inside the output folder",
        ),
        (
            19,
            "outputs[0].kind",
            "is \"tabel\"; did you mean \"table\"?",
        ),
        (
            20,
            "outputs[0].required",
            "is the text \"yes\"; write true or false without quotes",
        ),
        (
            23,
            "notify.recipients[2]",
            "is the number 3; write a string in quotes",
        ),
    ];
    let mut expected: Vec<_> = expected
        .map(|(line, key, message)| (line, key.to_owned(), message.to_owned()))
        .into();
    let mut found = problems(text);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn an_error_names_the_file_the_line_and_the_key() {
    let errors = Manifest::parse("models/x/model.toml", &GOOD.replace("kind", "knid")).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "models/x/model.toml:12: outputs[0].kind is missing; for example kind = \"table\".\n\
         models/x/model.toml:15: outputs[0].knid is not a known key; did you mean kind?"
    );
}

#[test]
fn broken_toml_is_named_by_its_line() {
    let found = problems("name = \"a\"\ntitle = \nx = [1,\n");
    assert_eq!(found[0].0, 2, "{found:?}");
    assert!(found[0].2.starts_with("This is not TOML: "), "{found:?}");
    assert_eq!(problems(&format!("{GOOD}\n[job]\nvcpus = 1\n"))[0].0, 17);
}

#[test]
fn text_of_any_kind_never_makes_the_parser_panic() {
    use proptest::prelude::*;
    proptest!(|(text in r#"([a-z\[\]="\.{}, \n0-9']|\PC){0,200}"#)| {
        let _ = Manifest::parse("model.toml", &text);
    });
}

#[test]
fn a_table_gets_its_defaults_and_json_keeps_its_own_bound() {
    let text = GOOD.replace("[\"json\"]", "[\"csv\", \"xls\"]");
    let input = Manifest::parse("model.toml", &text).unwrap().input;
    assert_eq!(input.table, Some(TableSpec::default()));
    assert_eq!(input.row_schema(), Some("input.schema.json"));
    assert_eq!(input.format_of("Plan.TSV"), Some(InputFormat::Csv));
    assert_eq!(input.format_of("plan.xls"), Some(InputFormat::Xls));
    assert_eq!(input.format_of("plan.xlsx"), None);
    let text = text
        .replace("\"csv\"", "\"json\", \"csv\"")
        .replace("[job]", "max_bytes = 1_000_000_000\n[input.table]\nschema = \"row.json\"\nkey = [\"line\"]\nlocale = \"sv-SE\"\n[job]");
    let input = Manifest::parse("model.toml", &text).unwrap().input;
    assert_eq!(input.row_schema(), Some("row.json"));
    assert_eq!(input.max_bytes_of(InputFormat::Csv), 1_000_000_000);
    assert_eq!(input.max_bytes_of(InputFormat::Json), 100 * 1024 * 1024);
    assert_eq!(
        serde_json::to_value(&input).unwrap()["table"],
        json!({"schema": "row.json", "key": ["line"], "minRows": 1, "locale": "sv-SE"})
    );
}

#[test]
fn problems_of_tables_suggest_what_was_meant() {
    let with = |accepts: &str, lines: &str| {
        GOOD.replace("[\"json\"]", accepts)
            .replace("[job]", &format!("[input.table]\n{lines}\n[job]"))
    };
    let tables = "[\"csv\"]";
    for (accepts, line, words) in [
        (tables, "encoding = \"utf8\"", "did you mean \"utf-8\"?"),
        (tables, "encoding = \"latin1\"", "write \"windows-1252\""),
        (tables, "encoding = \"ebcdic\"", "or remove the key"),
        (
            tables,
            "percent = \"yes\"",
            "write \"refuse\", \"points\" or \"fraction\"",
        ),
        (tables, "locale = \"de_DE\"", "did you mean \"de-DE\"?"),
        (
            tables,
            "locale = \"de\"",
            "did you mean \"de-DE\", \"de-AT\" or \"de-CH\"?",
        ),
        (tables, "locale = \"ja-JP\"", "write one of en-US, en-GB"),
        (tables, "heder_row = 2", "did you mean header_row?"),
        (
            tables,
            "min_rows = 3\nmax_rows = 2",
            "is 2, less than min_rows, which is 3",
        ),
        (
            tables,
            "required_columns = [\"a\"]\noptional_columns = [\"a\"]",
            "names \"a\", which required_columns also lists",
        ),
        ("[\"excel\"]", "", "write \"xlsx\""),
        ("[\"xlxs\"]", "", "did you mean \"xlsx\"?"),
        ("[\"json\"]", "", "is about tables, but none are accepted"),
        (
            "[\"json\", \"csv\"]",
            "",
            "the rows of tables need a separate schema",
        ),
    ] {
        let found = problems(&with(accepts, line));
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        assert!(found[0].2.contains(words), "{line}: {found:?}");
    }
}

#[test]
fn more_outputs_or_recipients_than_a_run_can_hold_are_refused() {
    let output = "[[outputs]]\npath = \"PATH\"\ntitle = \"t\"\nkind = \"data\"\n";
    let head = &GOOD[..GOOD.find("[[outputs]]").unwrap()];
    let with = |count: usize| {
        (0..count).fold(head.to_owned(), |text, index| {
            text + &output.replace("PATH", &format!("f{index}"))
        })
    };
    assert!(problems(&with(20)).is_empty());
    assert_eq!(problems(&with(21)).len(), 1);
    assert!(
        problems(&with(2).replace("f1", "f0"))[0]
            .2
            .contains("declared above")
    );
    let many: Vec<String> = (0..21)
        .map(|index| format!("\"a{index}@corp.example\""))
        .collect();
    assert_eq!(
        problems(&format!(
            "{GOOD}\n[notify]\nrecipients = [{}]",
            many.join(",")
        ))
        .len(),
        1
    );
}
