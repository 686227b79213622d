use proptest::prelude::*;
use serde_json::json;

use super::*;

fn plan() -> CompiledSchema {
    CompiledSchema::new(&json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["growth"],
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": 80, "default": "Plan"},
            "horizon": {"type": "integer", "minimum": 1, "maximum": 60, "default": 18},
            "unit": {"enum": ["month", "year"]},
            "growth": {"type": "array", "items": {"$ref": "#/$defs/line"}},
            "options": {"type": "object", "default": {}, "properties": {"seasonal": {"type": "boolean", "default": true}}},
        },
        "$defs": {
            "line": {
                "type": "object",
                "required": ["name", "percent"],
                "additionalProperties": false,
                "properties": {
                    "name": {"type": "string", "pattern": "^[A-Z][a-z]*$"},
                    "percent": {"type": "number", "minimum": -90, "maximum": 300},
                    "from": {"type": "string", "format": "date", "default": "2026-01-01"},
                },
            },
        },
    }))
    .unwrap()
}

fn pointers(problems: &ProblemList) -> Vec<&str> {
    problems
        .problems
        .iter()
        .map(|problem| problem.at.as_str())
        .collect()
}

#[test]
fn a_good_document_is_accepted_with_its_defaults() {
    let text =
        "{ \"horizon\": 12,\n  \"growth\": [{\"name\": \"Hardware\", \"percent\": 4.50}] }\n";
    let accepted = read(text.as_bytes(), &plan(), &Limits::default()).unwrap();
    assert_eq!(accepted.encoding, Encoding::Utf8);
    assert_eq!(accepted.defaults, ["/growth/0/from", "/options", "/title"]);
    assert_eq!(
        accepted.document,
        json!({
            "title": "Plan",
            "horizon": 12,
            "growth": [{"name": "Hardware", "percent": 4.5, "from": "2026-01-01"}],
            "options": {"seasonal": true},
        })
    );
    assert_eq!(
        String::from_utf8(accepted.prepared).unwrap(),
        "{ \"horizon\": 12,\n  \"growth\": [{\"name\": \"Hardware\", \"percent\": 4.50, \"from\": \"2026-01-01\"}], \
         \"options\": {\"seasonal\":true}, \"title\": \"Plan\" }\n"
    );
}

#[test]
fn the_same_document_in_every_unicode_encoding_gives_the_same() {
    let text = "{\"growth\": [], \"title\": \"Übersicht 📈\"}";
    let reference = read(text.as_bytes(), &plan(), &Limits::default()).unwrap();
    for mark in ["", "\u{feff}"] {
        let whole = format!("{mark}{text}");
        let utf16: Vec<u16> = whole.encode_utf16().collect();
        for bytes in [
            whole.clone().into_bytes(),
            utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
            utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
            whole
                .chars()
                .flat_map(|c| u32::from(c).to_le_bytes())
                .collect(),
            whole
                .chars()
                .flat_map(|c| u32::from(c).to_be_bytes())
                .collect(),
        ] {
            let accepted = read(&bytes, &plan(), &Limits::default()).unwrap();
            assert_eq!(
                Accepted {
                    encoding: Encoding::Utf8,
                    ..accepted
                },
                reference
            );
        }
    }
}

#[test]
fn bad_files_are_each_refused_with_one_plain_problem() {
    let schema = plan();
    for (bytes, words) in [
        (&b""[..], "The file is empty"),
        (b"\xef\xbb\xbf", "The file is empty"),
        (b"\xff\xfe", "The file is empty"),
        (b"   \r\n ", "The file is empty"),
        (b"hello", "Put texts in double quotation marks."),
        (
            b"{\"growth\": [{\"name\": \"Hardw",
            "The file ends in the middle",
        ),
        (b"{\"growth\": []} x", "only the end of the file is allowed"),
        (
            b"{\"growth\": [], \"title\": \"caf\xe9\"}",
            "The file is not UTF-8",
        ),
        (b"{\"growth\": []}\0", "found a NUL byte"),
        (b"PK\x03\x04\0\0", "an Excel workbook"),
        (
            b"{\"growth\": [{\"name\": \"A\", \"percent\": 1e999}]}",
            "At /growth/0/percent: found 1e999; ",
        ),
        (b"\xff\xfe{", "half of a character at the end"),
    ] {
        let problems = read(bytes, &schema, &Limits::default()).unwrap_err();
        assert_eq!(problems.total(), 1, "{problems}");
        assert!(problems.problems[0].message.contains(words), "{problems}");
    }
    let deep = "[".repeat(1_000_000);
    assert!(
        read(deep.as_bytes(), &schema, &Limits::default())
            .unwrap_err()
            .to_string()
            .contains("127 levels")
    );
}

