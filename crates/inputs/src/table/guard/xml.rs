//! One pass over the XML of a workbook's part, before its reader sees it.
//!
//! It finds the same markup as the reader does and bounds what the reader would keep: how
//! long one piece is, how deep elements stand in each other, how many of those there are
//! that are kept, and that every reference to a cell is one that a sheet has (the reader's
//! own arithmetic wraps round). A document type declaration, the place where entities are
//! defined, is refused.

mod attributes;

use std::mem;

use self::attributes::{
    attribute, check_references, check_relationship, is_cell, is_range, is_row, number,
};
use super::is_countable;

/// The longest piece of text, comment or tag in bytes: the reader keeps one at a time.
const MAX_PIECE_BYTES: u64 = 16 * 1024 * 1024;

/// The longest cell, shared text or name with all that stands in it, in bytes. Excel's
/// longest text has 32,767 characters.
const MAX_UNIT_BYTES: u64 = 1024 * 1024;

/// How deep elements stand in each other.
const MAX_DEPTH: u64 = 1_000;

/// How many sheets, names, fonts and the like a workbook's reader keeps. Excel writes at
/// most 65,490 styles.
const MAX_KEPT: u64 = 400_000;

/// Why a part is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PartProblem {
    /// There is more of something than the reader should meet.
    TooLarge(&'static str),
    /// It is not what a workbook holds.
    Broken(&'static str),
}

/// What the reader will keep of a part.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    /// Shared texts.
    pub(super) texts: u64,
    /// How many shared texts the part says it has.
    pub(super) declared_texts: u64,
    /// Cell styles, each of which keeps a copy of a font, a fill, a border and a format.
    pub(super) styles: u64,
    /// The longest of those, in bytes of XML.
    pub(super) longest_style: u64,
    /// Everything else that is kept.
    kept: u64,
}

impl Facts {
    pub(super) fn add(&mut self, other: &Self) {
        self.texts = self.texts.saturating_add(other.texts);
        self.styles = self.styles.saturating_add(other.styles);
        self.longest_style = self.longest_style.max(other.longest_style);
        self.kept = self.kept.saturating_add(other.kept);
    }
}

/// The pass over one part; fed with its bytes block by block.
#[derive(Debug, Default)]
pub(super) struct Scan {
    state: State,
    /// How many bytes the present piece of text or markup has.
    piece: u64,
    /// How many bytes came before the present block's rest.
    offset: u64,
    /// The present tag, without its angle brackets.
    tag: Vec<u8>,
    /// Where it begins.
    tag_start: u64,
    depth: u64,
    unit: Option<Unit>,
    facts: Facts,
    styles: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    /// In a tag, and in which quotation marks.
    Tag(Option<u8>),
    /// After `<!`, before it is known what it begins.
    Bang,
    /// In a comment, after so many hyphens.
    Comment(u8),
    /// In a CDATA section, after so many brackets.
    Cdata(u8),
    /// In a processing instruction, after a question mark or not.
    Instruction(bool),
}

/// An element whose whole content is kept in one piece.
#[derive(Debug)]
struct Unit {
    name: &'static [u8],
    start: u64,
    style: bool,
}

impl Scan {
    /// `styles` says that the part holds the workbook's cell styles.
    pub(super) fn new(styles: bool) -> Self {
        Self {
            styles,
            ..Self::default()
        }
    }

    /// Reads on.
    pub(super) fn feed(&mut self, block: &[u8]) -> Result<(), PartProblem> {
        let mut rest = block;
        while !rest.is_empty() {
            let used = match self.state {
                State::Text => self.text(rest),
                State::Tag(quote) => self.in_tag(rest, quote)?,
                State::Bang => self.bang(rest[0])?,
                State::Comment(_) | State::Cdata(_) | State::Instruction(_) => self.aside(rest)?,
            };
            self.offset += used as u64;
            self.piece += used as u64;
            if self.piece > MAX_PIECE_BYTES {
                return Err(PartProblem::TooLarge("a piece of more than 16 MiB"));
            }
            let unit_start = self.unit.as_ref().map(|unit| unit.start);
            if unit_start.is_some_and(|start| self.offset - start > MAX_UNIT_BYTES) {
                return Err(PartProblem::TooLarge("a text of more than 1 MiB"));
            }
            rest = &rest[used..];
        }
        Ok(())
    }

