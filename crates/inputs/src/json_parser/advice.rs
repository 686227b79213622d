//! The words in which broken JSON is explained.

use dropcast_domain::text::quoted;

use super::Expected;

pub(super) const EMPTY: &str = "it contains no JSON document. Fill it in, or save it again.";
pub(super) const IN_TEXT: &str =
    "Write a line break in a text as \\n, a tab as \\t, and close the text with a quotation mark.";
pub(super) const ESCAPE: &str = "A backslash itself is written as two.";
pub(super) const LONG_NUMBER: &str =
    "It has more digits than can be kept exactly; put an identifier in quotation marks.";

/// What is allowed at a position.
pub(super) fn allowed(expected: Expected, in_object: bool) -> &'static str {
    match expected {
        Expected::Value => "a value",
        Expected::ValueOrEnd => "a value or ]",
        Expected::Name => "a name in double quotation marks",
        Expected::NameOrEnd => "a name in double quotation marks or }",
        Expected::Colon => "a colon",
        Expected::CommaOrEnd if in_object => "a comma or }",
        Expected::CommaOrEnd => "a comma or ]",
        Expected::Nothing => "only the end of the file",
    }
}

/// The beginning of the text at a position.
pub(super) fn found(rest: &str) -> String {
    match rest.chars().next() {
        None => "the end of the file".to_owned(),
        Some('\0') => "a NUL byte".to_owned(),
        Some('\n' | '\r') => "a line break".to_owned(),
        Some('\t') => "a tab".to_owned(),
        Some(c) if c.is_alphanumeric() || matches!(c, '+' | '-' | '.' | '_' | '\\' | '"') => {
            let end = rest
                .char_indices()
                .skip(1)
                .find(|(_, c)| c.is_whitespace() || matches!(c, ',' | ':' | ']' | '}'));
            quoted(head(&rest[..end.map_or(rest.len(), |(index, _)| index)]))
        }
        Some(c) => quoted(c.encode_utf8(&mut [0; 4])),
    }
}

/// At most 40 characters: enough to find a place by.
fn head(text: &str) -> &str {
    text.char_indices()
        .nth(40)
        .map_or(text, |(index, _)| &text[..index])
}

/// What to do about the text at a position; may be empty.
pub(super) fn hint(expected: Expected, rest: &str, token: &str) -> &'static str {
    let first = rest.chars().next().unwrap_or_default();
    let value_wanted = matches!(expected, Expected::Value | Expected::ValueOrEnd);
    let name_wanted = matches!(expected, Expected::Name | Expected::NameOrEnd);
    match first {
        '\0' => "The file may be damaged, or it may not be a text file: save it again as UTF-8.",
        '\'' | '‘' | '’' | '“' | '”' | '„' | '«' | '`' => {
            "Put texts and names in straight double quotation marks."
        }
        '#' => "Comments are not part of JSON: remove them.",
        '/' if rest.starts_with("//") || rest.starts_with("/*") => {
            "Comments are not part of JSON: remove them."
        }
        '<' if expected == Expected::Value => "This looks like a web page or XML, not JSON.",
        '}' | ']' if matches!(expected, Expected::Value | Expected::Name) => {
            "Remove the comma before it, or add what is missing."
        }
        '}' | ']' if expected == Expected::CommaOrEnd => {
            "An opening and a closing bracket do not match."
        }
        ',' if value_wanted || name_wanted => "Remove the extra comma, or add what is missing.",
        '=' if expected == Expected::Colon => "Write a colon between a name and its value.",
        '{' | '[' if expected == Expected::Nothing => {
            "Put several documents into one list: [ first, second ]."
        }
        '"' | '{' | '[' if expected == Expected::CommaOrEnd => "A comma is missing before it.",
        c if expected == Expected::Name && c.is_ascii_digit() => {
            "Write decimals with a point, such as 1.5, and numbers without separators."
        }
        _ if name_wanted => "Put the name in double quotation marks.",
        _ if value_wanted => value_hint(token),
        _ => "",
    }
}

fn value_hint(token: &str) -> &'static str {
    let unsigned = token.trim_start_matches(['+', '-']);
    match unsigned {
        "NaN" | "nan" | "Infinity" | "inf" | "Inf" | "INF" => {
            "JSON has no such number: leave the entry out or write null."
        }
        "True" | "False" | "TRUE" | "FALSE" | "None" | "NULL" | "Null" | "nil" | "undefined" => {
            "Write true, false or null in lower case."
        }
        _ if unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            number_hint(token, unsigned)
        }
        _ if unsigned.starts_with(|c: char| c.is_numeric()) => {
            "Write numbers with the digits 0 to 9."
        }
        "" => "",
        _ => "Put texts in double quotation marks.",
    }
}

fn number_hint(token: &str, unsigned: &str) -> &'static str {
    if unsigned.contains(|c: char| c.is_alphabetic() && !matches!(c, 'e' | 'E'))
        || unsigned.contains('-')
    {
        "Put texts and dates in double quotation marks."
    } else if token.starts_with('+') {
        "Write the number without a plus sign."
    } else if unsigned.matches('.').count() > 1 {
        "Write numbers without separators, such as 1234.5."
    } else if unsigned.starts_with('.') || unsigned.ends_with('.') {
        "Write digits on both sides of the point, such as 0.5."
    } else if unsigned.starts_with('0') {
        "Write the number without leading zeros, or put it in quotation marks."
    } else {
        "This is not how JSON writes a number."
    }
}

/// The offset of the first wrong escape in a text with its quotation marks.
pub(super) fn bad_escape(token: &[u8]) -> Option<usize> {
    let code = |at: usize| {
        let digits = token.get(at..at + 4)?;
        u16::from_str_radix(
            std::str::from_utf8(digits)
                .ok()
                .filter(|text| !text.starts_with('+'))?,
            16,
        )
        .ok()
    };
    let mut at = 0;
    while at < token.len() {
        if token[at] != b'\\' {
            at += 1;
            continue;
        }
        match token.get(at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at += 2,
            b'u' => match code(at + 2) {
                // A pair of surrogates is one character (RFC 8259, section 7).
                Some(0xd800..0xdc00) => {
                    let low = token.get(at + 6..at + 8) == Some(b"\\u");
                    if !low || !matches!(code(at + 8), Some(0xdc00..0xe000)) {
                        return Some(at);
                    }
                    at += 12;
                }
                Some(0xdc00..0xe000) | None => return Some(at),
                Some(_) => at += 6,
            },
            _ => return Some(at),
        }
    }
    None
}
