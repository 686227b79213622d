//! Workbooks around arbitrary bytes: few changes of an archive's bytes leave it one, so that
//! what lies inside it would hardly be reached.

use std::io::{Cursor, Write};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

/// The parts that arbitrary bytes hold one after the other, with a NUL byte between two.
const GIVEN: [&str; 4] = [
    "xl/worksheets/sheet1.xml",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    "xl/workbook.xml",
];

/// What stands around them, and for those that are missing.
const FIXED: [(&str, &str); 6] = [
    (
        "[Content_Types].xml",
        r#"<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>"#,
    ),
    (
        "_rels/.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
    ),
    (
        "xl/_rels/workbook.xml.rels",
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="r3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#,
    ),
    (
        "xl/sharedStrings.xml",
        r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>line</t></si><si><t>year</t></si><si><t>from</t></si><si><t>Hardware</t></si></sst>"#,
    ),
    (
        "xl/styles.xml",
        r#"<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="22"/><xf numFmtId="46"/></cellXfs></styleSheet>"#,
    ),
    (
        "xl/workbook.xml",
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Plan" sheetId="1" r:id="r1"/></sheets></workbook>"#,
    ),
];

/// An xlsx file: bytes that are an archive as they are, others as the parts of one.
pub fn xlsx_of(bytes: &[u8]) -> Vec<u8> {
    if bytes.starts_with(b"PK") {
        return bytes.to_vec();
    }
    let given: Vec<(&str, &[u8])> = GIVEN
        .into_iter()
        .zip(bytes.splitn(GIVEN.len(), |&byte| byte == 0))
        .collect();
    let fixed = FIXED
        .iter()
        .filter(|(name, _)| given.iter().all(|(other, _)| other != name))
        .map(|(name, content)| (*name, content.as_bytes()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in given.iter().copied().chain(fixed) {
        archive
            .start_file(name, options)
            .expect("memory can be written");
        archive.write_all(content).expect("memory can be written");
    }
    archive
        .finish()
        .expect("memory can be written")
        .into_inner()
}

/// An xls file: bytes that are a compound file as they are, others as the workbook in one.
pub fn workbook_of(bytes: &[u8]) -> Vec<u8> {
    if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return bytes.to_vec();
    }
    let mut compound =
        cfb::CompoundFile::create(Cursor::new(Vec::new())).expect("memory can be written");
    let mut stream = compound
        .create_stream("/Workbook")
        .expect("memory can be written");
    stream.write_all(bytes).expect("memory can be written");
    drop(stream);
    compound.flush().expect("memory can be written");
    compound.into_inner().into_inner()
}
