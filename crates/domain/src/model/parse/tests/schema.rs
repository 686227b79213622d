//! The published schema accepts what the parser accepts.

use serde_json::Value;

use super::{super::*, GOOD};

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
        "../../../../../../schemas/model-manifest.schema.json"
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
        "../../../../../../schemas/model-manifest.schema.json"
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
