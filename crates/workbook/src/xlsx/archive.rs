//! The zip archive of an xlsx file: its directory, and every part of it inflated once.
//!
//! Sizes are counted, never believed. The `zip` crate leaves that to its callers
//! (<https://github.com/zip-rs/zip-old/issues/228>).

use std::io::{self, Read, Seek, SeekFrom};

use dropcast_domain::text::quoted;
use zip::{ZipArchive, read::ZipFile, result::ZipError};

use super::parts::{Facts, PartProblem, Scan};
use crate::error::{ReadError, damaged, encrypted, is_of_content, rejected, too_large};

/// The most parts; a workbook of a thousand sheets has a few thousand. `ZipArchive::new` keeps
/// about 540 bytes for each (<https://github.com/zip-rs/zip2/issues/486>).
const MAX_PARTS: u64 = 10_000;

/// The largest directory in bytes: `ZipArchive::new` also keeps all names, comments and extra
/// fields in it.
const MAX_DIRECTORY_BYTES: u64 = 8 * MIB;

/// All parts together may inflate to this, whatever the file's size …
const INFLATED_BASE: u64 = 64 * MIB;

/// … and to this times the file's size. Sheets inflate tenfold, very uniform ones thirtyfold.
const INFLATED_RATIO: u64 = 50;

/// … but never to more.
const MAX_INFLATED: u64 = 4096 * MIB;

/// What all copies of the longest cell style may take in memory: calamine resolves each cell
/// format into a style of its own, with its font, fill, border and number format
/// (<https://github.com/tafia/calamine/pull/653>).
const MAX_STYLE_BYTES: u64 = 128 * MIB;

const MIB: u64 = 1024 * 1024;

/// The length in bytes of the record at the end of an archive without a comment.
const END_RECORD: u64 = 22;

/// How much is inflated at once, in bytes.
const BLOCK: usize = 64 * 1024;

/// Checks the archive of an xlsx file. Shared texts may take half of `max_memory` bytes.
pub(crate) fn check<R: Read + Seek>(file: &mut R, max_memory: u64) -> Result<(), ReadError> {
    let size = file.seek(SeekFrom::End(0))?;
    check_directory(file, size)?;
    let mut archive = ZipArchive::new(&mut *file).map_err(unreadable)?;
    check_is_workbook(&archive)?;
    // One body for many parts: <https://www.bamsoftware.com/hacks/zipbomb/>.
    if archive.has_overlapping_entries().map_err(unreadable)? {
        return Err(damaged("its parts overlap"));
    }
    let mut budget = Budget::new(size, max_memory);
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(unreadable)?;
        budget.inflate(part)?;
    }
    Ok(())
}

/// Checks the end of the archive and its directory before the archive is opened.
///
/// `zip` does not bound it: `ZipArchive::new` keeps each entry that it reads. It also searches the
/// file for an end that it can read, and ignores entries beyond the number that the end declares,
/// so that another program could see other parts than it does. Excel writes nothing before the
/// first part and no comment after the end. So a workbook has one directory, directly before the
/// end, and the end gives its exact place, length and number of entries.
fn check_directory<R: Read + Seek>(file: &mut R, size: u64) -> Result<(), ReadError> {
    let incomplete = || damaged("its end is missing");
    let end_at = size.checked_sub(END_RECORD).ok_or_else(incomplete)?;
    let mut end = [0; 22];
    file.seek(SeekFrom::Start(end_at))?;
    file.read_exact(&mut end)?;
    if !end.starts_with(b"PK\x05\x06") {
        return Err(damaged("its end is missing, or other data follows it"));
    }
    let mut parts = u64::from(u16_at(&end, 10));
    let mut length = u64::from(u32_at(&end, 12));
    let mut start = u64::from(u32_at(&end, 16));
    let mut directory_end = end_at;
    if parts == 0xffff || length == 0xffff_ffff || start == 0xffff_ffff {
        // ZIP64: the actual numbers are in a record of 56 bytes, before a locator of 20 bytes.
        directory_end = end_at.checked_sub(76).ok_or_else(incomplete)?;
        let mut large = [0; 76];
        file.seek(SeekFrom::Start(directory_end))?;
        file.read_exact(&mut large)?;
        if !large.starts_with(b"PK\x06\x06") || large[56..60] != *b"PK\x06\x07" {
            return Err(incomplete());
        }
        (parts, length, start) = (u64_at(&large, 32), u64_at(&large, 40), u64_at(&large, 48));
    }
    if parts > MAX_PARTS || length > MAX_DIRECTORY_BYTES {
        return Err(too_large(
            &format!("{parts} parts"),
            &format!("at most {MAX_PARTS}"),
        ));
    }
    if start.checked_add(length) != Some(directory_end) {
        return Err(damaged("its directory is not where it should be"));
    }
    let mut directory = vec![0; usize::try_from(length).unwrap_or_default()];
    file.seek(SeekFrom::Start(start))?;
    file.read_exact(&mut directory)?;
    walk_directory(&directory, parts).ok_or_else(|| damaged("its directory is broken"))
}

