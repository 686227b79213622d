//! One pass over the XML of a workbook's part, before calamine sees it.
//!
//! It uses the parser that calamine uses, so that both find the same markup, and bounds what
//! calamine would keep: how long one piece of markup is, how deep elements nest, how many of those
//! there are that are kept, and that each reference to a cell is one that a sheet has. A document
//! type declaration, the place where entities are defined, is rejected.
//!
//! Whatever calamine may stop at, such as text that is not UTF-8, a lone `&` or an end without a
//! start, the scan goes on to the end of the part.

mod attributes;
mod blocks;

use std::{
    io::{self, Read},
    sync::Arc,
};

use quick_xml::{
    Error, Reader,
    errors::{IllFormedError, SyntaxError},
    events::{BytesStart, Event},
};

use self::{
    attributes::{
        check_references, check_relationship, find_attribute, is_cell, is_range, is_row,
        parse_number,
    },
    blocks::Blocks,
};
use crate::is_parsable_format;

/// The longest cell, shared text or name with all that it contains, in bytes: calamine collects
/// each in one string. Excel's longest text has 32,767 characters.
const MAX_UNIT_BYTES: u64 = 1024 * 1024;

/// How deep elements may nest: quick-xml keeps the names of all open ones (observed in
/// quick-xml 0.42, `ReaderState::opened_buffer`; no issue is known).
const MAX_DEPTH: u64 = 1_000;

/// The longest name of an element in bytes, for the same reason.
const MAX_NAME_BYTES: usize = 1024;

/// How many sheets, names, fonts and the like there may be, which calamine keeps. Excel writes
/// at most 65,490 styles.
const MAX_KEPT: u64 = 400_000;

