use serde_json::{Value, json};

use super::super::{InputFormat, TableSpec};
use super::*;

const GOOD: &str = r#"
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
        (1, "nam", "is no known key; did you mean name?"),
        (2, "title", "is empty; say in a few words what it is"),
        (
            3,
            "descripton",
            "is no known key; did you mean description?",
        ),
        (
            6,
            "input.accepts[0]",
            "is \"cvs\", which is no known format; write \"json\", \"csv\", \"xlsx\" or \"xls\"",
        ),
        (
            7,
            "input.schema",
            "is \"../schema.json\"; it must name a file beside the manifest or below it, such as input.schema.json",
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
        (11, "job.comand", "is no known key; did you mean command?"),
        (
            12,
            "job.vcpus",
            "lies outside the range; write 0.25, 0.5 or a whole number from 1 to 256",
        ),
        (
            13,
            "job.memory_mib",
            "is the number 1.5; write a whole number without quotes",
        ),
        (
            14,
            "job.timeout_minutes",
            "lies outside the range; write a number from 1 to 1440",
        ),
        (
            15,
            "job.attempts",
            "lies outside the range; write a number from 1 to 10",
        ),
        (
            17,
            "outputs[0].title",
            "is missing; for example title = \"Revenue forecast\"",
        ),
        (
            18,
            "outputs[0].path",
            "holds . or .. as a folder; an output lies below the output folder",
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
            "is the number 3; write text in quotes",
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
         models/x/model.toml:15: outputs[0].knid is no known key; did you mean kind?"
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

/// Manifests, each as a change to the good one, and whether it stays good.
#[expect(clippy::too_many_lines, reason = "It is one table.")]
fn cases() -> Vec<(String, bool)> {
    let change = |from: &str, to: &str| {
        assert!(GOOD.contains(from), "{from}");
        GOOD.replacen(from, to, 1)
    };
    let job = |line: &str| change("[job]", &format!("[job]\n{line}"));
    let input = |line: &str| change("[input]", &format!("[input]\n{line}"));
    let table = |lines: &str| {
        change("[\"json\"]", "[\"csv\", \"xlsx\"]").replacen(
            "[job]",
            &format!("[input.table]\n{lines}\n[job]"),
            1,
        )
    };
    let both = |lines: &str| table(lines).replacen("[\"csv\", \"xlsx\"]", "[\"json\", \"csv\"]", 1);
    let output = |line: &str| change("kind = \"table\"", &format!("kind = \"table\"\n{line}"));
    let notify = |line: &str| format!("{GOOD}\n[notify]\n{line}");
    let path = |path: &str| change("forecast.csv", path);
    let secrets = |lines: &str| format!("{GOOD}\n[job.secrets]\n{lines}");
    let refresh =
        |line: &str| format!("{GOOD}\n[refresh]\ncommand = [\"python\", \"refresh.py\"]\n{line}");
    vec![
        (GOOD.to_owned(), true),
        (
            change("title", "description = \"two\\nlines\"\ntitle"),
            true,
        ),
        (
            job("vcpus = 256\nmemory_mib = 64\ntimeout_minutes = 1440\nattempts = 10"),
            true,
        ),
        (input("max_bytes = 104857600"), true),
        (output("required = false"), true),
        (
            notify("recipients = [\"ana@corp.example\", \"b.o+x@eu.corp.example\"]"),
            true,
        ),
        (notify(""), true),
        (path("charts/**/*.{png,svg}"), true),
        (path("..a/b..c/a..b"), true),
        (path("über den/é.csv"), true),
        (change("accepts = [\"json\"]\n", ""), true),
        (change("input.schema.json", "schemas/in.json"), true),
        (GOOD[..GOOD.find("[[outputs]]").unwrap()].to_owned(), true),
        (change("revenue-forecast", "Revenue"), false),
        (change("revenue-forecast", &"a".repeat(64)), false),
        (change("revenue-forecast", ""), false),
        (change("name", "nmae"), false),
        (change("Revenue forecast", " "), false),
        (change("Revenue forecast", "a\\nb"), false),
        (change("Revenue forecast", &"a".repeat(101)), false),
        (
            change(
                "title",
                &format!("description = \"{}\"\ntitle", "a".repeat(1001)),
            ),
            false,
        ),
        (change("[input]", "[inputs]"), false),
        (change("[\"json\"]", "[]"), false),
        (change("[\"json\"]", "[\"json\", \"json\"]"), false),
        (change("[\"json\"]", "[\"csv\"]"), true),
        (change("[\"json\"]", "[\"csv\", \"xlsx\", \"xls\"]"), true),
        (change("[\"json\"]", "[\"csv\", \"csv\"]"), false),
        (change("[\"json\"]", "[\"tsv\"]"), false),
        (change("[\"json\"]", "[\"json\", \"csv\"]"), false),
        (change("[\"json\"]", "\"json\""), false),
        (change("input.schema.json", "/etc/schema.json"), false),
        (change("input.schema.json", "../schema.json"), false),
        (change("input.schema.json", "a/./schema.json"), false),
        (change("input.schema.json", "schema.yaml"), false),
        (change("input.schema.json", ".json"), false),
        (change("schema =", "shema ="), false),
        (input("max_bytes = 0"), false),
        (input("max_bytes = 104857601"), false),
        (input("max_bytes = 1.5"), false),
        (table(""), true),
        (
            table(
                "schema = \"row.json\"\nsheet = \"Plan – Q3\"\nheader_row = 3\nrequired_columns = [\"line\", \"Größe (m²)\"]\noptional_columns = [\"note\"]\nkey = [\"line\", \"note\"]\nmin_rows = 0\nmax_rows = 1000\nlocale = \"de-DE\"\nencoding = \"windows-1252\"\npercent = \"points\"",
            ),
            true,
        ),
        (both("schema = \"row.json\""), true),
        (both(""), false),
        (
            table("").replace("schema =", "max_bytes = 1073741824\nschema ="),
            true,
        ),
        (
            table("").replace("schema =", "max_bytes = 1073741825\nschema ="),
            false,
        ),
        (change("[job]", "[input.table]\n[job]"), false),
        (
            change("[job]", "[input.table]\nlocale = \"de-DE\"\n[job]"),
            false,
        ),
        (table("").replace("[input.table]", "table = 1"), false),
        (table("schema = \"../row.json\""), false),
        (table("sheet = \"\""), false),
        (table("sheet = \" \""), false),
        (table("sheet = \"a/b\""), false),
        (table(&format!("sheet = \"{}\"", "é".repeat(31))), true),
        (table(&format!("sheet = \"{}\"", "é".repeat(32))), false),
        (table("header_row = 0"), false),
        (table("header_row = 1048577"), false),
        (table("required_columns = \"line\""), false),
        (table("required_columns = [\"\"]"), false),
        (table("required_columns = [\" line\"]"), false),
        (table("required_columns = [\"a\\nb\"]"), true),
        (table("optional_columns = [\"a\", \"a\"]"), false),
        (table("key = [1]"), false),
        (table("key = []"), true),
        (table("min_rows = -1"), false),
        (table("max_rows = 0"), false),
        (table("locale = \"de\""), false),
        (table("locale = \"de_DE\""), false),
        (table("encoding = \"UTF-8\""), false),
        (table("encoding = \"utf-16le\""), true),
        (table("percent = \"fraction\""), true),
        (table("percent = \"Points\""), false),
        (table("shet = \"a\""), false),
        (job("vcpus = 0.25\nmemory_mib = 512"), true),
        (job("vcpus = 0.50"), true),
        (job("vcpus = 4.0"), true),
        (job("vcpus = 0.75"), false),
        (job("vcpus = 1.5"), false),
        (job("vcpus = nan"), false),
        (job("vcpus = \"1\""), false),
        (
            secrets("HISTORY_DATABASE_URL = \"history-database\"\n_b2 = \"a.b+c=d@e_f:k.e-y\""),
            true,
        ),
        (secrets(""), true),
        (secrets("A = \"a/b\""), false),
        (secrets("A = \"a:b:c\""), false),
        (secrets("A = \"\""), false),
        (secrets("A = \"app-config\""), false),
        (secrets("A = \"app-config:key\""), false),
        (secrets("A = 1"), false),
        (secrets("AWS_REGION = \"a\""), false),
        (secrets("DROPCAST_MODEL = \"a\""), false),
        (secrets("a-b = \"a\""), false),
        (job("secrets = [\"a\"]"), false),
        (refresh(""), true),
        (refresh("schedule = \"0 6 * * 1-5\""), true),
        (
            refresh("schedule = \" */15  0-23/2 1,15 jan-MAR,7 sun \""),
            true,
        ),
        (refresh("schedule = \"0 6 * *\""), false),
        (refresh("schedule = \"60 6 * * *\""), false),
        (refresh("schedule = \"0 24 * * *\""), false),
        (refresh("schedule = \"0 6 32 * *\""), false),
        (refresh("schedule = \"0 6 L * *\""), false),
        (refresh("schedule = \"0 6 * 13 *\""), false),
        (refresh("schedule = \"0 6 * * 8\""), false),
        (refresh("schedule = \"0 6 * * MON#1\""), false),
        (refresh("schedule = \"0/15 6 * * *\""), false),
        (refresh("schedule = \"@daily\""), false),
        (refresh("schedule = 6"), false),
        (refresh("schedul = \"0 6 * * *\""), false),
        (format!("{GOOD}\n[refresh]\ncommand = []"), false),
        (
            format!("{GOOD}\n[refresh]\nschedule = \"0 6 * * *\""),
            false,
        ),
        (format!("refresh = true\n{GOOD}"), false),
        (job("vcpus = 0"), false),
        (job("vcpus = 257"), false),
        (job("vcpus = -1"), false),
        (job("vcpu = 1"), false),
        (job("memory_mib = 63"), false),
        (job("timeout_minutes = 0"), false),
        (job("timeout_minutes = 1441"), false),
        (job("attempts = 11"), false),
        (job("attempts = \"2\""), false),
        (change("[\"python\", \"main.py\"]", "[]"), false),
        (change("[\"python\", \"main.py\"]", "[\"\"]"), false),
        (
            change("[\"python\", \"main.py\"]", "[\"python\", 1]"),
            false,
        ),
        (
            change("[\"python\", \"main.py\"]", "\"python main.py\""),
            false,
        ),
        (
            change("[\"python\", \"main.py\"]", "[\"a\\u0000b\"]"),
            false,
        ),
        (change("command", "comand"), false),
        (change("\"table\"", "\"tables\""), false),
        (output("required = 1"), false),
        (output("requird = true"), false),
        (path("../a"), false),
        (path("a/../b"), false),
        (path("{a,..}/b"), false),
        (path("/a"), false),
        (path("a/"), false),
        (path("a//b"), false),
        (path("./a"), false),
        (path(""), false),
        (change("[[outputs]]", "[outputs]"), false),
        (notify("recipients = [\"nobody\"]"), false),
        (notify("recipients = [\"a@b\"]"), false),
        (notify("recipients = [\"a b@c.example\"]"), false),
        (notify("recipients = [\"Ana <ana@corp.example>\"]"), false),
        (
            notify("recipients = [\"ana@corp.example\", \"ana@corp.example\"]"),
            false,
        ),
        (notify("recipients = \"ana@corp.example\""), false),
        (notify("recipient = []"), false),
    ]
}

#[test]
fn the_published_schema_and_the_parser_agree() {
    let schema: Value = serde_json::from_str(include_str!(
        "../../../../schemas/model-manifest.schema.json"
    ))
    .unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (text, good) in cases() {
        let value: Value = toml::from_str(&text).unwrap();
        let by_parser = Manifest::parse("model.toml", &text);
        assert_eq!(by_parser.is_ok(), good, "{text}\n{by_parser:?}");
        assert_eq!(
            validator.is_valid(&value),
            good,
            "{text}\n{:?}",
            validator.validate(&value).err()
        );
    }
}

#[test]
fn the_schema_states_the_defaults_that_the_parser_fills_in() {
    let schema: Value = serde_json::from_str(include_str!(
        "../../../../schemas/model-manifest.schema.json"
    ))
    .unwrap();
    let manifest = serde_json::to_value(Manifest::parse("model.toml", GOOD).unwrap()).unwrap();
    for (in_schema, in_manifest) in [
        ("input/properties/accepts", "/input/accepts"),
        ("input/properties/max_bytes", "/input/maxBytes"),
        ("job/properties/vcpus", "/job/vcpus"),
        ("job/properties/memory_mib", "/job/memoryMib"),
        ("job/properties/timeout_minutes", "/job/timeoutMinutes"),
        ("job/properties/attempts", "/job/attempts"),
        ("outputs/items/properties/required", "/outputs/0/required"),
        ("notify/properties/recipients", "/notify/recipients"),
        ("description", "/description"),
    ] {
        let stated = schema.pointer(&format!("/properties/{in_schema}/default"));
        assert_eq!(stated, manifest.pointer(in_manifest), "{in_schema}");
    }
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
fn what_is_wrong_with_a_table_is_said_with_what_was_meant() {
    let with = |accepts: &str, lines: &str| {
        GOOD.replace("[\"json\"]", accepts)
            .replace("[job]", &format!("[input.table]\n{lines}\n[job]"))
    };
    let tables = "[\"csv\"]";
    for (accepts, line, words) in [
        (tables, "encoding = \"utf8\"", "did you mean \"utf-8\"?"),
        (tables, "encoding = \"latin1\"", "write \"windows-1252\""),
        (tables, "encoding = \"ebcdic\"", "or leave it out"),
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
            "names \"a\", which required_columns names too",
        ),
        ("[\"excel\"]", "", "write \"xlsx\""),
        ("[\"xlxs\"]", "", "did you mean \"xlsx\"?"),
        ("[\"json\"]", "", "is about tables, and none is accepted"),
        (
            "[\"json\", \"csv\"]",
            "",
            "one row of a table needs a schema of its own",
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