/// Whether a directory holds exactly `parts` entries and nothing else.
fn walk_directory(directory: &[u8], parts: u64) -> Option<()> {
    let mut rest = directory;
    for _ in 0..parts {
        let (head, behind) = rest.split_at_checked(46)?;
        if !head.starts_with(b"PK\x01\x02") {
            return None;
        }
        let (name, extra, comment) = (u16_at(head, 28), u16_at(head, 30), u16_at(head, 32));
        let (_, behind) = behind.split_at_checked(usize::from(name))?;
        let (mut fields, behind) = behind.split_at_checked(usize::from(extra))?;
        while !fields.is_empty() {
            let (field, others) = fields.split_at_checked(4)?;
            (_, fields) = others.split_at_checked(usize::from(u16_at(field, 2)))?;
        }
        (_, rest) = behind.split_at_checked(usize::from(comment))?;
    }
    rest.is_empty().then_some(())
}

/// Rejects an archive that is not a workbook, by what it is instead.
fn check_is_workbook<R: Read + Seek>(archive: &ZipArchive<R>) -> Result<(), ReadError> {
    let mut names = Vec::with_capacity(archive.len());
    for name in archive.file_names_raw() {
        names.push(String::from_utf8_lossy(name).to_lowercase());
    }
    let has = |part: &str| names.iter().any(|name| name == part);
    let begins = |folder: &str| names.iter().any(|name| name.starts_with(folder));
    let ends = |ending: &str| names.iter().any(|name| name.ends_with(ending));
    let found = if has("xl/workbook.bin") {
        "a binary Excel workbook (xlsb)"
    } else if has("_rels/.rels") && (has("xl/workbook.xml") || ends("workbook.xml")) {
        return Ok(());
    } else if begins("word/") {
        "a Word document"
    } else if begins("ppt/") {
        "a PowerPoint presentation"
    } else if has("mimetype") && has("content.xml") {
        "an OpenDocument file"
    } else if begins("index/") && ends(".iwa") {
        "a Numbers document"
    } else if ends(".xlsx") || ends(".xls") || ends(".csv") {
        "a zip archive with files in it"
    } else {
        "a zip archive, but no workbook"
    };
    Err(rejected(
        "",
        found,
        "an Excel workbook (xlsx)",
        &format!(
            "The file is named .xlsx, but is {found}. Save the table as \"Excel Workbook \
             (.xlsx)\" and upload that file alone."
        ),
    ))
}

/// How much may still be inflated and kept.
struct Budget {
    left: u64,
    all: u64,
    texts: u64,
    facts: Facts,
}

impl Budget {
    fn new(size: u64, max_memory: u64) -> Self {
        let all = size
            .saturating_mul(INFLATED_RATIO)
            .saturating_add(INFLATED_BASE)
            .min(MAX_INFLATED);
        Self {
            left: all,
            all,
            texts: max_memory / 2,
            facts: Facts::default(),
        }
    }

