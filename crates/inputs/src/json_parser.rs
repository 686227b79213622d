//! A JSON parser for people's mistakes (RFC 8259): it says where and what to do,
//! goes on after what leaves the document readable, and needs no call stack.
//!
//! Numbers: whole numbers keep every digit from −2⁶³ to 2⁶⁴−1, and a longer one is refused, since
//! most readers would round it in silence (an identifier belongs in quotation marks). A number with
//! a point or an exponent is checked as the nearest double; one beyond a double's range, at either
//! end, is refused. The text that the model gets keeps the digits as they were written.

mod advice;

use dropcast_domain::{
    problem::{Problem, ProblemList, place, pointer_segment},
    text::quoted,
};
use serde_json::{Map, Number, Value};

use crate::{
    encoding::position,
    limits::{LIST_COST, Limits, OBJECT_COST, VALUE_COST, text_cost},
};

/// A document that could be read to its end.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The document. For a duplicate name, the first value.
    pub(crate) value: Value,
    /// Problems that did not prevent parsing.
    pub(crate) problems: ProblemList,
    /// Whether every value is the one that was written: no number was refused.
    pub(crate) exact: bool,
    /// Roughly how many bytes of memory the document takes.
    pub(crate) memory: u64,
}

/// Reads one JSON document, or says what is wrong with it.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Parsed, ProblemList> {
    let parser = Parser {
        text,
        at: 0,
        stack: Vec::new(),
        problems: ProblemList::default(),
        exact: true,
        memory: 0,
        limits,
    };
    parser.run()
}

/// An open list or object, and where it was opened.
struct Frame {
    opened: usize,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    Object {
        members: Map<String, Value>,
        name: String,
        repeated: bool,
    },
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Value,
    ValueOrEnd,
    Name,
    NameOrEnd,
    Colon,
    CommaOrEnd,
    Nothing,
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    stack: Vec<Frame>,
    problems: ProblemList,
    exact: bool,
    memory: u64,
    limits: &'t Limits,
}

