//! A part in blocks: what is text is passed over, and a tag is handed out in one piece.

use std::io::{self, BufRead, Read};

use quick_xml::parser::{ElementParser, Parser as _};

use super::PartProblem;

/// The longest piece of text, comment or tag in bytes. quick-xml buffers one at a time, of any
/// length, and leaves the bound to its caller's `BufRead`; see
/// <https://github.com/NLnetLabs/rpki-rs/pull/319>.
const MAX_PIECE_BYTES: usize = 16 * 1024 * 1024;

/// The part from where the scan is; fails where one piece of it is too long.
///
/// Each byte of a character beyond ASCII is replaced by a question mark. No check looks at such
/// characters, and the parser would reject text that is not UTF-8 and so end the scan.
pub(super) struct Blocks<R: Read> {
    part: R,
    bytes: Vec<u8>,
    /// What of `bytes` was read and is still to be scanned.
    start: usize,
    end: usize,
    position: u64,
    /// How many bytes before `start` belong to the current piece.
    piece: usize,
    is_exceeded: bool,
}

impl<R: Read> Blocks<R> {
    /// The part is read in blocks of `block` bytes, or of more where a tag is longer.
    pub(super) fn new(part: R, block: usize) -> Self {
        Self {
            part,
            bytes: vec![0; block],
            start: 0,
            end: 0,
            position: 0,
            piece: 0,
            is_exceeded: false,
        }
    }

    /// How many bytes were scanned.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// Says that the current piece ends here.
    pub(super) fn end_piece(&mut self) {
        self.piece = 0;
    }

    /// Passes over text up to the next markup. Answers whether there is any.
    pub(super) fn skip_text(&mut self) -> Result<bool, PartProblem> {
        loop {
            let markup = self.rest().iter().position(|byte| *byte == b'<');
            self.consume(markup.unwrap_or(self.rest().len()));
            if markup.is_some() {
                return Ok(true);
            }
            if !self.read_more()? {
                return Ok(false);
            }
        }
    }

    /// The first byte of the markup behind its `<`; `None` where the part ends before.
    pub(super) fn markup_kind(&mut self) -> Result<Option<u8>, PartProblem> {
        while self.rest().len() < 2 {
            if !self.read_more()? {
                return Ok(None);
            }
        }
        Ok(self.rest().get(1).copied())
    }

    /// The length of the tag that begins here, in bytes from its `<` to its `>`; `None` where the
    /// part ends before.
    pub(super) fn find_tag_end(&mut self) -> Result<Option<usize>, PartProblem> {
        // Up to its first quotation mark every tag can be read like this, and most have none.
        let stop = |byte: &u8| matches!(byte, b'>' | b'"' | b'\'');
        let mut read = 1;
        if let Some(at) = self.rest()[read..].iter().position(stop) {
            read += at;
            if self.rest()[read] == b'>' {
                return Ok(Some(read + 1));
            }
        }
        let mut parser = ElementParser::Outside;
        loop {
            if let Some(at) = parser.feed(&self.rest()[read..]) {
                return Ok(Some(read + at + 1));
            }
            read = self.rest().len();
            if !self.read_more()? {
                return Ok(None);
            }
        }
    }

    /// Takes a tag of so many bytes; answers what is between its angle brackets.
    pub(super) fn take_tag(&mut self, length: usize) -> &[u8] {
        let start = self.start;
        self.consume(length);
        &self.bytes[start + 1..self.start - 1]
    }

    /// Whether all of the part was scanned.
    pub(super) fn is_at_end(&mut self) -> Result<bool, PartProblem> {
        Ok(self.rest().is_empty() && !self.read_more()?)
    }

    /// What a failure to read means.
    pub(super) fn explain(&self, error: io::Error) -> PartProblem {
        if self.is_exceeded {
            PartProblem::TooLarge("a piece of more than 16 MiB")
        } else {
            PartProblem::Unreadable(error)
        }
    }

    fn rest(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }

    fn read_more(&mut self) -> Result<bool, PartProblem> {
        self.read_block().map_err(|error| self.explain(error))
    }

    /// Reads a block behind the rest of the last one. Answers whether there was any.
    fn read_block(&mut self) -> io::Result<bool> {
        if self.piece + self.rest().len() > MAX_PIECE_BYTES {
            self.is_exceeded = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.end - self.start);
        if self.end == self.bytes.len() {
            self.bytes.resize(2 * self.end, 0);
        }
        let block = &mut self.bytes[self.end..];
        let read = loop {
            match self.part.read(block) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        let block = &mut block[..read];
        if !block.is_ascii() {
            for byte in block {
                if !byte.is_ascii() {
                    *byte = b'?';
                }
            }
        }
        self.end += read;
        Ok(read > 0)
    }
}

impl<R: Read> Read for Blocks<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Blocks<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.rest().is_empty() {
            self.read_block()?;
        }
        Ok(self.rest())
    }

    fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        self.piece += bytes;
        self.position += bytes as u64;
    }
}