    /// Inflates one part to its end.
    fn inflate<R: Read>(&mut self, part: ZipFile<'_, R>) -> Result<(), ReadError> {
        let name = part.name().map_err(unreadable)?.to_lowercase();
        let mut counted = Counted {
            part,
            left: self.left,
            inflated: 0,
            is_exceeded: false,
        };
        // Parts that are not XML (a picture, a printer's settings) are counted, but not parsed.
        let scanned = if is_xml(&name) {
            let styles = name.ends_with("styles.xml");
            Scan::new(&mut counted, BLOCK, styles).run()
        } else {
            drain(&mut counted)
                .map(|()| Facts::default())
                .map_err(PartProblem::Unreadable)
        };
        if counted.is_exceeded {
            return Err(self.bomb());
        }
        let facts = scanned.map_err(|problem| describe(&name, problem))?;
        self.left = counted.left;
        self.keep(&facts, counted.inflated)
    }

    /// Takes what calamine will keep of a part off the budget.
    fn keep(&mut self, facts: &Facts, inflated: u64) -> Result<(), ReadError> {
        self.facts.add(facts);
        if facts.texts > 0 {
            let cost = facts.texts.saturating_mul(40).saturating_add(inflated);
            self.texts = self.texts.checked_sub(cost).ok_or_else(|| {
                too_large(
                    &format!("{} different texts", facts.texts),
                    "fewer or shorter ones",
                )
            })?;
        }
        // calamine reserves room for as many texts as the part declares
        // (<https://github.com/tafia/calamine/issues/684>).
        if facts.declared_texts > facts.texts.saturating_mul(4).saturating_add(1_000_000) {
            return Err(damaged("it declares texts that it does not have"));
        }
        let all = &self.facts;
        if all.styles.saturating_mul(all.longest_style) > MAX_STYLE_BYTES {
            return Err(too_large(
                &format!("{} cell styles", all.styles),
                "fewer or simpler ones",
            ));
        }
        Ok(())
    }

    fn bomb(&self) -> ReadError {
        let allowed = format!("at most {} MiB", self.all / MIB);
        too_large("more content than its size can hold", &allowed)
    }
}

/// A part that stops inflating when the budget is used up.
struct Counted<'a, R: Read> {
    part: ZipFile<'a, R>,
    left: u64,
    inflated: u64,
    is_exceeded: bool,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.part.read(into)?;
        self.inflated += read as u64;
        if let Some(left) = self.left.checked_sub(read as u64) {
            self.left = left;
            Ok(read)
        } else {
            self.is_exceeded = true;
            Err(io::ErrorKind::FileTooLarge.into())
        }
    }
}

/// Reads to the end.
fn drain(part: &mut impl Read) -> io::Result<()> {
    let mut block = vec![0; BLOCK];
    loop {
        match part.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Whether calamine may open a part, by its name in lower case. Data that other programs keep in
/// a workbook (`customXml/item1.xml`) is XML too, but of any length.
fn is_xml(name: &str) -> bool {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let extension = file.rsplit_once('.').map(|(_, extension)| extension);
    matches!(extension, Some("xml" | "rels"))
        && !(name.starts_with("customxml/item") && file.starts_with("item"))
}

fn describe(part: &str, problem: PartProblem) -> ReadError {
    match problem {
        PartProblem::TooLarge(what) => too_large(
            &format!("{what} in the part {}", quoted(part)),
            "what Excel can write",
        ),
        PartProblem::Broken(what) => damaged(&format!("{what} in the part {}", quoted(part))),
        PartProblem::Unreadable(error) => unreadable(ZipError::Io(error)),
    }
}

/// A part that cannot be read: wrong content, unless the file cannot be reached at all.
fn unreadable(error: ZipError) -> ReadError {
    match error {
        ZipError::Io(error) if !is_of_content(&error) => ReadError::Io(error),
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => encrypted(),
        error => damaged(&error.to_string()),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |chunk| u16::from_le_bytes(*chunk))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |chunk| u32::from_le_bytes(*chunk))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..]
        .first_chunk()
        .map_or(0, |chunk| u64::from_le_bytes(*chunk))
}