/// Why a part is rejected.
#[derive(Debug)]
pub(super) enum PartProblem {
    /// There is more of something than calamine should meet.
    TooLarge(&'static str),
    /// It is not what a workbook holds.
    Broken(&'static str),
    /// It cannot be inflated.
    Unreadable(io::Error),
}

/// What calamine will keep of a part.
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

/// The pass over one part.
pub(super) struct Scan<R: Read> {
    reader: Reader<Blocks<R>>,
    checks: Checks,
}

impl<R: Read> Scan<R> {
    /// The part is read in blocks of `block` bytes. `has_styles` says that it holds the workbook's
    /// cell styles.
    pub(super) fn new(part: R, block: usize, has_styles: bool) -> Self {
        let mut reader = Reader::from_reader(Blocks::new(part, block));
        reader.config_mut().check_comments = false;
        Self {
            reader,
            checks: Checks {
                has_styles,
                depth: 0,
                unit: None,
                tag_start: 0,
                facts: Facts::default(),
            },
        }
    }

    /// Reads the part to its end.
    pub(super) fn run(mut self) -> Result<Facts, PartProblem> {
        let mut buffer = Vec::new();
        loop {
            let blocks = self.reader.get_mut();
            let is_at_markup = blocks.skip_text()?;
            self.checks.tag_start = blocks.position();
            self.checks.check_unit(blocks.position())?;
            if !is_at_markup {
                return Ok(self.checks.facts);
            }
            match blocks.markup_kind()? {
                Some(b'!' | b'?') => self.read_other_markup(&mut buffer)?,
                Some(_) => self.read_tag()?,
                None => return Err(PartProblem::Broken("unfinished markup")),
            }
            self.reader.get_mut().end_piece();
        }
    }

    /// Reads a tag. The reader's own events would copy each and keep the names of all that are
    /// open, and one in two would be for text.
    fn read_tag(&mut self) -> Result<(), PartProblem> {
        let blocks = self.reader.get_mut();
        let Some(length) = blocks.find_tag_end()? else {
            return Err(PartProblem::Broken("unfinished markup"));
        };
        let end = blocks.position() + length as u64;
        let content = str::from_utf8(blocks.take_tag(length))
            .map_err(|_| PartProblem::Broken("malformed markup"))?;
        self.checks.tag(content, end)
    }

    /// Reads a comment, a CDATA section or an instruction.
    fn read_other_markup(&mut self, buffer: &mut Vec<u8>) -> Result<(), PartProblem> {
        buffer.clear();
        match self.reader.read_event_into(buffer) {
            Ok(Event::DocType(_)) => Err(PartProblem::Broken("a document type declaration")),
            // `<!-->` and `<!--->` are no comments, but quick-xml looks for an end behind.
            Ok(Event::Comment(text)) if text.starts_with('>') || text.starts_with("->") => {
                Err(PartProblem::Broken("a malformed comment"))
            }
            Ok(_) => self.checks.check_unit(self.reader.get_mut().position()),
            Err(error) => Err(self.explain(error)),
        }
    }

    /// What an error of the parser means.
    fn explain(&mut self, error: Error) -> PartProblem {
        let blocks = self.reader.get_mut();
        match error {
            Error::Io(error) => {
                let error = Arc::try_unwrap(error)
                    .unwrap_or_else(|error| io::Error::new(error.kind(), error.to_string()));
                blocks.explain(error)
            }
            // The parser reports markup that is cut and some that is wrong alike.
            Error::Syntax(error) => match (blocks.is_at_end(), error) {
                (Err(problem), _) => problem,
                (Ok(true), _) => PartProblem::Broken("unfinished markup"),
                (Ok(false), SyntaxError::InvalidBangMarkup) => {
                    PartProblem::Broken("a document type declaration")
                }
                (Ok(false), SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl) => {
                    PartProblem::Broken("a malformed instruction")
                }
                (
                    Ok(false),
                    SyntaxError::UnclosedComment
                    | SyntaxError::UnclosedDoctype
                    | SyntaxError::UnclosedCData
                    | SyntaxError::UnclosedTag
                    | SyntaxError::UnclosedSingleQuotedAttributeValue
                    | SyntaxError::UnclosedDoubleQuotedAttributeValue,
                ) => PartProblem::Broken("malformed markup"),
            },
            Error::IllFormed(IllFormedError::MissingDoctypeName) => {
                PartProblem::Broken("a document type declaration")
            }
            // Nothing of this comes up in such markup. If it did, calamine could read on where the
            // scan does not.
            Error::IllFormed(_)
            | Error::InvalidAttr(_)
            | Error::Encoding(_)
            | Error::Escape(_)
            | Error::Namespace(_) => PartProblem::Broken("malformed markup"),
        }
    }
}

/// What the pass knows and checks.
struct Checks {
    has_styles: bool,
    depth: u64,
    unit: Option<Unit>,
    /// Where the current markup begins, in bytes.
    tag_start: u64,
    facts: Facts,
}

/// An element whose whole content is kept in one piece.
struct Unit {
    name: &'static str,
    start: u64,
    is_style: bool,
}

impl Checks {
    /// A tag by what is between its angle brackets, taken apart as quick-xml's reader does;
    /// `end` is where it ends.
    fn tag(&mut self, content: &str, end: u64) -> Result<(), PartProblem> {
        if let Some(name) = content.strip_prefix('/') {
            if name.bytes().any(|byte| matches!(byte, b'"' | b'\'')) {
                return Err(PartProblem::Broken("a malformed end of an element"));
            }
            self.depth = self.depth.saturating_sub(1);
            self.end(name.trim_end_matches(is_white_space), end);
            return self.check_unit(end);
        }
        let (content, is_empty) = match content.strip_suffix('/') {
            Some(content) => (content, true),
            None => (content, false),
        };
        let name = content.find(is_white_space).unwrap_or(content.len());
        self.start(&BytesStart::from_content(content, name), end)?;
        if is_empty {
            self.end(&content[..name], end);
            return Ok(());
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(PartProblem::TooLarge("elements too deep in each other"));
        }
        Ok(())
    }

    fn start(&mut self, tag: &BytesStart<'_>, end: u64) -> Result<(), PartProblem> {
        let name = tag.name().into_inner();
        if name.len() > MAX_NAME_BYTES {
            return Err(PartProblem::TooLarge("a name of more than 1 KiB"));
        }
        match local_name(name) {
            "c" => {
                check_references(tag, "r", is_cell)?;
                self.begin_unit("c", false);
            }
            "row" => check_references(tag, "r", is_row)?,
            "dimension" | "f" => check_references(tag, "ref", is_range)?,
            "si" => {
                self.facts.texts += 1;
                self.begin_unit("si", false);
            }
            "sst" => {
                let declared = find_attribute(tag, "uniqueCount")?;
                self.facts.declared_texts = parse_number(&declared.unwrap_or_default());
            }
            "Relationship" => {
                check_relationship(tag)?;
                self.keep("Relationship")?;
            }
            "sheet" => self.keep("sheet")?,
            "definedName" => self.keep("definedName")?,
            "xf" if self.has_styles => {
                self.facts.styles += 1;
                self.keep("xf")?;
            }
            "font" if self.has_styles => self.keep("font")?,
            "fill" if self.has_styles => self.keep("fill")?,
            "border" if self.has_styles => self.keep("border")?,
            "numFmt" if self.has_styles => {
                if !is_parsable_format(tag.as_bytes()) {
                    return Err(PartProblem::Broken("a number format that is none"));
                }
                self.keep("numFmt")?;
            }
            _ => {}
        }
        self.check_unit(end)
    }

    fn keep(&mut self, name: &'static str) -> Result<(), PartProblem> {
        self.facts.kept += 1;
        if self.facts.kept > MAX_KEPT {
            return Err(PartProblem::TooLarge("too many sheets, names or styles"));
        }
        self.begin_unit(name, self.has_styles);
        Ok(())
    }

    fn begin_unit(&mut self, name: &'static str, is_style: bool) {
        let start = self.tag_start;
        self.unit = Some(Unit {
            name,
            start,
            is_style,
        });
    }

    fn end(&mut self, name: &str, end: u64) {
        if let Some(unit) = self.unit.take_if(|unit| unit.name == local_name(name))
            && unit.is_style
        {
            self.facts.longest_style = self.facts.longest_style.max(end - unit.start);
        }
    }

    fn check_unit(&self, end: u64) -> Result<(), PartProblem> {
        match &self.unit {
            Some(unit) if end - unit.start > MAX_UNIT_BYTES => {
                Err(PartProblem::TooLarge("a text of more than 1 MiB"))
            }
            _ => Ok(()),
        }
    }
}

/// The name of an element without its prefix.
fn local_name(name: &str) -> &str {
    // As `QName::local_name`, which searches in a way that pays for long names alone.
    match name.bytes().position(|byte| byte == b':') {
        Some(colon) => &name[colon + 1..],
        None => name,
    }
}

fn is_white_space(character: char) -> bool {
    matches!(character, ' ' | '\r' | '\n' | '\t')
}

#[cfg(test)]
mod tests;
