use serde_json::json;

use super::*;

fn explained(schema: &Value, document: &Value) -> Vec<String> {
    let schema = CompiledSchema::new(schema).unwrap();
    problems(&schema, document)
        .problems
        .into_iter()
        .map(|problem| problem.message)
        .collect()
}

fn one(schema: &Value, document: &Value) -> String {
    let mut messages = explained(schema, document);
    assert_eq!(messages.len(), 1, "{messages:?}");
    messages.remove(0)
}

#[test]
#[expect(clippy::too_many_lines, reason = "It is one table.")]
fn every_keyword_has_a_sentence_for_people() {
    for (schema, document, expected) in [
        (
            json!({"type": "number"}),
            json!("ten"),
            "In the document: found \"ten\"; a number is allowed.",
        ),
        (
            json!({"type": "number"}),
            json!("10"),
            "In the document: found \"10\"; a number is allowed. Remove the quotation marks.",
        ),
        (
            json!({"type": "number"}),
            json!("1,5"),
            "In the document: found \"1,5\"; a number is allowed. Write the number with a decimal point and without quotation marks.",
        ),
        (
            json!({"type": "integer", "minimum": 1, "maximum": 60}),
            json!(1.5),
            "In the document: found 1.5; a whole number from 1 to 60 is allowed.",
        ),
        (
            json!({"type": "string", "maxLength": 80}),
            json!(7),
            "In the document: found 7; text of at most 80 characters is allowed. Put it in quotation marks.",
        ),
        (
            json!({"type": ["number", "null"]}),
            json!([]),
            "In the document: found an empty list; a number or null (no value) is allowed.",
        ),
        (
            json!({"type": "object"}),
            json!([1]),
            "In the document: found a list of 1 item; an object is allowed.",
        ),
        (
            json!({"type": "string"}),
            Value::Null,
            "In the document: found null (no value); text is allowed. Fill it in, or leave the entry out.",
        ),
        (
            json!({"enum": ["month", "year"]}),
            json!("Monht"),
            "In the document: found \"Monht\"; one of \"month\" or \"year\" is allowed. Did you mean \"month\"?",
        ),
        (
            json!({"type": "string", "enum": ["a", "b"]}),
            json!(1),
            "In the document: found 1; one of \"a\" or \"b\" is allowed.",
        ),
        (
            json!({"const": 3}),
            json!(4),
            "In the document: found 4; only 3 is allowed.",
        ),
        (
            json!({"minimum": 0, "exclusiveMaximum": 1}),
            json!(1),
            "In the document: found 1; a number of at least 0 and below 1 is allowed.",
        ),
        (
            json!({"type": "number", "minimum": -90, "maximum": 300}),
            json!(301),
            "In the document: found 301; a number from -90 to 300 is allowed.",
        ),
        (
            json!({"multipleOf": 0.5}),
            json!(0.7),
            "In the document: found 0.7; a number that is a multiple of 0.5 is allowed.",
        ),
        (
            json!({"minLength": 3, "maxLength": 5}),
            json!("ab"),
            "In the document: found \"ab\" (2 characters); text of 3 to 5 characters is allowed.",
        ),
        (
            json!({"pattern": "^20[0-9]{2}$", "examples": ["2027"]}),
            json!("27"),
            "In the document: found \"27\"; text of the form ^20[0-9]{2}$ is allowed. For example: \"2027\".",
        ),
        (
            json!({"format": "date"}),
            json!("31/02/2026"),
            "In the document: found \"31/02/2026\"; a date such as 2026-01-31 is allowed.",
        ),
        (
            json!({"minItems": 2}),
            json!([1]),
            "In the document: found a list of 1 item; a list of at least 2 items is allowed.",
        ),
        (
            json!({"maxItems": 1}),
            json!([1, 2]),
            "In the document: found a list of 2 items; a list of at most 1 item is allowed.",
        ),
        (
            json!({"minProperties": 1}),
            json!({}),
            "In the document: found an empty object; an object with at least 1 entry is allowed.",
        ),
        (
            json!({"uniqueItems": true}),
            json!([1, 2, 1.0]),
            "At /2: found 1.0, which is already at /0; each item is allowed once.",
        ),
        (
            json!({"contains": {"const": 1}}),
            json!([2]),
            "In the document: found a list of 1 item; a list with at least 1 item of the kind that is needed is allowed.",
        ),
        (
            json!({"not": {"const": 0}}),
            json!(0),
            "In the document: found 0; anything but 0 is allowed.",
        ),
        (
            json!({"prefixItems": [{}, {}], "items": false}),
            json!([1, 2, 3]),
            "In the document: found a list of 3 items; a list of at most 2 items is allowed.",
        ),
        (
            json!({"properties": {"old": false}}),
            json!({"old": 1}),
            "At /old: found 1; nothing is allowed here. Remove it.",
        ),
        (
            json!({"propertyNames": {"maxLength": 3}}),
            json!({"long": 1}),
            "At /long: found the name \"long\"; as a name, text of at most 3 characters is allowed.",
        ),
        (
            json!({"dependentRequired": {"from": ["to"]}}),
            json!({"from": 1}),
            "In the document: \"to\" is missing, which is needed because \"from\" is given.",
        ),
        (
            json!({"required": ["growth"], "properties": {"growth": {"type": "number"}}}),
            json!({"growht": 1}),
            "In the document: \"growth\" is missing; a number is allowed there. Is it what \"growht\" was meant to be?",
        ),
        (
            json!({"properties": {"growth": {}, "title": {}}, "additionalProperties": false}),
            json!({"grwth": 1}),
            "At /grwth: the name \"grwth\" is not known here; \"growth\" or \"title\" is allowed. Did you mean \"growth\"?",
        ),
        (
            json!({"patternProperties": {"^20[0-9]{2}$": {}}, "additionalProperties": false}),
            json!({"27": 1}),
            "At /27: the name \"27\" is not known here; a name of the form ^20[0-9]{2}$ is allowed.",
        ),
        (
            json!({"properties": {"a": {}}, "unevaluatedProperties": false}),
            json!({"a": 1, "b/c": 2}),
            "At /b~1c: the name \"b/c\" is not known here.",
        ),
        (
            json!({"if": {"properties": {"kind": {"const": "a"}}}, "then": {"required": ["x"]}, "else": {"required": ["y"]}}),
            json!({"kind": "b"}),
            "In the document: \"y\" is missing.",
        ),
        (
            json!({"dependentSchemas": {"a": {"properties": {"b": {"type": "string"}}}}}),
            json!({"a": 1, "b": true}),
            "At /b: found true; text is allowed. Put it in quotation marks.",
        ),
        (
            json!(false),
            json!(1),
            "In the document: found 1; nothing is allowed here. Remove it.",
        ),
    ] {
        assert_eq!(one(&schema, &document), expected, "{schema}");
    }
}