    /// What the part holds, once it was read to its end.
    pub(super) fn finish(self) -> Result<Facts, PartProblem> {
        if self.state == State::Text {
            Ok(self.facts)
        } else {
            Err(PartProblem::Broken("unfinished markup"))
        }
    }

    /// Text up to the next markup.
    fn text(&mut self, bytes: &[u8]) -> usize {
        let Some(markup) = bytes.iter().position(|b| *b == b'<') else {
            return bytes.len();
        };
        self.begin(State::Tag(None));
        self.tag.clear();
        self.tag_start = self.offset + markup as u64;
        markup + 1
    }

    fn begin(&mut self, state: State) {
        self.state = state;
        self.piece = 0;
    }

    /// A tag up to its end, or to the next quotation mark.
    fn in_tag(&mut self, bytes: &[u8], quote: Option<u8>) -> Result<usize, PartProblem> {
        if self.tag.is_empty() {
            match bytes[0] {
                b'!' => {
                    self.state = State::Bang;
                    return Ok(1);
                }
                b'?' => {
                    self.state = State::Instruction(false);
                    self.tag.push(b'?');
                    return Ok(1);
                }
                _ => {}
            }
        }
        let end = bytes.iter().position(|&b| match quote {
            Some(quote) => b == quote,
            None => matches!(b, b'>' | b'"' | b'\''),
        });
        let Some(end) = end else {
            self.tag.extend_from_slice(bytes);
            return Ok(bytes.len());
        };
        match (quote, bytes[end]) {
            (None, b'>') => {
                self.tag.extend_from_slice(&bytes[..end]);
                self.offset += end as u64 + 1;
                let tag = mem::take(&mut self.tag);
                let done = self.element(&tag);
                self.tag = tag;
                self.offset -= end as u64 + 1;
                self.begin(State::Text);
                done?;
            }
            (mark, b) => {
                self.tag.extend_from_slice(&bytes[..=end]);
                self.state = State::Tag(if mark.is_some() { None } else { Some(b) });
            }
        }
        Ok(end + 1)
    }

    /// One byte after `<!`, until it is known what it begins.
    fn bang(&mut self, byte: u8) -> Result<usize, PartProblem> {
        self.tag.push(byte);
        match &self.tag[..] {
            b"--" => self.state = State::Comment(0),
            b"[CDATA[" => self.state = State::Cdata(0),
            begun if b"--".starts_with(begun) || b"[CDATA[".starts_with(begun) => {}
            _ => return Err(PartProblem::Broken("a document type declaration")),
        }
        if self.state != State::Bang {
            self.tag.clear();
        }
        Ok(1)
    }

    /// What stands beside the elements, up to its end.
    fn aside(&mut self, bytes: &[u8]) -> Result<usize, PartProblem> {
        for (index, &byte) in bytes.iter().enumerate() {
            let ended = match &mut self.state {
                State::Comment(hyphens) => {
                    // `<!-->` and `<!--->` are no comments; readers disagree about their end.
                    if self.tag.len() < 2 {
                        self.tag.push(byte);
                        if byte == b'>' {
                            return Err(PartProblem::Broken("a malformed comment"));
                        }
                    }
                    repeated(hyphens, byte == b'-', byte == b'>')
                }
                State::Cdata(brackets) => repeated(brackets, byte == b']', byte == b'>'),
                State::Instruction(asked) => {
                    if self.tag.len() == 1 {
                        self.tag.push(byte);
                        if byte == b'>' {
                            return Err(PartProblem::Broken("a malformed instruction"));
                        }
                    }
                    let ended = *asked && byte == b'>';
                    *asked = byte == b'?';
                    ended
                }
                State::Text | State::Tag(_) | State::Bang => true,
            };
            if ended {
                self.begin(State::Text);
                return Ok(index + 1);
            }
        }
        Ok(bytes.len())
    }

