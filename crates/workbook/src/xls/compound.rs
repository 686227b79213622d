//! The compound file of an xls workbook: a small file system, in which one stream holds
//! the workbook.

use std::io::{self, Cursor, Read, Seek, SeekFrom, Write};

use crate::error::{ReadError, damaged, is_of_content, rejected, too_large};

/// The largest workbook stream in bytes. It is read into memory, since its sheets stand
/// behind what they refer to, in any order.
const MAX_STREAM_BYTES: u64 = 128 * 1024 * 1024;

/// How many bytes of a file one sector of the table of allocation tables describes: its
/// 127 entries are sectors of 128 entries for sectors of 512 bytes.
const BYTES_PER_TABLE_SECTOR: u64 = 127 * 128 * 512;

/// Checks the chain in which a compound file lists its allocation tables, before the file is
/// opened: `cfb` keeps a copy of each table as often as it is listed. It had trouble with such
/// loops before (<https://github.com/mdsteele/rust-cfb/issues/17>).
pub(crate) fn check<R: Read + Seek>(file: &mut R) -> Result<(), ReadError> {
    let size = file.seek(SeekFrom::End(0))?;
    let mut header = [0; 512];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut header).map_err(broken)?;
    let sector = match header[30] {
        9 => 512,
        12 => 4096,
        _ => return Err(damaged("its sectors have no known size")),
    };
    let mut next = last_entry(&header[..72]);
    let mut left = size / BYTES_PER_TABLE_SECTOR + 2;
    // Larger numbers are markers: the end of a chain, a free sector.
    while next < 0xffff_fffa {
        left = left
            .checked_sub(1)
            .ok_or_else(|| damaged("it lists its parts without end"))?;
        let end = (u64::from(next) + 2) * sector;
        let mut entry = [0; 4];
        file.seek(SeekFrom::Start(end - 4))?;
        file.read_exact(&mut entry).map_err(broken)?;
        next = last_entry(&entry);
    }
    Ok(())
}

/// The number at the end of some bytes.
fn last_entry(bytes: &[u8]) -> u32 {
    bytes
        .last_chunk()
        .map_or(u32::MAX, |chunk| u32::from_le_bytes(*chunk))
}

/// The stream that holds the workbook, and whether it is called as since Excel 97.
pub(super) fn read_workbook_stream<R: Read + Seek>(file: R) -> Result<Vec<u8>, ReadError> {
    let mut compound = cfb::CompoundFile::open(file).map_err(broken)?;
    let name = ["/Workbook", "/Book"]
        .into_iter()
        .find(|name| compound.is_stream(name));
    let Some(name) = name else {
        return Err(rejected(
            "",
            "an Office document of another kind",
            "an Excel 97-2003 workbook (xls)",
            "The file is named .xls, but contains no workbook. Open it in the program that it came \
             from, and save the table as an Excel workbook.",
        ));
    };
    let mut stream = compound.open_stream(name).map_err(broken)?;
    if stream.len() > MAX_STREAM_BYTES {
        return Err(too_large(
            &format!("{} bytes in the older format", stream.len()),
            &format!("at most {MAX_STREAM_BYTES}, or any number as \"Excel Workbook (.xlsx)\","),
        ));
    }
    let mut content = Vec::new();
    stream.read_to_end(&mut content).map_err(broken)?;
    Ok(content)
}

/// Packs a stream that was checked into a compound file of its own, since calamine reads no bare
/// streams. Its sectors are small, as Excel writes them: with large ones calamine did not find
/// longer streams (observed).
pub(super) fn pack(workbook: &[u8]) -> io::Result<Cursor<Vec<u8>>> {
    let mut compound =
        cfb::CompoundFile::create_with_version(cfb::Version::V3, Cursor::new(Vec::new()))?;
    compound.create_stream("/Workbook")?.write_all(workbook)?;
    compound.flush()?;
    Ok(compound.into_inner())
}

fn broken(error: io::Error) -> ReadError {
    if is_of_content(&error) {
        damaged(&error.to_string())
    } else {
        ReadError::Io(error)
    }
}
