//! The attributes of a tag, and the references to cells in them.

use super::PartProblem;
use crate::table::excel::{SHEET_COLUMNS, SHEET_ROWS};

/// The next attribute, and what stands behind it.
type Attribute<'a> = (&'a [u8], &'a [u8], &'a [u8]);

fn next_attribute(bytes: &[u8]) -> Result<Option<Attribute<'_>>, PartProblem> {
    let malformed = PartProblem::Broken("a malformed attribute");
    let bytes = bytes.trim_ascii_start();
    if bytes.is_empty() {
        return Ok(None);
    }
    let Some(equals) = bytes.iter().position(|b| *b == b'=') else {
        return Err(malformed);
    };
    let key = bytes[..equals].trim_ascii_end();
    let Some((&quote @ (b'"' | b'\''), value)) =
        bytes[equals + 1..].trim_ascii_start().split_first()
    else {
        return Err(malformed);
    };
    match value.iter().position(|b| *b == quote) {
        Some(end) => Ok(Some((key, &value[..end], &value[end + 1..]))),
        None => Err(malformed),
    }
}

/// The value of an attribute. One that stands twice is refused: the reader takes now the first,
/// now the last.
pub(super) fn attribute<'a>(
    attributes: &'a [u8],
    wanted: &[u8],
) -> Result<Option<&'a [u8]>, PartProblem> {
    let mut found = None;
    let mut rest = attributes;
    while let Some((key, value, behind)) = next_attribute(rest)? {
        if key == wanted && found.replace(value).is_some() {
            return Err(PartProblem::Broken("an attribute that stands twice"));
        }
        rest = behind;
    }
    Ok(found)
}

pub(super) fn check_references(
    attributes: &[u8],
    wanted: &[u8],
    fits: impl Fn(&[u8]) -> bool,
) -> Result<(), PartProblem> {
    match attribute(attributes, wanted)? {
        Some(value) if !fits(value) => Err(PartProblem::Broken("a cell that no sheet has")),
        _ => Ok(()),
    }
}

/// The parts that a workbook's reader follows a relationship to must be XML, and so have
/// been looked into.
pub(super) fn check_relationship(attributes: &[u8]) -> Result<(), PartProblem> {
    let kind = attribute(attributes, b"Type")?.unwrap_or_default();
    let followed = [&b"/officeDocument"[..], b"/worksheet"];
    if !followed.iter().any(|ending| kind.ends_with(ending)) {
        return Ok(());
    }
    let target = attribute(attributes, b"Target")?.unwrap_or_default();
    let target = target.to_ascii_lowercase();
    let is_item = target
        .split(|b| *b == b'/')
        .next_back()
        .is_some_and(|file| file.starts_with(b"item"));
    if target.ends_with(b".xml") && !target.contains(&b'&') && !is_item {
        Ok(())
    } else {
        Err(PartProblem::Broken("a sheet that is no XML"))
    }
}

/// A figure; the largest there is, when it is larger.
pub(super) fn number(text: Option<&[u8]>) -> u64 {
    text.unwrap_or_default()
        .iter()
        .filter(|b| b.is_ascii_digit())
        .fold(0, |number: u64, b| {
            number
                .saturating_mul(10)
                .saturating_add(u64::from(b - b'0'))
        })
}

/// `C7`
pub(super) fn is_cell(reference: &[u8]) -> bool {
    cell(reference).is_some()
}

/// `7`
pub(super) fn is_row(reference: &[u8]) -> bool {
    row(reference).is_some()
}

/// `A1` or `A1:C7`
pub(super) fn is_range(reference: &[u8]) -> bool {
    let mut cells = reference.split(|b| *b == b':').map(cell);
    match (cells.next(), cells.next(), cells.next()) {
        (Some(Some(_)), None, None) => true,
        (Some(Some(first)), Some(Some(last)), None) => first.0 <= last.0 && first.1 <= last.1,
        _ => false,
    }
}

fn cell(reference: &[u8]) -> Option<(u32, u32)> {
    let letters = reference
        .iter()
        .take_while(|b| b.is_ascii_alphabetic())
        .count();
    if !(1..=3).contains(&letters) {
        return None;
    }
    let (column, number) = reference.split_at(letters);
    let column = column.iter().fold(0, |column, letter| {
        column * 26 + u32::from(letter.to_ascii_uppercase() - b'A') + 1
    });
    (column <= SHEET_COLUMNS).then_some((row(number)?, column))
}

fn row(reference: &[u8]) -> Option<u32> {
    if !(1..=7).contains(&reference.len()) || !reference.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let row = reference
        .iter()
        .fold(0, |row, figure| row * 10 + u32::from(figure - b'0'));
    (1..=SHEET_ROWS).contains(&row).then_some(row)
}