    /// A whole tag.
    fn element(&mut self, tag: &[u8]) -> Result<(), PartProblem> {
        if let Some(name) = tag.strip_prefix(b"/") {
            if name.iter().any(|b| matches!(b, b'"' | b'\'')) {
                return Err(PartProblem::Broken("a malformed end of an element"));
            }
            self.depth = self.depth.saturating_sub(1);
            self.end(local(name.trim_ascii_end()));
            return Ok(());
        }
        let (tag, empty) = match tag.strip_suffix(b"/") {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let name_end = tag
            .iter()
            .position(u8::is_ascii_whitespace)
            .unwrap_or(tag.len());
        let (name, attributes) = tag.split_at(name_end);
        let name = local(name);
        self.start(name, attributes)?;
        if empty {
            self.end(name);
        } else {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(PartProblem::TooLarge("elements too deep in each other"));
            }
        }
        Ok(())
    }

    fn start(&mut self, name: &[u8], attributes: &[u8]) -> Result<(), PartProblem> {
        match name {
            b"c" => {
                check_references(attributes, b"r", is_cell)?;
                self.begin_unit(b"c", false);
            }
            b"row" => check_references(attributes, b"r", is_row)?,
            b"dimension" | b"f" => check_references(attributes, b"ref", is_range)?,
            b"si" => {
                self.facts.texts += 1;
                self.begin_unit(b"si", false);
            }
            b"sst" => {
                self.facts.declared_texts = number(attribute(attributes, b"uniqueCount")?);
            }
            b"Relationship" => {
                check_relationship(attributes)?;
                self.keep(b"Relationship")?;
            }
            b"sheet" => self.keep(b"sheet")?,
            b"definedName" => self.keep(b"definedName")?,
            b"xf" if self.styles => {
                self.facts.styles += 1;
                self.keep(b"xf")?;
            }
            b"font" if self.styles => self.keep(b"font")?,
            b"fill" if self.styles => self.keep(b"fill")?,
            b"border" if self.styles => self.keep(b"border")?,
            b"numFmt" if self.styles => {
                if !is_countable(attributes) {
                    return Err(PartProblem::Broken("a number format that is none"));
                }
                self.keep(b"numFmt")?;
            }
            _ => {}
        }
        Ok(())
    }

    fn keep(&mut self, name: &'static [u8]) -> Result<(), PartProblem> {
        self.facts.kept += 1;
        if self.facts.kept > MAX_KEPT {
            return Err(PartProblem::TooLarge("too many sheets, names or styles"));
        }
        self.begin_unit(name, self.styles);
        Ok(())
    }

    fn begin_unit(&mut self, name: &'static [u8], style: bool) {
        let start = self.tag_start;
        self.unit = Some(Unit { name, start, style });
    }

    fn end(&mut self, name: &[u8]) {
        if self.unit.as_ref().is_some_and(|unit| unit.name == name)
            && let Some(unit) = self.unit.take()
            && unit.style
        {
            let length = self.offset - unit.start;
            self.facts.longest_style = self.facts.longest_style.max(length);
        }
    }
}

/// Counts how often a sign was repeated; true when the sign that ends it follows two.
fn repeated(times: &mut u8, is_sign: bool, is_end: bool) -> bool {
    if is_sign {
        *times = times.saturating_add(1);
        return false;
    }
    let ended = is_end && *times >= 2;
    *times = 0;
    ended
}

/// An element's name without its namespace's prefix.
fn local(name: &[u8]) -> &[u8] {
    name.rsplit(|b| *b == b':').next().unwrap_or(name)
}

#[cfg(test)]
mod tests;
