//! The records of an xls workbook (BIFF): a kind, a length and data ([MS-XLS] 2.1.4).

use crate::error::{ReadError, damaged};

/// Kinds of records, by their numbers in [MS-XLS] 2.3.
pub(super) mod kind {
    pub(in crate::xls) const FORMULA: u16 = 0x0006;
    pub(in crate::xls) const EOF: u16 = 0x000a;
    pub(in crate::xls) const DATE_MODE: u16 = 0x0022;
    pub(in crate::xls) const FILE_PASS: u16 = 0x002f;
    pub(in crate::xls) const CONTINUE: u16 = 0x003c;
    pub(in crate::xls) const CODE_PAGE: u16 = 0x0042;
    pub(in crate::xls) const BOUND_SHEET: u16 = 0x0085;
    pub(in crate::xls) const MUL_RK: u16 = 0x00bd;
    pub(in crate::xls) const RICH_STRING: u16 = 0x00d6;
    pub(in crate::xls) const XF: u16 = 0x00e0;
    pub(in crate::xls) const SST: u16 = 0x00fc;
    pub(in crate::xls) const LABEL_SST: u16 = 0x00fd;
    pub(in crate::xls) const NUMBER: u16 = 0x0203;
    pub(in crate::xls) const LABEL: u16 = 0x0204;
    pub(in crate::xls) const BOOL_ERR: u16 = 0x0205;
    pub(in crate::xls) const STRING: u16 = 0x0207;
    pub(in crate::xls) const RK: u16 = 0x027e;
    pub(in crate::xls) const FORMAT: u16 = 0x041e;
    pub(in crate::xls) const BOF: u16 = 0x0809;
}

/// One record: its kind, its data, and the data that continues it.
pub(super) struct Record<'a> {
    pub(super) kind: u16,
    pub(super) data: &'a [u8],
    pub(super) more: Vec<&'a [u8]>,
}

/// The records from a place of the stream on.
pub(super) struct Records<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Records<'a> {
    fn one(&mut self) -> Option<(u16, &'a [u8])> {
        let (head, behind) = self.rest.split_at_checked(4)?;
        let kind = u16::from_le_bytes([head[0], head[1]]);
        let length = u16::from_le_bytes([head[2], head[3]]);
        let (data, rest) = behind.split_at_checked(usize::from(length))?;
        self.rest = rest;
        Some((kind, data))
    }

    /// The next record; fails where the stream ends within one, or without the record that
    /// marks the end.
    pub(super) fn next(&mut self) -> Result<Record<'a>, ReadError> {
        let cut = || damaged("it ends too early");
        let (kind, data) = self.one().ok_or_else(cut)?;
        let mut more = Vec::new();
        while self.rest.starts_with(&kind::CONTINUE.to_le_bytes()) {
            more.push(self.one().ok_or_else(cut)?.1);
        }
        Ok(Record { kind, data, more })
    }
}

/// Appends a record.
pub(super) fn put(into: &mut Vec<u8>, kind: u16, data: &[u8]) {
    // Records come from records, whose length is of two bytes.
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    into.extend(kind.to_le_bytes());
    into.extend(length.to_le_bytes());
    into.extend(&data[..usize::from(length)]);
}

pub(super) fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    let bytes = data.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}
