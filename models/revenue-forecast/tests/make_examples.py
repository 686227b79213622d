"""Makes the tables in `examples/`: what a controller's sheet looks like, and the same with a mistake or two.

Run it again after a change here and commit the files; the same library versions write the same bytes:

    python tests/make_examples.py
"""

import csv
import io
import re
import sys
import zipfile
from pathlib import Path

import xlwt
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill

HEADER = ("Product line", "Year", "Growth percent", "Comment")
ROWS = (
    ("Cloud subscriptions", 2027, 22, "Price list of March"),
    ("Cloud subscriptions", 2028, 15, None),
    ("Hardware", 2027, 4.5, "Two new distributors"),
    ("Hardware", 2028, 3, None),
    ("Services", 2027, None, "No view yet: left to the history"),
    ("Software licences", 2027, -8, "Customers move to the cloud"),
)
NOTES = (
    "Growth is in percent over the same months of the year before: 4.5 for 4.5 % more, -3 for 3 % less.",
    "An empty cell leaves the year to the forecast from the history.",
)
COLUMNS = ("product_line", "year", "growth_percent", "comment")
# A workbook keeps the moment at which it was saved. A fixed one keeps the files the same.
SAVED = (2026, 11, 2, 9, 0, 0)


def changed(row: int, column: int, value: object) -> list[list[object]]:
    """The plan with its header and one other cell, both counted from 1 as a spreadsheet does."""
    table = [list(HEADER), *map(list, ROWS)]
    table[row - 1][column - 1] = value
    return table


def write_csv(path: Path, table: list[list[object]], delimiter: str = ",") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerows(table)


def write_xlsx(path: Path, table: list[list[object]], growth_format: str = "0.0") -> None:
    """A workbook with the plan on its first sheet, as somebody would format it, and notes on its second."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "Plan"
    for row in table:
        sheet.append(row)
    for cell in sheet[1]:
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", start_color="1F4E79")
    for (cell,) in sheet.iter_rows(min_row=2, min_col=3, max_col=3):
        cell.number_format = growth_format
    for letter, width in zip("ABCD", (24, 8, 16, 40), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    notes = workbook.create_sheet("Notes")
    notes.column_dimensions["A"].width = 100
    for sentence in NOTES:
        notes.append([sentence])
        notes.cell(notes.max_row, 1).alignment = Alignment(wrap_text=True)
    workbook.properties.creator = "Controlling"
    draft = io.BytesIO()
    workbook.save(draft)
    with zipfile.ZipFile(draft) as saved, zipfile.ZipFile(path, "w") as fixed:
        for name in saved.namelist():
            content = saved.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"<dcterms:.*?</dcterms:[a-z]+>", b"", content)
            fixed.writestr(zipfile.ZipInfo(name, SAVED), content, zipfile.ZIP_DEFLATED)


def write_xls(path: Path, table: list[list[object]]) -> None:
    """The plan as Excel kept it before 2007."""
    workbook = xlwt.Workbook(encoding="utf-8")
    sheet = workbook.add_sheet("Plan")
    bold, percent = xlwt.easyxf("font: bold on"), xlwt.easyxf(num_format_str="0.0")
    for row, cells in enumerate(table):
        for column, value in enumerate(cells):
            if value is not None:
                style = bold if row == 0 else percent if column == 2 else xlwt.Style.default_style
                sheet.write(row, column, value, style)
    for column, width in enumerate((24, 8, 16, 40)):
        sheet.col(column).width = 256 * width
    workbook.save(str(path))


def make(folder: Path) -> None:
    """Writes every table below `folder`."""
    rejected = folder / "rejected"
    rejected.mkdir(parents=True, exist_ok=True)
    plan = [list(HEADER), *map(list, ROWS)]
    columns = [list(COLUMNS[:3]), *(list(row[:3]) for row in ROWS)]
    write_csv(folder / "plan-2027.csv", [list(COLUMNS), *map(list, ROWS)])
    write_xlsx(folder / "plan-2027.xlsx", plan)
    write_xls(folder / "plan-2027.xls", plan)
    # What Excel keeps of 4.5 % is 0.045.
    shares = [[line, year, None if growth is None else growth / 100, comment] for line, year, growth, comment in ROWS]
    write_xlsx(folder / "shown-as-percentages.xlsx", [list(HEADER), *shares], growth_format="0.0%")

    write_csv(rejected / "misspelt-column.csv", [["product_line", "year", "growth_percnt"], *columns[1:]])
    # What Excel saves where people write 4,5.
    decimal_comma = [[str(cell).replace(".", ",") if cell is not None else None for cell in row] for row in columns]
    write_csv(rejected / "decimal-comma.csv", decimal_comma, delimiter=";")
    write_csv(rejected / "repeated-year.csv", [*columns, ["Hardware", 2028, 2.5]])
    write_xlsx(rejected / "growth-as-text.xlsx", changed(4, 3, "about 5"))
    write_xlsx(rejected / "year-out-of-range.xlsx", changed(3, 2, 2208))
    write_xlsx(rejected / "broken-formula.xlsx", changed(7, 3, "#REF!"))
    write_xls(rejected / "growth-too-large.xls", changed(2, 3, 2200))


if __name__ == "__main__":
    make(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent / "examples")
