use std::io::{Cursor, Write};

use dropcast_domain::model::{InputFormat, TableSpec};
use dropcast_workbook::ReadError;

use super::fixtures::{Biff, pack, packed, plan, read_as, sheet_xml};
use crate::Limits;

fn check(
    file: &mut (impl std::io::Read + std::io::Seek),
    format: InputFormat,
    limits: &Limits,
) -> Result<(), ReadError> {
    dropcast_workbook::check(file, format, limits.max_memory)
}

/// The sentences of why a file is refused.
fn unusable(file: &[u8], format: InputFormat) -> String {
    match check(&mut Cursor::new(file), format, &Limits::default()) {
        Err(ReadError::Rejected(problems)) => problems.to_string(),
        other => panic!("{other:?}"),
    }
}

fn says(file: &[u8], format: InputFormat, words: &[&str]) {
    let message = unusable(file, format);
    for words in words {
        assert!(message.contains(words), "{words:?} not in: {message}");
    }
}

fn xlsx() -> Vec<u8> {
    plan(|sheet| {
        sheet.write(0, 0, "month").unwrap();
    })
}

fn xls() -> Vec<u8> {
    Biff::new().cell(0x203, 0, 0, &[0; 8]).file()
}

/// A workbook that is encrypted, as Excel writes it: a compound file.
fn encrypted() -> Vec<u8> {
    let mut file = cfb::CompoundFile::create(Cursor::new(Vec::new())).unwrap();
    for name in ["/EncryptionInfo", "/EncryptedPackage"] {
        let mut stream = file.create_stream(name).unwrap();
        stream.write_all(&[7; 5_000]).unwrap();
    }
    file.into_inner().into_inner()
}

/// Where some bytes stand in a file.
fn places(file: &[u8], bytes: &[u8]) -> Vec<usize> {
    let windows = file.windows(bytes.len()).enumerate();
    windows
        .filter(|(_, window)| *window == bytes)
        .map(|(at, _)| at)
        .collect()
}

