//! Defaults written into the user's own text, so that whatever they wrote
//! reaches the model as they wrote it.

use std::collections::HashMap;

use dropcast_domain::problem::pointer_segment;
use serde_json::Value;

use crate::defaults::Insert;

/// The text with the values that were filled into `document` added to its objects.
///
/// `text` is valid JSON, and `document` is what it holds with the inserts applied.
pub(super) fn splice(text: &str, document: &Value, inserts: &[Insert]) -> Vec<u8> {
    let mut additions: HashMap<&str, Vec<&str>> = HashMap::new();
    for insert in inserts {
        additions
            .entry(&insert.parent)
            .or_default()
            .push(&insert.key);
    }
    let mut out = Vec::with_capacity(text.len() + 32 * inserts.len());
    let mut copied = 0;
    each_object(text, |pointer, end, empty| {
        let (Some(keys), Some(object)) = (additions.get(pointer), document.pointer(pointer)) else {
            return;
        };
        out.extend_from_slice(&text.as_bytes()[copied..end]);
        copied = end;
        for (index, key) in keys.iter().enumerate() {
            if index > 0 || !empty {
                out.extend_from_slice(b", ");
            }
            out.extend_from_slice(format!("{}: {}", Value::from(*key), object[*key]).as_bytes());
        }
    });
    out.extend_from_slice(&text.as_bytes()[copied..]);
    out
}

/// An open list or object.
struct Frame {
    /// The length of its own pointer.
    pointer: usize,
    /// How many items a list has so far; `None` for an object.
    items: Option<usize>,
    /// Where its last value ends, or its opening bracket.
    end: usize,
    empty: bool,
}

/// Calls back for every object of a valid JSON text when it closes: its pointer, where
/// its last member ends, and whether it has none. The places only grow.
fn each_object(text: &str, mut closed: impl FnMut(&str, usize, bool)) {
    let bytes = text.as_bytes();
    let mut stack: Vec<Frame> = Vec::new();
    let mut pointer = String::new();
    let mut name_is_next = false;
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b':' => {
                at += 1;
                continue;
            }
            b',' => {
                name_is_next = stack.last().is_some_and(|frame| frame.items.is_none());
                at += 1;
                continue;
            }
            b'}' | b']' => {
                if let Some(frame) = stack.pop() {
                    pointer.truncate(frame.pointer);
                    if frame.items.is_none() {
                        closed(&pointer, frame.end, frame.empty);
                    }
                }
                at += 1;
                note_end(&mut stack, at);
                continue;
            }
            b'"' if name_is_next => {
                let end = string_end(bytes, at);
                let name: String = serde_json::from_str(&text[at..end]).unwrap_or_default();
                if let Some(frame) = stack.last_mut() {
                    frame.empty = false;
                    pointer.truncate(frame.pointer);
                }
                pointer.push('/');
                pointer.push_str(&pointer_segment(&name));
                name_is_next = false;
                at = end;
                continue;
            }
            _ => {}
        }
        // A value begins here.
        if let Some(Frame {
            pointer: length,
            items: Some(count),
            empty,
            ..
        }) = stack.last_mut()
        {
            pointer.truncate(*length);
            pointer.push('/');
            pointer.push_str(&count.to_string());
            *count += 1;
            *empty = false;
        }
        if matches!(byte, b'{' | b'[') {
            at += 1;
            let items = (byte == b'[').then_some(0);
            name_is_next = items.is_none();
            stack.push(Frame {
                pointer: pointer.len(),
                items,
                end: at,
                empty: true,
            });
        } else {
            at = if byte == b'"' {
                string_end(bytes, at)
            } else {
                scalar_end(bytes, at)
            };
            note_end(&mut stack, at);
        }
    }
}

fn note_end(stack: &mut [Frame], at: usize) {
    if let Some(frame) = stack.last_mut() {
        frame.end = at;
    }
}

fn string_end(bytes: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

fn scalar_end(bytes: &[u8], start: usize) -> usize {
    let length = bytes[start..]
        .iter()
        .take_while(|byte| !b" \t\r\n,]}".contains(byte))
        .count();
    start + length.max(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn insert(parent: &str, key: &str) -> Insert {
        Insert {
            parent: parent.to_owned(),
            key: key.to_owned(),
        }
    }

    #[test]
    fn what_was_written_stays_as_it_was_written() {
        let text = "{\n  \"rate\": 1.10,\n  \"list\": [ {}, {\"x\":1e2} ],\n  \"~/\": { \"k\" : 123456789012345.123456789 }\n}\n";
        let document = json!({"rate": 1.1, "list": [{"a": "é"}, {"x": 100.0, "a": null}], "~/": {"b": [1]}, "z": {}});
        let inserts = [
            insert("/list/0", "a"),
            insert("/list/1", "a"),
            insert("/~0~1", "b"),
            insert("", "z"),
            insert("", "rate"),
        ];
        let spliced = String::from_utf8(splice(text, &document, &inserts[..4])).unwrap();
        assert_eq!(
            spliced,
            "{\n  \"rate\": 1.10,\n  \"list\": [ {\"a\": \"é\"}, {\"x\":1e2, \"a\": null} ],\n  \
             \"~/\": { \"k\" : 123456789012345.123456789, \"b\": [1] }, \"z\": {}\n}\n"
        );
        assert_eq!(splice(text, &document, &[]), text.as_bytes());
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[\\[\\]{}\",:\\\\ ~/a]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 60, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[\\[\\]{}\",:\\\\ ~/a]{0,4}", inner, 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// Adds a member to every object, deepest last, and notes it.
    fn extend(value: &mut Value, pointer: &str, inserts: &mut Vec<Insert>) {
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    extend(item, &format!("{pointer}/{index}"), inserts);
                }
            }
            Value::Object(members) => {
                for (key, member) in members.iter_mut() {
                    extend(
                        member,
                        &format!("{pointer}/{}", pointer_segment(key)),
                        inserts,
                    );
                }
                members.insert("added".to_owned(), json!({"to": pointer}));
                inserts.push(insert(pointer, "added"));
            }
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn the_spliced_text_holds_the_filled_document(document in documents(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) }.unwrap();
            let mut filled = document.clone();
            let mut inserts = Vec::new();
            extend(&mut filled, "", &mut inserts);
            let spliced = splice(&text, &filled, &inserts);
            prop_assert_eq!(serde_json::from_slice::<Value>(&spliced).unwrap(), filled);
        }
    }
}
