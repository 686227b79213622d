"""The plan as a table: what Dropcast makes of a CSV file or a workbook, and what the model reads of it."""

import csv
import io
import json
from contextlib import closing

import pandas as pd
import pytest
from conftest import MODEL

from revenue_forecast.errors import ModelError
from revenue_forecast.job import ROW_SCHEMA, SCHEMA
from revenue_forecast.request import parse_request, read_request
from revenue_forecast.table import table_document

HEADER = "product_line,year,growth_percent"
PLAN = f"{HEADER}\nHardware,2027,4.5\nHardware,2028,3\nServices,2027,-8\n"
OTHERWISE = '''year,comment,growth_percent,product_line
2027,"New, and
large",4.5,"Hardware"
2028,,3.0,Hardware
2027,"a ""cut""",-8e0,Services
'''


@pytest.fixture
def read(tmp_path):
    """The request that a file with this text makes."""

    def read_text(text, name="plan.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_request(path, SCHEMA, ROW_SCHEMA)

    return read_text


def test_a_table_says_what_the_same_document_says(read):
    document = {"growth_percent": {"Hardware": {"2027": 4.5, "2028": 3}, "Services": {"2027": -8}}}
    table, written_out = read(PLAN), read(json.dumps(document), "plan.json")
    assert table.growth_percent == written_out.growth_percent
    assert (table.title, table.interval_percent) == (written_out.title, written_out.interval_percent)


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + PLAN,
        PLAN.replace("\n", "\r\n"),
        PLAN.removesuffix("\n"),
        PLAN + "\n,,\n",
        PLAN.replace("Services", " Services "),
        OTHERWISE,
    ],
    ids=[
        "byte order mark",
        "CRLF",
        "no last line end",
        "empty rows",
        "spaces",
        "quoted, in another order, with comments",
    ],
)
def test_the_same_table_may_be_written_in_several_ways(read, text):
    assert read(text) == read(PLAN)


def test_an_empty_growth_leaves_the_year_to_the_history_and_names_the_line_all_the_same(read):
    assert read(f"{HEADER}\nHardware,2027,\nServices,2027,2\n").growth_percent == {
        "Hardware": {},
        "Services": {2027: 2},
    }


@pytest.mark.parametrize(
    ("years", "last", "months"),
    [
        ((2027,), "2026-10", 18),
        ((2028, 2027), "2026-10", 26),
        ((2028,), "2026-12", 24),
        ((2025,), "2026-10", 18),
        ((2099,), "2026-10", 60),
    ],
)
def test_a_table_is_forecast_to_the_end_of_its_last_year(read, years, last, months):
    rows = "".join(f"Hardware,{year},1\n" for year in years)
    assert read(f"{HEADER}\n{rows}").months_after(pd.Period(last, "M")) == months


def test_a_horizon_that_the_user_chose_is_kept(ask):
    request = ask(horizon_months=3, growth_percent={"Hardware": {"2031": 1}})
    assert request.months_after(pd.Period("2026-10", "M")) == 3
    assert ask(horizon_months=3).horizon_name == "3 months"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The table is empty"),
        ("\n", "no column product_line, year and growth_percent"),
        (HEADER, "no rows below its header"),
        (f"{HEADER}\n,,\n", "no rows below its header"),
        ("product_line,year\nHardware,2027\n", "no column growth_percent"),
        (PLAN.replace("growth_percent", "growth_percnt"), 'a column "growth_percnt"'),
        (PLAN.replace("product_line", "year"), "two columns of the same name"),
        (f"{HEADER}\nHardware,2027\n", "Row 2 of the table has 2 cells; the header has 3"),
        (f"{HEADER}\nHardware,2027,4,5\n", "Row 2 of the table has 4 cells"),
        (f"{HEADER}\n,2027,4\n", "Row 2 of the table has no product_line"),
        (f"{HEADER}\n  ,2027,4\n", "Row 2 of the table has no product_line"),
        (f"{HEADER}\nHardware,,4\n", "Row 2 of the table has no year"),
        (PLAN + "Hardware,2027,5\n", "Row 5 of the table repeats row 2: Hardware in 2027"),
        (PLAN + "Hardware ,2027,5\n", "Row 5 of the table repeats row 2"),
        (PLAN.replace("4.5", "4.5 %"), 'growth_percent in row 2 of the table must be a number like 4.5, not "4.5 %"'),
        (PLAN.replace("4.5", "nan"), 'not "nan"'),
        (PLAN.replace("4.5", "1_0"), 'not "1_0"'),
        (PLAN.replace("4.5", "٣"), 'not "٣"'),
        (PLAN.replace("4.5", "1e999"), 'growth_percent of "Hardware" for 2027 must be a number from -90 to 300'),
        (PLAN.replace("4.5", "301"), "from -90 to 300, not 301"),
        (PLAN.replace("2028", "2208"), 'names the year "2208"'),
        (PLAN.replace("2028", "2028.0"), 'names the year "2028.0"'),
        (PLAN.replace("2028", "next"), 'names the year "next"'),
        (f'{HEADER}\n"Hardware,2027,4\n', "cannot be read as CSV"),
        (f"{HEADER}\n{'a' * 200_000},2027,4\n", "cannot be read as CSV"),
        (PLAN.encode("utf-16"), "plan.csv is not in UTF-8"),
        (PLAN.replace("Hardware", "Zubehör").encode("cp1252"), "plan.csv is not in UTF-8"),
    ],
)
def test_a_wrong_table_ends_in_a_sentence(read, text, says):
    with pytest.raises(ModelError, match=says):
        read(text)


def test_a_workbook_is_left_to_dropcast(read):
    with pytest.raises(ModelError, match=r"does not read the workbook plan\.XLSX itself"):
        read(b"PK\x03\x04", "plan.XLSX")


def clean(rows):
    """The clean CSV of a workbook's rows, as Dropcast makes it: the schema's names, whole numbers without a point."""
    header, *body = rows
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(name.lower().replace(" ", "_") for name in header)
    writer.writerows([f"{cell:g}" if isinstance(cell, int | float) else cell or "" for cell in row] for row in body)
    return text.getvalue()


def xlsx_rows(path):
    from openpyxl import load_workbook

    with closing(load_workbook(path, read_only=True)) as workbook:
        return list(workbook["Plan"].iter_rows(values_only=True))


def xls_rows(path):
    from xlrd import open_workbook

    sheet = open_workbook(path).sheet_by_name("Plan")
    return [sheet.row_values(row) for row in range(sheet.nrows)]


def test_the_example_holds_the_same_plan_in_every_format(schema):
    examples = MODEL / "examples"
    text = (examples / "plan-2027.csv").read_text()
    assert clean(xlsx_rows(examples / "plan-2027.xlsx")) == text
    assert clean(xls_rows(examples / "plan-2027.xls")) == text
    document = table_document(text, json.loads(ROW_SCHEMA.read_text()))
    written_out = json.loads((examples / "plan-2027.json").read_text())
    assert parse_request(document, schema).growth_percent == {
        **parse_request(written_out, schema).growth_percent,
        "Services": {},
    }


def test_equal_plans_give_equal_forecasts(model):
    examples = MODEL / "examples"
    made = []
    for name in ("plan-2027.json", "plan-2027.csv"):
        done = model.run((examples / name).read_text(), input_name=name, HISTORY_CACHE_HOURS="0")
        assert (done.returncode, done.stderr) == (0, "")
        made.append((model.read("forecast.csv"), model.read("summary.md").partition(b"\n")[2]))
    assert made[0] == made[1]
    assert made[0][0].count(b"\n") == 1 + 26 * 5
