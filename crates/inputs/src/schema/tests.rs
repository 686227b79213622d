use serde_json::json;

use super::*;

fn refused(schema: &Value) -> Vec<(String, String)> {
    let error = CompiledSchema::new(schema).map(|_| ()).unwrap_err();
    error
        .problems
        .problems
        .into_iter()
        .map(|problem| (problem.at, problem.message))
        .collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "It is one table.")]
fn what_is_no_schema_is_refused_with_a_sentence() {
    for (schema, pointer, words) in [
        (json!([]), "", "a schema is an object (or true or false)."),
        (json!({"type": "strng"}), "/type", "strng"),
        (
            json!({"properties": {"a": {"minimum": "1"}}}),
            "/properties/a/minimum",
            "\"1\"",
        ),
        (
            json!({"$schema": "http://json-schema.org/draft-07/schema#"}),
            "/$schema",
            "only draft 2020-12 is read",
        ),
        (
            json!({"properties": {"a": {"$ref": "#/$defs/lien"}}, "$defs": {"line": {}}}),
            "/properties/a/$ref",
            "Did you mean #/$defs/line?",
        ),
        (
            json!({"$ref": "#/title", "title": "x"}),
            "/$ref",
            "leads to no schema in this file.",
        ),
        (
            json!({"$ref": "#nowhere"}),
            "/$ref",
            "leads to no schema in this file.",
        ),
        (
            json!({"$ref": "https://corp.example/schema.json"}),
            "/$ref",
            "nothing is fetched",
        ),
        (
            json!({"$ref": "file:///etc/passwd"}),
            "/$ref",
            "nothing is fetched",
        ),
        (
            json!({"$ref": "other.json#/x"}),
            "/$ref",
            "nothing is fetched",
        ),
        (json!({"$dynamicRef": "#a"}), "/$dynamicRef", "write $ref"),
        (
            json!({"$defs": {"a": {"$id": "https://corp.example/a"}}}),
            "/$defs/a/$id",
            "cannot have an $id",
        ),
        (json!({"$ref": "#"}), "", "without end"),
        (
            json!({"$defs": {"a": {"allOf": [{"$ref": "#/$defs/b"}]}, "b": {"not": {"$ref": "#/$defs/a"}}}}),
            "/$defs/a",
            "without end",
        ),
        (
            json!({"properties": {"a": {"format": "dat"}}}),
            "/properties/a/format",
            "Did you mean date?",
        ),
        (
            json!({"format": "colour"}),
            "/format",
            "The formats are date, ",
        ),
        (json!({"pattern": "^(?=a)b"}), "/pattern", "look-around"),
        (json!({"pattern": "(a)\\1"}), "/pattern", "back-references"),
        (
            json!({"pattern": "a{1000}{1000}{100}"}),
            "/pattern",
            "is no pattern that can be used",
        ),
        (
            json!({"patternProperties": {"(?!x)": {}}}),
            "/patternProperties/(?!x)",
            "look-around",
        ),
        (
            json!({"properties": {"a": {"requird": ["x"]}}}),
            "/properties/a/requird",
            "Did you mean required?",
        ),
        (
            json!({"additionalproperties": false}),
            "/additionalproperties",
            "Did you mean additionalProperties?",
        ),
        (
            json!({"dependencies": {"a": ["b"]}}),
            "/dependencies",
            "older draft",
        ),
        (
            json!({"properties": {"n": {"type": "number", "maximum": 5, "default": 6}}}),
            "/properties/n/default",
            "found 6; a number of at most 5 is allowed",
        ),
        (
            json!({"properties": {"o": {"default": {"n": "x"}, "properties": {"n": {"type": "number"}}}}}),
            "/properties/o/default/n",
            "found \"x\"; a number is allowed",
        ),
        (
            json!({"$defs": {"a": {"default": {}, "properties": {"a": {"$ref": "#/$defs/a"}}}}}),
            "/$defs/a/default",
            "without end",
        ),
    ] {
        let found = refused(&schema);
        assert!(
            found
                .iter()
                .any(|(at, message)| at == pointer && message.contains(words)),
            "{schema}: {found:?}"
        );
    }
}

#[test]
fn every_problem_of_a_schema_is_reported_together() {
    let schema = json!({"format": "dat", "properties": {"a": {"$ref": "#/x"}, "b": {"pattern": "(?=x)"}, "c": {"minimun": 1}}});
    let pointers: Vec<String> = refused(&schema)
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    assert_eq!(pointers.len(), 4, "{pointers:?}");
}

#[test]
fn a_schema_file_with_a_mistake_is_named_by_its_line() {
    let error = CompiledSchema::parse(b"{\n \"type\": \"object\",\n}").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("The input schema cannot be used.\nLine 3, column 1: found \"}\""),
        "{error}"
    );
    assert!(
        CompiledSchema::parse(b"{\"type\": \"object\", \"type\": \"array\"}")
            .unwrap_err()
            .to_string()
            .contains("appears twice")
    );
    assert!(CompiledSchema::parse(&vec![b' '; 2 * 1024 * 1024]).is_err());
    assert!(CompiledSchema::parse(b"\xef\xbb\xbf{}").is_ok());
}

#[test]
fn schemas_as_people_write_them_are_taken() {
    for schema in [
        json!(true),
        json!({}),
        json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://corp.example/plan.json", "type": "object"}),
        json!({"definitions": {"a": {}}, "items": {"$ref": "#/definitions/a"}}),
        json!({"$defs": {"a b/é%": {"type": "number"}}, "items": {"$ref": "#/$defs/a%20b~1%C3%A9%25"}}),
        json!({"properties": {"children": {"items": {"$ref": "#"}}, "required": {"type": "string"}, "x-unit": {}}, "x-owner": "ana", "unit": "EUR"}),
        json!({"examples": [{"requird": 1}], "default": {"minimun": 1}, "const": {"minimun": 1}}),
        json!({"title": "t", "example": 1, "deprecated": false}),
    ] {
        assert!(
            CompiledSchema::new(&schema).is_ok(),
            "{schema}: {:?}",
            CompiledSchema::new(&schema).err()
        );
    }
}

#[test]
fn a_pattern_takes_time_linear_in_the_text() {
    let schema = CompiledSchema::new(&json!({"pattern": "^(a+)+$"})).unwrap();
    let text = format!("{}b", "a".repeat(1_000_000));
    // Backtracking would never come to the end of it.
    assert!(!schema.is_valid(&Value::from(text)));
}

#[test]
fn a_place_with_odd_characters_is_reached_by_the_parts_too() {
    let schema =
        CompiledSchema::new(&json!({"properties": {"a b/é%#\"": {"anyOf": [{"type": "number"}]}}}))
            .unwrap();
    for id in schema.node_ids() {
        assert!(
            schema.whole_validator(id).is_some(),
            "{}",
            schema.node(id).location
        );
    }
}
