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

use std::{
    io::{self, BufRead, BufReader, Read},
    sync::Arc,
};

use quick_xml::{
    Error, Reader,
    errors::{IllFormedError, SyntaxError},
    events::{BytesStart, Event},
};

use self::attributes::{
    check_references, check_relationship, find_attribute, is_cell, is_range, is_row, parse_number,
};
use crate::is_parsable_format;

/// The longest piece of text, comment or tag in bytes. quick-xml buffers one at a time, of any
/// length, and leaves the bound to its caller's `BufRead`; see
/// <https://github.com/NLnetLabs/rpki-rs/pull/319>.
const MAX_PIECE_BYTES: u64 = 16 * 1024 * 1024;

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
    reader: Reader<Bounded<Ascii<R>>>,
    has_styles: bool,
    depth: u64,
    unit: Option<Unit>,
    /// Where the current tag begins, in bytes.
    tag_start: u64,
    facts: Facts,
}

/// An element whose whole content is kept in one piece.
struct Unit {
    name: &'static str,
    start: u64,
    is_style: bool,
}

impl<R: Read> Scan<R> {
    /// The part is read in blocks of `block` bytes. `has_styles` says that it holds the workbook's
    /// cell styles.
    pub(super) fn new(part: R, block: usize, has_styles: bool) -> Self {
        let mut reader = Reader::from_reader(Bounded {
            part: BufReader::with_capacity(block, Ascii(part)),
            piece: 0,
            is_exceeded: false,
        });
        let config = reader.config_mut();
        config.check_end_names = false;
        config.check_comments = false;
        config.allow_unmatched_ends = true;
        config.allow_dangling_amp = true;
        Self {
            reader,
            has_styles,
            depth: 0,
            unit: None,
            tag_start: 0,
            facts: Facts::default(),
        }
    }

    /// Reads the part to its end.
    pub(super) fn run(mut self) -> Result<Facts, PartProblem> {
        let mut buffer = Vec::new();
        loop {
            buffer.clear();
            self.tag_start = self.reader.buffer_position();
            // The scan borrows the buffer, not itself.
            let event = match self.reader.read_event_into(&mut buffer) {
                Ok(Event::Eof) => return Ok(self.facts),
                Ok(event) => event,
                Err(error) => return self.stop(error),
            };
            let is_markup = !matches!(event, Event::Text(_) | Event::GeneralRef(_));
            let end = self.reader.buffer_position();
            match event {
                Event::Start(tag) => {
                    self.start(&tag, end)?;
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(PartProblem::TooLarge("elements too deep in each other"));
                    }
                }
                Event::Empty(tag) => {
                    self.start(&tag, end)?;
                    self.end(tag.local_name().into_inner(), end);
                }
                Event::End(tag) => {
                    if tag.name().into_inner().contains(['"', '\'']) {
                        return Err(PartProblem::Broken("a malformed end of an element"));
                    }
                    self.depth = self.depth.saturating_sub(1);
                    self.end(tag.local_name().into_inner(), end);
                }
                Event::DocType(_) => {
                    return Err(PartProblem::Broken("a document type declaration"));
                }
                // `<!-->` and `<!--->` are no comments, but quick-xml looks for an end behind.
                Event::Comment(text) if text.starts_with('>') || text.starts_with("->") => {
                    return Err(PartProblem::Broken("a malformed comment"));
                }
                _ => {}
            }
            self.check_unit(end)?;
            if is_markup {
                self.reader.get_mut().piece = 0;
            }
        }
    }

    /// What an error of the parser means.
    fn stop(mut self, error: Error) -> Result<Facts, PartProblem> {
        if self.reader.get_mut().is_exceeded {
            return Err(PartProblem::TooLarge("a piece of more than 16 MiB"));
        }
        match error {
            Error::Io(error) => Err(PartProblem::Unreadable(
                Arc::try_unwrap(error)
                    .unwrap_or_else(|error| io::Error::new(error.kind(), error.to_string())),
            )),
            Error::Syntax(error) => {
                // The parser reports markup that is cut and some that is wrong alike.
                let is_cut = self
                    .reader
                    .get_mut()
                    .fill_buf()
                    .map_err(PartProblem::Unreadable)?
                    .is_empty();
                Err(PartProblem::Broken(match error {
                    _ if is_cut => "unfinished markup",
                    SyntaxError::InvalidBangMarkup => "a document type declaration",
                    SyntaxError::UnclosedPI | SyntaxError::UnclosedXmlDecl => {
                        "a malformed instruction"
                    }
                    SyntaxError::UnclosedComment
                    | SyntaxError::UnclosedDoctype
                    | SyntaxError::UnclosedCData
                    | SyntaxError::UnclosedTag
                    | SyntaxError::UnclosedSingleQuotedAttributeValue
                    | SyntaxError::UnclosedDoubleQuotedAttributeValue => "malformed markup",
                }))
            }
            Error::IllFormed(IllFormedError::MissingDoctypeName) => {
                Err(PartProblem::Broken("a document type declaration"))
            }
            // The settings of the scan let nothing of this come up. If it did, calamine could read
            // on where the scan does not.
            Error::IllFormed(_)
            | Error::InvalidAttr(_)
            | Error::Encoding(_)
            | Error::Escape(_)
            | Error::Namespace(_) => Err(PartProblem::Broken("malformed markup")),
        }
    }

    fn start(&mut self, tag: &BytesStart<'_>, end: u64) -> Result<(), PartProblem> {
        if tag.name().into_inner().len() > MAX_NAME_BYTES {
            return Err(PartProblem::TooLarge("a name of more than 1 KiB"));
        }
        match tag.local_name().into_inner() {
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
        if let Some(unit) = self.unit.take_if(|unit| unit.name == name)
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

/// A part without its characters beyond ASCII, which no check looks at: a question mark stands for
/// each of their bytes. The parser rejects text that is not UTF-8, and so would end the scan.
struct Ascii<R>(R);

impl<R: Read> Read for Ascii<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(into)?;
        for byte in &mut into[..read] {
            if !byte.is_ascii() {
                *byte = b'?';
            }
        }
        Ok(read)
    }
}

/// A part that fails where one piece of it is too long.
struct Bounded<R: Read> {
    part: BufReader<R>,
    piece: u64,
    is_exceeded: bool,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.part.read(into)
    }
}

impl<R: Read> BufRead for Bounded<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.piece > MAX_PIECE_BYTES {
            self.is_exceeded = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.part.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.piece += bytes as u64;
        self.part.consume(bytes);
    }
}

#[cfg(test)]
mod tests;
