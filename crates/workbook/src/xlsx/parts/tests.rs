use super::*;

fn scan(xml: &[u8]) -> Result<Facts, PartProblem> {
    let whole = blocks(xml, xml.len().max(1));
    // Wherever a block ends, the result is the same.
    for size in [1, 2, 3, 7] {
        let in_blocks = blocks(xml, size);
        assert_eq!(
            format!("{in_blocks:?}"),
            format!("{whole:?}"),
            "{}",
            String::from_utf8_lossy(xml)
        );
    }
    whole
}

fn blocks(xml: &[u8], size: usize) -> Result<Facts, PartProblem> {
    Scan::new(xml, size, true).run()
}

fn broken(xml: &str) -> &'static str {
    match scan(xml.as_bytes()) {
        Err(PartProblem::Broken(what)) => what,
        other => panic!("{xml}: {other:?}"),
    }
}

#[test]
fn what_is_kept_is_counted() {
    let facts = scan(
        b"<?xml version=\"1.0\"?><!-- a > b --><sst uniqueCount=\"7\"><si><t>a</t></si><x:si/>\
          <t><![CDATA[<si>]]></t></sst>",
    )
    .unwrap();
    assert_eq!((facts.texts, facts.declared_texts), (2, 7));
    let facts = scan(b"<a><xf a='>'/><font><b/></font></a>").unwrap();
    assert_eq!((facts.styles, facts.kept, facts.longest_style), (1, 2, 17));
    let facts = scan(b"<sst uniqueCount='99999999999999999999999'/>").unwrap();
    assert_eq!(facts.declared_texts, u64::MAX);
}

#[test]
fn references_outside_of_every_sheet_are_found() {
    for fine in [
        "<c r=\"A1\"/>",
        "<x:c s='1' r = 'XFD1048576' />",
        "<c/>",
        "<row r=\"1048576\"/>",
        "<row/>",
        "<dimension ref=\"A1:XFD1048576\"/>",
        "<dimension ref='b2'/>",
        "<f ref='A1:A9'>1</f>",
        "<calcChain><c i=\"1\"/></calcChain>",
    ] {
        assert!(scan(fine.as_bytes()).is_ok(), "{fine}");
    }
    for beyond in [
        "<c r=\"A0\"/>",
        "<c r=\"A1048577\"/>",
        "<c r=\"XFE1\"/>",
        "<c r=\"A4294967298\"/>",
        "<c r=\"AAAAAAAA1\"/>",
        "<c r=\"1\"/>",
        "<c r=\"\"/>",
        "<row r=\"0\"/>",
        "<row r=\"4294967297\"/>",
        "<dimension ref=\"B2:A1\"/>",
        "<dimension ref=\"A1:B2:C3\"/>",
        "<f t='shared' ref='B2:A1' si='0'/>",
    ] {
        assert_eq!(broken(beyond), "a cell that no sheet has", "{beyond}");
    }
}

#[test]
fn malformed_markup_is_found() {
    assert_eq!(broken("<!DOCTYPE a><a/>"), "a document type declaration");
    assert_eq!(broken("<!ENTITY a 'b'>"), "a document type declaration");
    assert_eq!(broken("<!--> --><a/>"), "a malformed comment");
    assert_eq!(broken("<!---> --><a/>"), "a malformed comment");
    assert_eq!(broken("<?><a/>"), "a malformed instruction");
    assert_eq!(broken("<a></a \"\">"), "a malformed end of an element");
    for cut in [
        "<a",
        "<a b='",
        "<!--",
        "<!-- a",
        "<![CDATA[ ]]",
        "<?xml",
        "<!",
    ] {
        assert_eq!(broken(cut), "unfinished markup", "{cut}");
    }
    for attribute in ["<c r=A1>", "<c r>", "<c 'r'>"] {
        assert_eq!(broken(attribute), "a malformed attribute", "{attribute}");
    }
    for twice in ["<c r='A1' r='ZZZZZZZZ1'>", "<row r='1' s='2' r='1'>"] {
        assert_eq!(broken(twice), "a duplicate attribute", "{twice}");
    }
    assert!(scan(b"<!-- -- > - --><a/>").is_ok());
    assert!(scan(b"<![CDATA[]]><a/>").is_ok());
}

#[test]
fn the_rest_of_a_part_is_scanned_where_calamine_stops() {
    let beyond = b"<c r='XFE1'/>";
    for before in [
        &b"<v>caf\xe9</v>"[..],
        b"\xff\xfe<a/>",
        b"<a \xc3='\xff'/>",
        b"<?xml version='1.0' encoding='UTF-16'?>",
        b"a & b",
        b"<a>&amp</a>",
        b"</a></b>",
        b"<a></b>",
    ] {
        let whole = [before, beyond].concat();
        assert_eq!(
            broken(&String::from_utf8_lossy(&whole)),
            "a cell that no sheet has"
        );
        assert!(matches!(
            scan(&whole),
            Err(PartProblem::Broken("a cell that no sheet has"))
        ));
        assert!(scan(before).is_ok());
    }
    assert_eq!(broken("<!DOCTYPE >"), "a document type declaration");
}

#[test]
fn a_sheet_must_be_xml() {
    let relationship = |target: &str| {
        format!("<Relationship Id='1' Type='http://x/relationships/worksheet' Target='{target}'/>")
    };
    assert!(scan(relationship("worksheets/Sheet1.XML").as_bytes()).is_ok());
    assert!(scan(b"<Relationship Type='http://x/image' Target='a.png'/>").is_ok());
    for target in ["a.png", "a&#46;xml", "../customXml/item1.xml", ""] {
        assert_eq!(broken(&relationship(target)), "a sheet that is no XML");
    }
}

#[test]
fn long_and_deep_parts_are_found() {
    let too_large = |xml: &[u8]| match blocks(xml, 65_536) {
        Err(PartProblem::TooLarge(what)) => what,
        other => panic!("{other:?}"),
    };
    let long = vec![b'x'; 17 << 20];
    assert_eq!(too_large(&long), "a piece of more than 16 MiB");
    let tag = [b"<a b='", &long[..]].concat();
    assert_eq!(too_large(&tag), "a piece of more than 16 MiB");
    let comment = [b"<!--", &long[..]].concat();
    assert_eq!(too_large(&comment), "a piece of more than 16 MiB");
    let runs = [b"<si>".to_vec(), b"<r><t>x</t></r>".repeat(100_000)].concat();
    assert_eq!(too_large(&runs), "a text of more than 1 MiB");
    assert_eq!(
        too_large(&b"<a>".repeat(2_000)),
        "elements too deep in each other"
    );
    assert_eq!(
        too_large(format!("<{}/>", "a".repeat(1025)).as_bytes()),
        "a name of more than 1 KiB"
    );
    assert_eq!(
        too_large(&b"<sheet/>".repeat(500_000)),
        "too many sheets, names or styles"
    );
}