#[test]
fn a_file_beyond_its_limit_is_not_read() {
    let problems = read(b"{\"growth\": []}", &plan(), &Limits::for_bytes(10)).unwrap_err();
    assert_eq!(
        problems.to_string(),
        "The file has 14 bytes; at most 10 bytes are allowed."
    );
}

#[test]
fn repeated_names_are_reported_beside_broken_rules() {
    let text = br#"{"growth": [], "horizon": 0, "unit": "month", "unit": "year"}"#;
    let problems = read(text, &plan(), &Limits::default()).unwrap_err();
    assert_eq!(pointers(&problems), ["/unit", "/horizon"]);
}

#[test]
fn a_hundred_problems_are_shown_and_the_rest_is_counted() {
    let line = r#"{"name": "a", "percent": "x"}"#;
    let text = format!("{{\"growth\": [{}]}}", vec![line; 150].join(","));
    let problems = read(text.as_bytes(), &plan(), &Limits::default()).unwrap_err();
    assert_eq!((problems.problems.len(), problems.more), (100, 200));
    assert_eq!(problems.problems[99].at, "/growth/49/percent");
}

#[test]
fn a_million_faulty_entries_are_all_counted() {
    let schema = CompiledSchema::new(&json!({"items": {"type": "string"}})).unwrap();
    let text = format!("[{}0]", "1,".repeat(999_999));
    let problems = read(text.as_bytes(), &schema, &Limits::default()).unwrap_err();
    assert_eq!(
        (problems.total(), problems.problems.len()),
        (1_000_000, 100)
    );

    let schema =
        CompiledSchema::new(&json!({"items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}))
            .unwrap();
    assert_eq!(
        read(text.as_bytes(), &schema, &Limits::default())
            .unwrap_err()
            .total(),
        1_000_000
    );

    let schema =
        CompiledSchema::new(&json!({"additionalProperties": false, "properties": {"horizon": {}}}))
            .unwrap();
    let members: Vec<String> = (0..1_000_000)
        .map(|index| format!("\"h{index}\":0"))
        .collect();
    let text = format!("{{{}}}", members.join(","));
    let limits = Limits::for_bytes(text.len() as u64);
    assert_eq!(
        read(text.as_bytes(), &schema, &limits).unwrap_err().total(),
        1_000_000
    );

    let schema = CompiledSchema::new(&json!({"uniqueItems": true})).unwrap();
    let text = format!("[{}0]", "0,".repeat(1_000_000));
    assert_eq!(
        read(text.as_bytes(), &schema, &Limits::default())
            .unwrap_err()
            .total(),
        1_000_000
    );

    let text = format!("{{{}\"a\":0}}", "\"a\":0,".repeat(1_000_000));
    assert_eq!(
        read(text.as_bytes(), &schema, &Limits::default())
            .unwrap_err()
            .total(),
        1_000_000
    );
}

#[test]
fn defaults_that_would_fill_the_memory_are_refused() {
    let schema = json!({"items": {"properties": {"a": {"default": "x".repeat(10_000)}}}});
    let schema = CompiledSchema::new(&schema).unwrap();
    let text = format!("[{}{{}}]", "{},".repeat(10_000));
    let limits = Limits {
        max_memory: 16 * 1024 * 1024,
        ..Limits::default()
    };
    let problems = read(text.as_bytes(), &schema, &limits).unwrap_err();
    assert!(
        problems.to_string().contains("With its defaults filled in"),
        "{problems}"
    );
}

/// Documents that satisfy [`plan`].
fn plans() -> impl Strategy<Value = Value> {
    let line = (
        "[A-Z][a-z]{0,9}",
        -90.0..=300.0_f64,
        prop::option::of(2000..2100_i32),
    )
        .prop_map(|(name, percent, year)| {
            let mut line = json!({"name": name, "percent": percent});
            if let Some(year) = year {
                line["from"] = json!(format!("{year}-02-28"));
            }
            line
        });
    let title = prop::option::of(r"\PC{1,80}");
    let horizon = prop::option::of(1..=60_i64);
    let unit = prop::option::of(prop_oneof![Just("month"), Just("year")]);
    let seasonal = prop::option::of(prop::option::of(any::<bool>()));
    (
        prop::collection::vec(line, 0..6),
        title,
        horizon,
        unit,
        seasonal,
    )
        .prop_map(|(growth, title, horizon, unit, seasonal)| {
            let mut plan = json!({"growth": growth});
            let optional = [
                ("title", title.map(Value::from)),
                ("horizon", horizon.map(Value::from)),
                ("unit", unit.map(Value::from)),
                (
                    "options",
                    seasonal.map(|seasonal| {
                        seasonal.map_or(json!({}), |seasonal| json!({"seasonal": seasonal}))
                    }),
                ),
            ];
            for (name, value) in optional {
                if let Some(value) = value {
                    plan[name] = value;
                }
            }
            plan
        })
}

/// Takes the values at the named places out again.
fn without(mut document: Value, pointers: &[String]) -> Value {
    for pointer in pointers {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        document
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(key);
    }
    document
}

/// A problem put into a good plan, and the pointer that must name it.
fn problems(plan: &Value) -> Vec<(Value, String)> {
    let set = |pointer: &str, key: &str, value: Value| {
        let mut plan = plan.clone();
        plan.pointer_mut(pointer).unwrap()[key] = value;
        (plan, format!("{pointer}/{key}"))
    };
    let mut problems = vec![
        set("", "horizon", json!(61)),
        set("", "horizon", json!("12")),
        set("", "horizon", json!(1.5)),
        set("", "title", json!("")),
        set("", "title", json!("x".repeat(81))),
        set("", "unit", json!("week")),
        set("", "surprise", json!(null)),
        set("", "growth", json!({})),
        set("", "options", json!({"seasonal": 1})),
        (
            without(plan.clone(), &["/growth".to_owned()]),
            String::new(),
        ),
        (json!([plan]), String::new()),
    ];
    problems[8].1.push_str("/seasonal");
    for index in 0..plan["growth"].as_array().unwrap().len() {
        let line = format!("/growth/{index}");
        problems.push(set(&line, "name", json!("lower")));
        problems.push(set(&line, "percent", json!(-91)));
        problems.push(set(&line, "from", json!("31/02/2026")));
        problems.push(set(&line, "other", json!(1)));
        problems.push((without(plan.clone(), &[format!("{line}/percent")]), line));
    }
    problems
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_document_that_satisfies_its_schema_arrives_unchanged(document in plans(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) }.unwrap();
        let accepted = read(text.as_bytes(), &plan(), &Limits::default()).unwrap();
        prop_assert_eq!(&serde_json::from_slice::<Value>(&accepted.prepared).unwrap(), &accepted.document);
        prop_assert_eq!(without(accepted.document, &accepted.defaults), document);
    }

    #[test]
    fn any_single_problem_is_named_by_exactly_its_pointer(document in plans()) {
        let schema = plan();
        for (faulty, pointer) in problems(&document) {
            let problems = read(faulty.to_string().as_bytes(), &schema, &Limits::default()).unwrap_err();
            prop_assert_eq!(pointers(&problems), [pointer.as_str()], "{}", faulty);
        }
    }

    #[test]
    fn a_repeated_name_is_named_by_exactly_its_pointer(document in plans()) {
        let schema = plan();
        for index in 0..document["growth"].as_array().unwrap().len() {
            let line = document["growth"][index].to_string();
            let text = document.to_string().replacen(&line, &line.replacen('{', "{\"name\":\"A\",", 1), 1);
            let problems = read(text.as_bytes(), &schema, &Limits::default()).unwrap_err();
            let first = (0..=index).find(|&at| document["growth"][at] == document["growth"][index]).unwrap();
            prop_assert_eq!(pointers(&problems), [format!("/growth/{first}/name")]);
        }
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = read(&bytes, &plan(), &Limits::default());
    }
}
