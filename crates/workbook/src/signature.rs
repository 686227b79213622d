//! What a file is by its first bytes, and whether that agrees with its name.

use std::io::{self, Read, Seek, SeekFrom};

use dropcast_domain::model::InputFormat;

use crate::error::{ReadError, encrypted, rejected};

/// What the first bytes of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signature {
    /// A zip archive: xlsx among others.
    Zip,
    /// A compound file: xls, and every encrypted workbook.
    Compound,
    /// A workbook of Excel 2 to 4, not in a compound file.
    Ancient,
    /// A document to print.
    Pdf,
    /// A compressed file.
    Gzip,
    /// A web page, or other text with markup.
    Markup,
    /// Nothing at all.
    Empty,
    /// Text, or nothing that is known.
    Other,
}

/// Enough for every signature and some white space before markup.
const HEAD: u64 = 64;

impl Signature {
    /// Reads the first bytes of a file, from the current position.
    pub(crate) fn read(file: &mut impl Read) -> io::Result<Self> {
        let mut head = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut head)?;
        Ok(Self::of(&head))
    }

    fn of(head: &[u8]) -> Self {
        const KNOWN: [(&[u8], Signature); 10] = [
            (b"PK\x03\x04", Signature::Zip),
            (b"PK\x05\x06", Signature::Zip),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Signature::Compound),
            (b"\x09\x08\x08\x00\x00\x05", Signature::Ancient),
            (b"\x09\x04\x06\x00", Signature::Ancient),
            (b"\x09\x02\x06\x00", Signature::Ancient),
            (b"\x09\x00\x04\x00", Signature::Ancient),
            (b"%PDF-", Signature::Pdf),
            (b"\x1f\x8b\x08", Signature::Gzip),
            (b"\xef\xbb\xbf<", Signature::Markup),
        ];
        if head.is_empty() {
            return Self::Empty;
        }
        if let Some((_, signature)) = KNOWN.iter().find(|(magic, _)| head.starts_with(magic)) {
            return *signature;
        }
        match head.trim_ascii_start() {
            [b'<', b'!' | b'?' | b'a'..=b'z' | b'A'..=b'Z', ..] => Self::Markup,
            _ => Self::Other,
        }
    }
}

/// Rejects a file whose first bytes do not agree with the format that its name says, with
/// what to do about it.
pub(crate) fn check_format<R: Read + Seek>(
    signature: Signature,
    format: InputFormat,
    file: &mut R,
) -> Result<(), ReadError> {
    use InputFormat::{Csv, Json, Xls, Xlsx};
    if signature == Signature::Compound
        && matches!(format, Xlsx | Xls)
        && is_encrypted_package(file)?
    {
        return Err(encrypted());
    }
    let (found, what_to_do) = match (signature, format) {
        (_, Json)
        | (Signature::Zip, Xlsx)
        | (Signature::Compound, Xls)
        | (Signature::Other | Signature::Markup | Signature::Empty, Csv) => return Ok(()),
        (Signature::Empty, _) => (
            "an empty file",
            "Save the workbook again and upload that file.",
        ),
        (Signature::Zip, Csv) => (
            "an Excel workbook or another zip archive",
            "If it is a workbook, save it in Excel as \"CSV UTF-8\", or give it back its ending \
             .xlsx.",
        ),
        (Signature::Zip, Xls) => (
            "a workbook in the newer format (xlsx), or another zip archive",
            "Give it its own ending, .xlsx, or save it in Excel as \"Excel 97-2003 Workbook\".",
        ),
        (Signature::Compound, Csv) => (
            "an Excel workbook of the older format (xls)",
            "Save it in Excel as \"CSV UTF-8\", or give it back its ending .xls.",
        ),
        (Signature::Compound, Xlsx) => (
            "a workbook in the older format (xls)",
            "Save it in Excel as \"Excel Workbook (.xlsx)\", or give it its own ending, .xls.",
        ),
        (Signature::Ancient, _) => (
            "a workbook of Excel 4 or older",
            "Open it in Excel and save it as \"Excel Workbook (.xlsx)\".",
        ),
        (Signature::Pdf, _) => ("a PDF document", "Send the table that it was made from."),
        (Signature::Gzip, _) => ("a compressed file", "Unpack it and send what is inside."),
        (Signature::Markup, Xlsx | Xls) => (
            "a web page or an XML file",
            "Some systems give their web pages the ending of Excel. Open it in Excel and save it \
             as \"Excel Workbook (.xlsx)\".",
        ),
        (Signature::Other, Xlsx | Xls) => (
            "no Excel workbook",
            "If it is text, give it the ending .csv; else open it in Excel and save it as \
             \"Excel Workbook (.xlsx)\".",
        ),
    };
    let allowed = match format {
        Csv => "a CSV file",
        Json => "a JSON document",
        Xlsx => "an Excel workbook (xlsx)",
        Xls => "an Excel 97-2003 workbook (xls)",
    };
    let ending = format.as_str();
    Err(rejected(
        "",
        found,
        allowed,
        &format!("The file is named .{ending}, but is {found}. {what_to_do}"),
    ))
}

/// Whether a compound file holds an encrypted workbook of the newer format. Its name is
/// in the directory, in UTF-16; the directory can be anywhere.
fn is_encrypted_package<R: Read + Seek>(file: &mut R) -> io::Result<bool> {
    let name: Vec<u8> = "EncryptedPackage"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    file.seek(SeekFrom::Start(0))?;
    let mut block = vec![0; 64 * 1024];
    let mut kept = 0;
    loop {
        let read = match file.read(&mut block[kept..]) {
            Ok(0) => return Ok(false),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let filled = kept + read;
        if block[..filled]
            .windows(name.len())
            .any(|window| window == name)
        {
            return Ok(true);
        }
        // The name may lie across two blocks.
        let start = filled.saturating_sub(name.len() - 1);
        block.copy_within(start..filled, 0);
        kept = filled - start;
    }
}