/// An archive with one more part.
fn with_part(name: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new_append(Cursor::new(packed(&sheet_xml("")))).unwrap();
    let options = zip::write::SimpleFileOptions::default();
    archive.start_file(name, options).unwrap();
    archive.write_all(content).unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
fn files_that_are_what_they_are_called_pass() {
    for (file, format) in [
        (xlsx(), InputFormat::Xlsx),
        (xls(), InputFormat::Xls),
        (b"a,b\n1,2\n".to_vec(), InputFormat::Csv),
        (b"<5,>7\n".to_vec(), InputFormat::Csv),
        (Vec::new(), InputFormat::Csv),
    ] {
        assert!(check(&mut Cursor::new(file), format, &Limits::default()).is_ok());
    }
}

#[test]
fn a_file_whose_content_does_not_match_its_name_gets_advice() {
    use InputFormat::{Csv, Xls, Xlsx};
    says(
        &xls(),
        Csv,
        &["named .csv", "(xls)", "\"CSV UTF-8\"", ".xls"],
    );
    says(&xlsx(), Csv, &["named .csv", "\"CSV UTF-8\"", ".xlsx"]);
    says(&xlsx(), Xls, &["named .xls", "newer format", ".xlsx"]);
    says(&xls(), Xlsx, &["named .xlsx", "older format", ".xls"]);
    says(b"a,b\n", Xlsx, &["no Excel workbook", ".csv"]);
    says(
        b"<html><table>",
        Xls,
        &["a web page", "Excel Workbook (.xlsx)"],
    );
    says(b"\xef\xbb\xbf<?xml", Xls, &["an XML file"]);
    says(
        b"\x09\x08\x08\x00\x00\x05\x05\x00",
        Xls,
        &["Excel 4 or older"],
    );
    says(b"%PDF-1.7", Csv, &["a PDF document"]);
    says(b"\x1f\x8b\x08\x00", Csv, &["Unpack it"]);
    says(b"", Xlsx, &["an empty file"]);
    says(b"", Xls, &["an empty file"]);
}

#[test]
fn an_encrypted_workbook_says_how_to_take_the_password_away() {
    for format in [InputFormat::Xlsx, InputFormat::Xls] {
        says(
            &encrypted(),
            format,
            &["is encrypted", "delete the password"],
        );
    }
    let message = read_as(
        &Biff::new().global(0x2f, &[1; 6]).file(),
        InputFormat::Xls,
        &TableSpec::default(),
    );
    assert!(message.unwrap_err().contains("is encrypted"));
    // As programs for archives do it: each part says so, in its own head and in the directory.
    let mut file = xlsx();
    for (head, flags) in [(b"PK\x03\x04", 6), (b"PK\x01\x02", 8)] {
        for at in places(&file, head) {
            file[at + flags] |= 1;
        }
    }
    says(&file, InputFormat::Xlsx, &["is encrypted"]);
}

#[test]
fn other_archives_are_called_by_their_name() {
    for (parts, kind) in [
        (&[("word/document.xml", "")][..], "a Word document"),
        (&[("ppt/presentation.xml", "")], "a PowerPoint presentation"),
        (
            &[("mimetype", ""), ("content.xml", "")],
            "an OpenDocument file",
        ),
        (&[("xl/workbook.bin", "")], "a binary Excel workbook (xlsb)"),
        (&[("plan.xlsx", "")], "a zip archive with files in it"),
        (&[("x", "")], "a zip archive, but no workbook"),
    ] {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in parts {
            let options = zip::write::SimpleFileOptions::default();
            archive.start_file(*name, options).unwrap();
            archive.write_all(content.as_bytes()).unwrap();
        }
        let file = archive.finish().unwrap().into_inner();
        says(&file, InputFormat::Xlsx, &[kind]);
    }
}

#[test]
fn a_bomb_is_refused_before_it_is_inflated_past_its_limit() {
    // Inflates a thousandfold: 200 MiB in some 200 kB, of which 74 MiB are inflated.
    let zeros = vec![b' '; 200 << 20];
    let file = with_part("xl/media/image1.png", &zeros);
    assert!(file.len() < 300_000);
    says(
        &file,
        InputFormat::Xlsx,
        &["too large inside", "MiB is allowed"],
    );
}

#[test]
fn a_zip_bomb_with_a_false_size_is_counted_by_its_content() {
    let zeros = vec![b' '; 100 << 20];
    let mut file = with_part("xl/media/image1.png", &zeros);
    // The sizes in the directory and in the part's own head say 10 bytes.
    let size = u32::try_from(zeros.len()).unwrap().to_le_bytes();
    let sizes = places(&file, &size);
    assert_eq!(sizes.len(), 2);
    for at in sizes {
        file[at..at + 4].copy_from_slice(&10_u32.to_le_bytes());
    }
    let message = unusable(&file, InputFormat::Xlsx);
    assert!(
        message.contains("too large inside") || message.contains("damaged"),
        "{message}"
    );
}

#[test]
fn an_archive_of_very_many_parts_is_refused_before_it_is_opened() {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..10_001 {
        let options = zip::write::SimpleFileOptions::default();
        archive.start_file(format!("{index}"), options).unwrap();
    }
    let file = archive.finish().unwrap().into_inner();
    says(&file, InputFormat::Xlsx, &["10001 parts", "at most 10000"]);
}

#[test]
fn a_directory_that_does_not_fit_its_file_is_refused() {
    let file = xlsx();
    let end = file.len() - 22;
    for (at, bytes) in [
        (end + 10, &[0xfe_u8, 0xff][..]),
        (end + 12, &[0xff, 0xff, 0xff, 0x7f]),
        (end + 16, &[0xff, 0xff, 0xff, 0x7f]),
        (end + 20, &[1]),
        (end, b"PK\x05\x07"),
    ] {
        let mut file = file.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        unusable(&file, InputFormat::Xlsx);
    }
    let mut longer = file.clone();
    longer.extend(b"behind the end");
    let mut archive = zip::ZipWriter::new_append(Cursor::new(file)).unwrap();
    archive.set_comment("made by a program").unwrap();
    let commented = archive.finish().unwrap().into_inner();
    for file in [longer, commented] {
        says(
            &file,
            InputFormat::Xlsx,
            &["its end is missing, or other data follows it"],
        );
    }
}

#[test]
fn an_end_that_counts_fewer_parts_than_there_are_is_refused() {
    let mut file = xlsx();
    let end = file.len() - 22;
    let parts = u16::from_le_bytes([file[end + 10], file[end + 11]]);
    for at in [end + 8, end + 10] {
        file[at..at + 2].copy_from_slice(&(parts - 1).to_le_bytes());
    }
    says(&file, InputFormat::Xlsx, &["its directory is broken"]);
}

#[test]
fn everything_in_a_directory_counts_against_its_bound() {
    // 200 parts, each with a comment or an extra field of 60,000 bytes in the directory.
    let directory = |entry: &dyn Fn(u16) -> Vec<u8>| {
        let mut file: Vec<u8> = (0..200).flat_map(entry).collect();
        let length = u32::try_from(file.len()).unwrap();
        file.extend(b"PK\x05\x06\0\0\0\0\xc8\0\xc8\0");
        file.extend(length.to_le_bytes());
        file.extend([0; 6]);
        file
    };
    for (at, content) in [
        (30, [vec![7, 7, 0x5c, 0xea], vec![0; 59_996]].concat()),
        (32, vec![b'x'; 60_000]),
    ] {
        let file = directory(&|_| {
            let mut entry = vec![0; 46];
            entry[..4].copy_from_slice(b"PK\x01\x02");
            entry[at..at + 2].copy_from_slice(&60_000_u16.to_le_bytes());
            entry.extend(&content);
            entry
        });
        // The extension is checked by the first bytes, which are those of a part.
        let file = [&b"PK\x03\x04"[..], &file].concat();
        says(&file, InputFormat::Xlsx, &["200 parts"]);
    }
}

#[test]
fn parts_that_overlap_are_refused() {
    let mut file = pack(&[("a", "aaaaaaaaaa"), ("b", "bbbbbbbbbb")]);
    // The second part's place in the directory becomes the first one's.
    let entries = places(&file, b"PK\x01\x02");
    let (from, to) = (entries[entries.len() - 2], entries[entries.len() - 1]);
    let start = file[from + 42..from + 46].to_vec();
    file[to + 42..to + 46].copy_from_slice(&start);
    unusable(&file, InputFormat::Xlsx);
}

#[test]
fn texts_and_styles_that_are_only_declared_are_refused() {
    let texts = |count: &str| {
        let shared = format!("<sst uniqueCount=\"{count}\"><si><t>a</t></si></sst>");
        pack(&[
            ("xl/sharedStrings.xml", &shared),
            ("xl/worksheets/sheet1.xml", &sheet_xml("")),
        ])
    };
    assert!(
        check(
            &mut Cursor::new(texts("1")),
            InputFormat::Xlsx,
            &Limits::default()
        )
        .is_ok()
    );
    says(
        &texts("999999999999"),
        InputFormat::Xlsx,
        &["declares texts"],
    );
    let long = "0".repeat(100_000);
    let styles = format!(
        "<styleSheet><numFmts><numFmt numFmtId=\"200\" formatCode=\"{long}\"/></numFmts><cellXfs>{}\
         </cellXfs></styleSheet>",
        "<xf numFmtId=\"200\"/>".repeat(10_000)
    );
    let file = pack(&[("xl/styles.xml", &styles)]);
    says(&file, InputFormat::Xlsx, &["10000 cell styles"]);
}

#[test]
fn more_shared_texts_than_memory_are_refused() {
    let shared = format!("<sst>{}</sst>", "<si><t>a</t></si>".repeat(100_000));
    let file = pack(&[("xl/sharedStrings.xml", &shared)]);
    let limits = Limits {
        max_memory: 4 << 20,
        ..Limits::default()
    };
    assert!(
        check(
            &mut Cursor::new(&file),
            InputFormat::Xlsx,
            &Limits::default()
        )
        .is_ok()
    );
    let refused = check(&mut Cursor::new(&file), InputFormat::Xlsx, &limits);
    let Err(ReadError::Rejected(problems)) = refused else {
        panic!("it passed");
    };
    assert!(problems.to_string().contains("100000 different texts"));
}

#[test]
fn a_workbook_cut_anywhere_is_a_plain_problem() {
    for (file, format) in [(xlsx(), InputFormat::Xlsx), (xls(), InputFormat::Xls)] {
        let whole = read_as(&file, format, &TableSpec::default()).unwrap();
        for tenth in 1..10 {
            let cut = &file[..file.len() * tenth / 10];
            match read_as(cut, format, &TableSpec::default()) {
                Err(message) => assert!(message.contains("damaged"), "{message}"),
                // A compound file ends with room that nothing uses.
                Ok(rows) => assert_eq!((rows, format), (whole.clone(), InputFormat::Xls)),
            }
        }
    }
}

#[test]
fn tables_listed_without_end_are_refused() {
    let mut file = xls();
    // The chain of allocation tables begins at sector 0, whose last entry leads back to it.
    file[68..72].copy_from_slice(&0_u32.to_le_bytes());
    file[1020..1024].copy_from_slice(&0_u32.to_le_bytes());
    says(&file, InputFormat::Xls, &["damaged", "without end"]);
}