impl<'t> Parser<'t> {
    fn run(mut self) -> Result<Parsed, ProblemList> {
        let mut root = Value::Null;
        let mut expected = Expected::Value;
        loop {
            self.skip_spaces();
            let Some(byte) = self.byte() else {
                if expected == Expected::Nothing {
                    return Ok(Parsed {
                        value: root,
                        problems: self.problems,
                        exact: self.exact,
                        memory: self.memory,
                    });
                }
                return Err(self.ends_early());
            };
            let completed = match (expected, byte) {
                (Expected::ValueOrEnd, b']')
                | (Expected::NameOrEnd | Expected::CommaOrEnd, b'}' | b']')
                    if self.closes(byte) =>
                {
                    self.at += 1;
                    self.close()
                }
                (Expected::Value | Expected::ValueOrEnd, b'{' | b'[') => {
                    expected = self.open(byte)?;
                    continue;
                }
                (Expected::Value | Expected::ValueOrEnd, _) => Some(self.scalar(expected)?),
                (Expected::Name | Expected::NameOrEnd, b'"') => {
                    self.name()?;
                    expected = Expected::Colon;
                    continue;
                }
                (Expected::Colon, b':') => {
                    self.at += 1;
                    expected = Expected::Value;
                    continue;
                }
                (Expected::CommaOrEnd, b',') => {
                    self.at += 1;
                    expected = if self.in_object() {
                        Expected::Name
                    } else {
                        Expected::Value
                    };
                    continue;
                }
                _ => return Err(self.unexpected(expected)),
            };
            if let Some(value) = completed {
                expected = match self.place(value)? {
                    Some(whole) => {
                        root = whole;
                        Expected::Nothing
                    }
                    None => Expected::CommaOrEnd,
                };
            }
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_spaces(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn in_object(&self) -> bool {
        matches!(
            self.stack.last(),
            Some(Frame {
                content: Content::Object { .. },
                ..
            })
        )
    }

    fn closes(&self, byte: u8) -> bool {
        self.in_object() == (byte == b'}')
    }

    fn open(&mut self, byte: u8) -> Result<Expected, ProblemList> {
        if self.stack.len() >= self.max_depth() {
            return Err(self.too_deep());
        }
        let (content, expected, cost) = if byte == b'{' {
            let content = Content::Object {
                members: Map::new(),
                name: String::new(),
                repeated: false,
            };
            (content, Expected::NameOrEnd, OBJECT_COST)
        } else {
            (Content::List(Vec::new()), Expected::ValueOrEnd, LIST_COST)
        };
        self.spend(cost)?;
        self.stack.push(Frame {
            opened: self.at,
            content,
        });
        self.at += 1;
        Ok(expected)
    }

    fn close(&mut self) -> Option<Value> {
        self.stack.pop().map(|frame| match frame.content {
            Content::List(items) => Value::Array(items),
            Content::Object { members, .. } => Value::Object(members),
        })
    }

    /// Puts a finished value where it belongs; gives it back when it is the whole document.
    fn place(&mut self, value: Value) -> Result<Option<Value>, ProblemList> {
        self.spend(VALUE_COST)?;
        match self.stack.last_mut().map(|frame| &mut frame.content) {
            None => return Ok(Some(value)),
            Some(Content::List(items)) => items.push(value),
            Some(Content::Object { repeated: true, .. }) => {}
            Some(Content::Object { members, name, .. }) => {
                members.insert(std::mem::take(name), value);
            }
        }
        Ok(None)
    }

    fn spend(&mut self, cost: u64) -> Result<(), ProblemList> {
        self.memory += cost;
        if self.memory <= self.limits.max_memory {
            return Ok(());
        }
        let message = "The document contains too many separate values to be read at once. Split it into several files.";
        Err(self.with(Problem::with_message(
            "",
            "too many values",
            "fewer values",
            message,
        )))
    }

    /// Reads the name of a member.
    fn name(&mut self) -> Result<(), ProblemList> {
        let start = self.at;
        let name = self.string()?;
        self.spend(text_cost(&name))?;
        let Some(Frame {
            content:
                Content::Object {
                    members,
                    name: current,
                    repeated,
                },
            ..
        }) = self.stack.last_mut()
        else {
            return Ok(());
        };
        *repeated = members.contains_key(&name);
        *current = name;
        if *repeated {
            self.problems.push_with(|| {
                let pointer = pointer(&self.stack);
                let (line, column) = position(self.text, start);
                let found = format!("a second {}", quoted(&self.text[start + 1..self.at - 1]));
                let message = format!(
                    "{}: this name appears twice in the same object, again on line {line}, column {column}. Keep one of them.",
                    place(&pointer)
                );
                Problem::with_message(&pointer, &found, "each name once", &message)
            });
        }
        Ok(())
    }

    /// Reads a text from its opening quotation mark.
    fn string(&mut self) -> Result<String, ProblemList> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut end = start + 1;
        let mut escapes = false;
        loop {
            match bytes.get(end) {
                None => {
                    self.at = start;
                    return Err(self.ends_early());
                }
                Some(b'"') => break,
                Some(b'\\') => {
                    escapes = true;
                    end += 2;
                }
                Some(0..0x20) => {
                    self.at = end;
                    return Err(self.reject_at(
                        end,
                        "text without line breaks and control characters",
                        advice::IN_TEXT,
                    ));
                }
                Some(_) => end += 1,
            }
        }
        self.at = end + 1;
        if !escapes {
            return Ok(self.text[start + 1..end].to_owned());
        }
        serde_json::from_str(&self.text[start..=end]).map_err(|_| {
            let at = start + advice::bad_escape(&bytes[start..=end]).unwrap_or_default();
            self.reject_at(
                at,
                "one of \\n \\t \\\" \\\\ \\/ \\b \\f \\r or \\u with four hex digits",
                advice::ESCAPE,
            )
        })
    }

    fn scalar(&mut self, expected: Expected) -> Result<Value, ProblemList> {
        if self.byte() == Some(b'"') {
            let text = self.string()?;
            self.spend(text_cost(&text))?;
            return Ok(Value::String(text));
        }
        let token = self.token();
        let value = match token {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            _ if is_number(token) => self.number(token),
            _ => return Err(self.unexpected(expected)),
        };
        self.at += token.len();
        Ok(value)
    }

    /// The word or number at this position.
    fn token(&self) -> &'t str {
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || matches!(c, '+' | '-' | '.' | '_')))
            .unwrap_or(rest.len());
        &rest[..end]
    }

    /// The value of a number token; a rejected one is noted and has no value.
    fn number(&mut self, token: &str) -> Value {
        if !token.contains(['.', 'e', 'E']) && token != "-0" {
            let whole = token
                .parse::<u64>()
                .map(Number::from)
                .or_else(|_| token.parse::<i64>().map(Number::from));
            if let Ok(number) = whole {
                return Value::Number(number);
            }
            let allowed = format!("a whole number from {} to {}", i64::MIN, u64::MAX);
            return self.refuse_number(token, &allowed, advice::LONG_NUMBER);
        }
        let double = token
            .parse::<f64>()
            .ok()
            .filter(|double| double.is_finite());
        let vanished = double == Some(0.0) && {
            let digits = token.split(['e', 'E']).next().unwrap_or_default();
            digits.contains(|c: char| ('1'..='9').contains(&c))
        };
        match double.and_then(Number::from_f64) {
            Some(number) if !vanished => Value::Number(number),
            _ => {
                let allowed = "0 or a number of a size between 5e-324 and 1.7976931348623157e308";
                self.refuse_number(token, allowed, "Check its exponent.")
            }
        }
    }

    fn refuse_number(&mut self, token: &str, allowed: &str, hint: &str) -> Value {
        self.exact = false;
        self.problems.push_with(|| {
            let (line, column) = position(self.text, self.at);
            let hint = format!("It is on line {line}, column {column}. {hint}");
            Problem::new(&pointer(&self.stack), token, allowed).with_hint(&hint)
        });
        Value::Null
    }

    /// Deeper values would overflow the stack when they are dropped.
    fn max_depth(&self) -> usize {
        self.limits.max_depth.min(Limits::MAX_DEPTH)
    }

    fn too_deep(&self) -> ProblemList {
        let (line, column) = position(self.text, self.at);
        let most = self.max_depth();
        let message = format!(
            "Line {line}, column {column}: lists and objects stand more than {most} deep in each other; \
             at most {most} levels are allowed."
        );
        let allowed = format!("at most {most} levels");
        self.with(Problem::with_message(
            "",
            &format!("more than {most} levels"),
            &allowed,
            &message,
        ))
    }

    /// The file ends although something is missing.
    fn ends_early(&self) -> ProblemList {
        let cut = "It may have been cut off while it was saved or sent: save or upload it again.";
        let problem = if self.text.trim_matches([' ', '\t', '\r', '\n']).is_empty() {
            let found = if self.text.is_empty() {
                "an empty file"
            } else {
                "a file of nothing but spaces"
            };
            Problem::with_message(
                "",
                found,
                "a JSON document",
                &format!("The file is empty: {}", advice::EMPTY),
            )
        } else {
            let (opened, what) = match self.stack.last() {
                _ if self.byte() == Some(b'"') => (self.at, "text"),
                Some(Frame {
                    opened,
                    content: Content::List(_),
                }) => (*opened, "list"),
                Some(Frame { opened, .. }) => (*opened, "object"),
                None => (0, "document"),
            };
            let (line, column) = position(self.text, opened);
            let message = format!(
                "The file ends in the middle: the {what} that begins on line {line}, column {column} is not finished. {cut}"
            );
            Problem::with_message(
                "",
                "the end of the file",
                &format!("the rest of the {what}"),
                &message,
            )
        };
        self.with(problem)
    }

    fn unexpected(&self, expected: Expected) -> ProblemList {
        let rest = &self.text[self.at..];
        let hint = advice::hint(expected, rest, self.token());
        self.reject_at(self.at, advice::allowed(expected, self.in_object()), hint)
    }

    /// A problem that ends the reading.
    fn reject_at(&self, at: usize, allowed: &str, hint: &str) -> ProblemList {
        let (line, column) = position(self.text, at);
        let found = advice::found(&self.text[at..]);
        let gap = if hint.is_empty() { "" } else { " " };
        let message = format!(
            "Line {line}, column {column}: found {found}; {allowed} is allowed.{gap}{hint}"
        );
        self.with(Problem::with_message("", &found, allowed, &message))
    }

    /// What was noted before, and this.
    fn with(&self, problem: Problem) -> ProblemList {
        let mut problems = self.problems.clone();
        problems.push(problem);
        problems
    }
}

/// The place of the value that comes next, as a JSON Pointer.
fn pointer(stack: &[Frame]) -> String {
    let mut pointer = String::new();
    for frame in stack {
        pointer.push('/');
        match &frame.content {
            Content::List(items) => pointer.push_str(&items.len().to_string()),
            Content::Object { name, .. } => pointer.push_str(&pointer_segment(name)),
        }
    }
    pointer
}

/// Whether a token is a number as JSON writes it.
fn is_number(token: &str) -> bool {
    fn digits(text: &str) -> usize {
        text.bytes().take_while(u8::is_ascii_digit).count()
    }
    let rest = token.strip_prefix('-').unwrap_or(token);
    let whole = digits(rest);
    if whole == 0 || (whole > 1 && rest.starts_with('0')) {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = digits(fraction);
        if count == 0 {
            return false;
        }
        rest = &fraction[count..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let count = digits(exponent);
        return count > 0 && count == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests;