#[test]
fn a_choice_between_kinds_names_every_kind() {
    let schema = json!({"anyOf": [{"type": "number", "minimum": 0}, {"type": "null"}, {"enum": ["none", "all"]}]});
    assert_eq!(
        one(&schema, &json!([])),
        "In the document: found an empty list; a number of at least 0, null (no value) or one of \"none\" or \"all\" is allowed."
    );
    assert_eq!(
        one(&schema, &json!(-1)),
        "In the document: found -1; a number of at least 0 is allowed."
    );
    assert_eq!(
        one(&schema, &json!("al")),
        "In the document: found \"al\"; one of \"none\" or \"all\" is allowed."
    );
}

#[test]
fn a_choice_between_objects_is_explained_by_the_branch_that_was_meant() {
    let branch = |kind: &str, field: &str| json!({"type": "object", "properties": {"kind": {"const": kind}, field: {"type": "number"}}, "required": ["kind", field], "additionalProperties": false});
    for keyword in ["oneOf", "anyOf"] {
        let schema = json!({
            "$defs": {"flat": branch("flat", "percent"), "steps": branch("steps", "by")},
            "items": {keyword: [{"$ref": "#/$defs/flat"}, {"$ref": "#/$defs/steps"}]},
        });
        assert_eq!(
            explained(&schema, &json!([{"kind": "steps", "by": "x"}])),
            ["At /0/by: found \"x\"; a number is allowed."]
        );
        assert_eq!(
            explained(&schema, &json!([{"kind": "flat", "percent": true}])),
            ["At /0/percent: found true; a number is allowed."]
        );
        assert_eq!(
            explained(&schema, &json!([{"by": 1}])),
            ["At /0: \"kind\" is missing; only \"steps\" is allowed there."]
        );
    }
}

#[test]
fn a_choice_between_names_that_may_be_given_names_them_all() {
    let schema = json!({"anyOf": [{"required": ["from"]}, {"required": ["until"]}]});
    assert_eq!(
        one(&schema, &json!({})),
        "In the document: found an empty object; an object with \"from\" or an object with \"until\" is allowed."
    );
}

#[test]
fn a_value_that_fits_several_of_which_one_is_allowed_is_named() {
    let schema = json!({"oneOf": [{"minimum": 0}, {"maximum": 10}]});
    assert_eq!(
        one(&schema, &json!(5)),
        "In the document: found 5, which fits 2 of the 2 forms that are described; only a value that fits one is allowed."
    );
}

#[test]
fn keywords_behind_references_are_explained_at_the_value() {
    let schema = json!({
        "$defs": {"line": {"$anchor": "line", "allOf": [{"$ref": "#/$defs/named"}], "properties": {"lines": {"items": {"$ref": "#line"}}}},
                  "named": {"required": ["name"], "properties": {"name": {"type": "string"}}}},
        "$ref": "#line",
    });
    let document = json!({"name": "a", "lines": [{"name": "b"}, {"name": 1, "lines": [{}]}]});
    assert_eq!(
        explained(&schema, &document),
        [
            "At /lines/1/lines/0: \"name\" is missing; text is allowed there.",
            "At /lines/1/name: found 1; text is allowed. Put it in quotation marks.",
        ]
    );
}

