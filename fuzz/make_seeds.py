"""Writes `fuzz/seeds/`: small files of every kind, from which the fuzzer makes others.

Run it again after a change here or in the model's examples, and commit the files:

    python3 fuzz/make_seeds.py
"""

import shutil
import struct
from pathlib import Path

HERE = Path(__file__).parent
SEEDS = HERE / "seeds"
EXAMPLES = HERE.parent / "models/revenue-forecast/examples"

HEADER = "line,year,growth,from,at,paid,kind,code,any,unit"
ROWS = [
    "Hardware,2027,4.5,2026-12-31,2026-12-31T23:59:59Z,true,plan,AB12,7,USD",
    '"Cloud, ""new""\nline",2028,-3,,,no,actual,,x,',
]

JSON = {
    "document": '{"months": 18, "lines": [{"name": "A"}, {"name": "B", "unit": "USD"}], "growth": {"2027": 4.5e0}, "from": "2026-12-31"}',
    "nested": '{"tree": {"tree": {"months": 61}}, "either": {"b": null}, "lines": [{"nmae": 1}]}',
    "twice": '{"months": 1, "months": 1.0, "growth": {"2027": 1e999}}',
    "escapes": '{"lines": [{"name": "\\u00e9\\ud83d\\ude00\\n"}]}',
    "cut": '{"lines": [{"name": "A',
    "comment": "{'months': 18, // eighteen\n}",
}

CSV = {
    "comma": "\n".join([HEADER, *ROWS]) + "\n",
    "windows": "\r\n".join([HEADER, *ROWS]),
    "faulty": "line,yaer,growth,from\nA,2027,1.234,31/02/2026\nB,٣,NaN,45000\n,1e999,#REF!,2026-13-01\nA,2027,x,2026-01-01\n",
    "german": "line;year;growth;from;paid\nHardware;2027;1.234,5;31.12.2026;ja\nDienste;2031;5;1.2.26;nein\n",
    "tabs": "line\tyear\tgrowth\nA\t2027\t1\n",
    "bars": "line|year\nA|2027\n\nB|2028|x\n",
    "open quote": 'line,year\n"A,2027\nB,2028\n',
    "empty": "line,year\n",
    "formulas": 'line,any\n=HYPERLINK("http://x"),@a\n+cmd|/c,-1\n\u202eright,\u200b\n',
}

# What the target packs into a workbook: the sheet, then other parts, a NUL byte between them.
SHEET = (
    '<worksheet><dimension ref="A1:C9"/><sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c>'
    '<c r="C1" t="s"><v>2</v></c><c r="D1" t="inlineStr"><is><t>growth</t></is></c></row>'
    '<row r="2"><c r="A2" t="s"><v>3</v></c><c r="B2"><v>2027</v></c><c r="C2" s="1"><v>46387</v></c><c r="D2"><f>1+2</f><v>3.5</v></c></row>'
    '<row r="5" hidden="1"><c r="A5" t="str"><v>B</v></c><c r="B5" t="b"><v>1</v></c><c r="C5" s="2"><v>60.5</v></c><c r="D5" t="e"><v>#REF!</v></c></row>'
    '</sheetData><mergeCells count="1"><mergeCell ref="A2:A3"/></mergeCells></worksheet>'
)
TEXTS = "<sst><si><t>line</t></si><si><r><t>ye</t></r><r><t>ar</t></r></si><si><t>from</t></si><si><t xml:space=\"preserve\"> A &amp; B </t></si></sst>"
STYLES = (
    '<styleSheet><numFmts count="1"><numFmt numFmtId="164" formatCode="dd\\.mm\\.yyyy"/></numFmts>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="46"/></cellXfs></styleSheet>'
)
BOOK = (
    '<workbook><workbookPr date1904="1"/><sheets><sheet name="Old" sheetId="2" r:id="r9" state="hidden"/>'
    '<sheet name="Plan" sheetId="1" r:id="r1"/></sheets></workbook>'
)

XLSX = {
    "sheet": SHEET,
    # Found by the fuzzer: a cell with two places, of which the check saw one and the reader the other.
    "two places": '<worksheet><sheetData><row r="1"><c r="D1" r="inlineStr"/></row></sheetData></worksheet>',
    "texts": "\0".join([SHEET, TEXTS]),
    "styles": "\0".join([SHEET, TEXTS, STYLES]),
    "book": "\0".join([SHEET, TEXTS, STYLES, BOOK]),
}


