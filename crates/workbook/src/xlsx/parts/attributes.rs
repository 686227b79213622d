//! The attributes of a tag, and the references to cells in them.

use std::borrow::Cow;

use quick_xml::events::BytesStart;

use super::PartProblem;
use crate::address::{SHEET_COLUMNS, SHEET_ROWS};

/// The value of an attribute. One that occurs twice is rejected: calamine takes now the first,
/// now the last (observed in calamine 0.38).
pub(super) fn find_attribute<'a>(
    tag: &'a BytesStart<'_>,
    wanted: &str,
) -> Result<Option<Cow<'a, str>>, PartProblem> {
    let mut found = None;
    // quick-xml's own check for duplicates compares each with each.
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| PartProblem::Broken("a malformed attribute"))?;
        // calamine takes a form feed for white space, quick-xml does not.
        if attribute.key.as_ref().trim_ascii() == wanted && found.replace(attribute.value).is_some()
        {
            return Err(PartProblem::Broken("a duplicate attribute"));
        }
    }
    Ok(found)
}

/// Rejects a reference to a cell that no sheet has: calamine computes with it, and its arithmetic
/// overflows (<https://github.com/tafia/calamine/issues/694>).
pub(super) fn check_references(
    tag: &BytesStart<'_>,
    wanted: &str,
    fits: impl Fn(&[u8]) -> bool,
) -> Result<(), PartProblem> {
    match find_attribute(tag, wanted)? {
        Some(value) if !fits(value.as_bytes()) => {
            Err(PartProblem::Broken("a cell that no sheet has"))
        }
        _ => Ok(()),
    }
}

/// Rejects a relationship that makes calamine open a part that was not scanned, as it is not XML
/// by its name.
pub(super) fn check_relationship(tag: &BytesStart<'_>) -> Result<(), PartProblem> {
    let kind = find_attribute(tag, "Type")?.unwrap_or_default();
    let followed = ["/officeDocument", "/worksheet"];
    if !followed.iter().any(|ending| kind.ends_with(ending)) {
        return Ok(());
    }
    let target = find_attribute(tag, "Target")?.unwrap_or_default();
    let target = target.to_ascii_lowercase();
    let is_item = target
        .rsplit('/')
        .next()
        .is_some_and(|file| file.starts_with("item"));
    if target.as_bytes().ends_with(b".xml") && !target.contains('&') && !is_item {
        Ok(())
    } else {
        Err(PartProblem::Broken("a sheet that is no XML"))
    }
}

/// The digits of a text as a number; `u64::MAX` when it is larger.
pub(super) fn parse_number(text: &str) -> u64 {
    text.bytes()
        .filter(u8::is_ascii_digit)
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
        .fold(0, |row, digit| row * 10 + u32::from(digit - b'0'));
    (1..=SHEET_ROWS).contains(&row).then_some(row)
}