#[test]
fn choices_within_choices_come_to_an_end() {
    let schema = json!({
        "$defs": {"node": {"anyOf": [
            {"type": "object", "required": ["left"], "properties": {"left": {"$ref": "#/$defs/node"}}},
            {"type": "object", "required": ["right"], "properties": {"left": {"$ref": "#/$defs/node"}, "right": {}}},
            {"type": "number"},
        ]}},
        "$ref": "#/$defs/node",
    });
    let mut document = json!("x");
    for _ in 0..100 {
        document = json!({"left": document});
    }
    let compiled = CompiledSchema::new(&schema).unwrap();
    // Trying each choice at each level anew would take 2^100 steps.
    assert!(!compiled.is_valid(&document));
    assert!(!problems(&compiled, &document).is_empty());
}

#[test]
fn the_metaschema_itself_explains_a_schema() {
    let error = CompiledSchema::new(&json!({"type": "strng"})).unwrap_err();
    assert_eq!(error.problems.problems[0].at, "/type");
}

mod agreement {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3..4_i64).prop_map(Value::from),
            (-3..4_i32).prop_map(|number| Value::from(f64::from(number) / 2.0)),
            "[ab]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[abc]", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn keywords() -> impl Strategy<Value = Value> {
        prop_oneof![
            prop_oneof![
                Just("string"),
                Just("number"),
                Just("integer"),
                Just("object"),
                Just("array"),
                Just("null")
            ]
            .prop_map(|name| json!({"type": name})),
            values().prop_map(|value| json!({"const": value})),
            prop::collection::vec(values(), 1..4).prop_map(|values| json!({"enum": values})),
            (-2..3_i64).prop_map(|limit| json!({"minimum": limit})),
            (-2..3_i64).prop_map(|limit| json!({"exclusiveMaximum": limit})),
            (1..3_u64).prop_map(|limit| json!({"maxLength": limit, "multipleOf": limit})),
            Just(json!({"pattern": "^a"})),
            (0..3_u64).prop_map(|limit| json!({"minItems": limit, "maxProperties": limit})),
            Just(json!({"uniqueItems": true})),
            Just(json!({"required": ["a"]})),
            Just(json!({"dependentRequired": {"a": ["b"]}})),
            Just(json!({"$ref": "#/$defs/d"})),
            any::<bool>().prop_map(Value::from),
        ]
    }

    fn schemas() -> impl Strategy<Value = Value> {
        keywords().prop_recursive(4, 24, 3, |inner| {
            let list = prop::collection::vec(inner.clone(), 1..4);
            let two = (inner.clone(), inner.clone());
            prop_oneof![
                inner.clone().prop_map(|schema| json!({"items": schema})),
                list.clone()
                    .prop_map(|schemas| json!({"prefixItems": schemas, "items": false})),
                two.clone().prop_map(
                    |(a, b)| json!({"properties": {"a": a, "b": b}, "additionalProperties": false})
                ),
                two.clone()
                    .prop_map(|(a, b)| json!({"properties": {"a": a}, "unevaluatedProperties": b})),
                two.clone().prop_map(
                    |(a, b)| json!({"patternProperties": {"[ab]": a}, "additionalProperties": b})
                ),
                inner
                    .clone()
                    .prop_map(|schema| json!({"propertyNames": schema})),
                inner
                    .clone()
                    .prop_map(|schema| json!({"contains": schema, "unevaluatedItems": false})),
                inner.clone().prop_map(|schema| json!({"not": schema})),
                inner
                    .clone()
                    .prop_map(|schema| json!({"dependentSchemas": {"a": schema}})),
                list.clone().prop_map(|schemas| json!({"allOf": schemas})),
                list.clone().prop_map(|schemas| json!({"anyOf": schemas})),
                list.prop_map(|schemas| json!({"oneOf": schemas})),
                (inner.clone(), two)
                    .prop_map(|(test, (a, b))| json!({"if": test, "then": a, "else": b})),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_500))]

        #[test]
        fn a_document_has_problems_exactly_when_it_is_invalid(schema in schemas(), target in keywords(), document in values()) {
            let mut schema = schema;
            if let Some(keywords) = schema.as_object_mut() {
                keywords.insert("$defs".to_owned(), json!({"d": target}));
            }
            // A reference that leads back to itself is no schema.
            let Ok(schema) = CompiledSchema::new(&schema) else { return Ok(()) };
            let found = problems_at(&schema, NodeId::ROOT, &document);
            prop_assert_eq!(found.is_empty(), schema.is_valid(&document), "{:?} {} {}", schema, document, found);
            for problem in &found.problems {
                let (parent, _) = problem.at.rsplit_once('/').unwrap_or_default();
                prop_assert!(document.pointer(&problem.at).or(document.pointer(parent)).is_some(), "{}", problem);
            }
        }
    }
}