def record(kind: int, content: bytes = b"") -> bytes:
    """A record of a workbook in the older format."""
    return struct.pack("<HH", kind, len(content)) + content


def text(value: str, length: str) -> bytes:
    """A text of one byte a character."""
    return struct.pack(f"<{length}B", len(value), 0) + value.encode("latin-1")


def workbook(cells: bytes, epoch: int = 0) -> bytes:
    """The stream of an Excel 97 workbook with the one sheet `Plan`, whose cells' records are given."""
    begin = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0x0DBB, 0x07CC, 0, 6))
    texts = ["line", "year", "from", "Hardware"]
    shared = record(0xFC, struct.pack("<II", 4, 4) + b"".join(text(value, "H") for value in texts))
    formats = record(0x41E, struct.pack("<H", 164) + text("dd/mm/yyyy", "H"))
    styles = b"".join(record(0xE0, struct.pack("<HHH", 0, number, 0) + bytes(14)) for number in (0, 14, 164))
    date_mode = record(0x22, struct.pack("<H", epoch))
    end = record(0x0A)

    def globals_with(start: int) -> bytes:
        sheet = record(0x85, struct.pack("<IBB", start, 0, 0) + text("Plan", "B"))
        return begin + date_mode + formats + styles + sheet + shared + end

    inside = record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0x0DBB, 0x07CC, 0, 6))
    start = len(globals_with(0))
    return globals_with(start) + inside + record(0x200, struct.pack("<IIHHH", 0, 9, 0, 4, 0)) + cells + end


def shared(row: int, column: int, index: int) -> bytes:
    """A cell with one of the shared texts."""
    return record(0xFD, struct.pack("<HHHI", row, column, 0, index))


HEAD = shared(0, 0, 0) + shared(0, 1, 1) + shared(0, 2, 2)
NUMBER = record(0x203, struct.pack("<HHHd", 1, 1, 0, 2027.0))
DATE = record(0x27E, struct.pack("<HHHI", 1, 2, 1, 46387 << 2 | 2))
ERROR = record(0x205, struct.pack("<HHHBB", 2, 1, 0, 0x17, 1))
MANY = record(0xBD, struct.pack("<HHHIHIH", 3, 1, 0, 2028 << 2 | 2, 2, 46000 << 2 | 2, 2))
LABEL = record(0x204, struct.pack("<HHH", 3, 0, 0) + text("Dienste", "H"))
FORMULA = record(0x06, struct.pack("<HHHdHIH", 2, 2, 0, 46387.0, 0, 0, 0))
STRING = record(0x06, struct.pack("<HHHBBIHHIH", 2, 0, 0, 0, 0, 0, 0xFFFF, 0, 0, 0)) + record(0x207, text("B", "H"))

XLS = {
    "cells": workbook(HEAD + shared(1, 0, 3) + NUMBER + DATE),
    "every kind": workbook(HEAD + shared(1, 0, 3) + NUMBER + DATE + STRING + ERROR + FORMULA + LABEL + MANY),
    "from 1904": workbook(HEAD + shared(1, 0, 3) + NUMBER + DATE, epoch=1),
}


def main() -> None:
    """Writes all seeds anew."""
    shutil.rmtree(SEEDS, ignore_errors=True)
    for kind in ("json", "csv", "xlsx", "xls"):
        (SEEDS / kind).mkdir(parents=True)
        for file in sorted(EXAMPLES.rglob(f"*.{kind}")):
            if not file.name.endswith(".problems.json"):
                shutil.copyfile(file, SEEDS / kind / file.name)
    for kind, files in (("json", JSON), ("csv", CSV), ("xlsx", XLSX)):
        for name, content in files.items():
            (SEEDS / kind / name.replace(" ", "-")).write_bytes(content.encode())
    for name, content in XLS.items():
        (SEEDS / "xls" / name.replace(" ", "-")).write_bytes(content)
    for kind, content in (("json", JSON["document"]), ("csv", CSV["comma"])):
        (SEEDS / kind / "utf-8-with-mark").write_bytes(content.encode("utf-8-sig"))
        (SEEDS / kind / "utf-16").write_bytes(content.encode("utf-16"))
    (SEEDS / "csv" / "windows-1252").write_bytes("line,growth\nCafé “x”,1\n".encode("cp1252"))
    (SEEDS / "json" / "utf-32").write_bytes(JSON["document"].encode("utf-32"))


if __name__ == "__main__":
    main()
