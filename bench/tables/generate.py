"""Writes a table of orders that satisfies `bench.row.schema.json`, but for a share of faulty cells.

    python generate.py orders.csv --rows 1000000 --faulty 0.01
    python generate.py orders.xlsx --rows 200000

The same arguments write the same rows. Prints what was written as one JSON object: bytes, rows, columns, faulty cells.
"""

import argparse
import csv
import io
import json
import os
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

# Values are drawn from pools of this size: enough that no reader gains from repetition, few enough to be quick.
POOL = 10_000
# Rows that are made at a time, so that memory stays the same however many there are.
CHUNK = 10_000
FIRST_DAY = date(2020, 1, 1)
DAYS = 2500

COUNTRIES = ("AT", "BE", "CH", "DE", "DK", "ES", "FI", "FR", "GB", "IE", "IT", "NL", "NO", "PL", "PT", "SE", "US")
LINES = ("Cloud subscriptions", "Hardware", "Services", "Software licences")
CURRENCIES = ("CHF", "EUR", "GBP", "SEK", "USD")
NAMES = ("Abel", "Brandt", "Castro", "Dubois", "Ernst", "Fischer", "Grün", "Hansen", "Iversen", "Jørgensen", "Køhler")
KINDS = ("AG", "GmbH & Co. KG", "Ltd", "N.V.", "S.A.", "and Sons, Inc.")
COMMENTS = ("call before delivery", "second floor, rear entrance", 'marked "urgent"', "paid by card", "Größe prüfen")


def pools(generator: random.Random) -> dict[str, list[object]]:
    """Good values of every column but the order's number; `None` is an empty cell."""

    def draw(make, empty: float = 0.0) -> list[object]:
        return [None if generator.random() < empty else make() for _ in range(POOL)]

    def day() -> date:
        return FIRST_DAY + timedelta(days=generator.randrange(DAYS))

    def moment() -> datetime:
        return datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=generator.randrange(DAYS * 86_400))

    return {
        "ordered_on": draw(day),
        "shipped_at": draw(moment, empty=0.1),
        "country": draw(lambda: generator.choice(COUNTRIES)),
        "customer": draw(lambda: f"{generator.choice(NAMES)} {generator.choice(KINDS)} {generator.randrange(10_000)}"),
        "product_line": draw(lambda: generator.choice(LINES)),
        "quantity": draw(lambda: generator.randint(1, 500)),
        "unit_price": draw(lambda: round(generator.uniform(1, 5_000), 2)),
        "discount_percent": draw(lambda: generator.choice((0, 2.5, 5, 7.5, 10, 12.5)), empty=0.5),
        "currency": draw(lambda: generator.choice(CURRENCIES)),
        "paid": draw(lambda: generator.random() < 0.8),
        "comment": draw(lambda: generator.choice(COMMENTS), empty=0.8),
    }


# What people get wrong. Each of these is one fault by the schema, in a CSV file and in a workbook.
FAULTY: dict[str, tuple[object, ...]] = {
    "order_id": (None, "SO-12", "12345678"),
    "ordered_on": (None, "31/02/2026", "2026-13-01", "yesterday"),
    "shipped_at": ("2026-02-30T10:00:00Z", "soon"),
    "country": (None, "Germany", "XX"),
    "customer": (None, "A name that is longer than any customer's name may be in this table"),
    "product_line": (None, "Hardwear", "Servises"),
    "quantity": (None, 0, 12.5, 10_001, "ten"),
    "unit_price": (None, -1, "1.234,5", "n/a"),
    "discount_percent": (150, -2.5, "10 %"),
    "currency": (None, "EURO", "$"),
    "paid": (None, "maybe", "2"),
    "comment": ("A comment that goes on and on, until it is longer than a comment of this table may ever be",),
}
COLUMNS = tuple(FAULTY)


def rows(count: int, share: float, seed: int) -> Iterator[tuple[list[tuple[object, ...]], int]]:
    """Chunks of rows, and how many of their cells are faulty: `share` of all."""
    generator = random.Random(seed)
    good = pools(generator)
    for start in range(0, count, CHUNK):
        size = min(CHUNK, count - start)
        table = [[f"SO-{number:08}" for number in range(start + 1, start + size + 1)]]
        table += [generator.choices(good[name], k=size) for name in COLUMNS[1:]]
        faulty = generator.sample(range(size * len(COLUMNS)), round(share * size * len(COLUMNS)))
        for cell in faulty:
            row, column = divmod(cell, len(COLUMNS))
            table[column][row] = generator.choice(FAULTY[COLUMNS[column]])
        yield list(zip(*table, strict=True)), len(faulty)


def text(value: object) -> object:
    """A value as it stands in a CSV file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return value


def write_csv(path: Path, count: int, share: float, seed: int) -> int:
    faulty = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerow(COLUMNS)
        for chunk, wrong in rows(count, share, seed):
            lines = io.StringIO()
            csv.writer(lines, lineterminator="\n").writerows([text(value) for value in row] for row in chunk)
            file.write(lines.getvalue())
            faulty += wrong
    return faulty


def write_xlsx(path: Path, count: int, share: float, seed: int) -> int:
    from xlsxwriter import Workbook

    faulty = 0
    # Without constant memory, the texts stand in one shared table, as in the files that Excel writes.
    with Workbook(path, {"strings_to_urls": False, "strings_to_formulas": False, "remove_timezone": True}) as workbook:
        sheet = workbook.add_worksheet("Orders")
        formats = {
            "ordered_on": workbook.add_format({"num_format": "yyyy-mm-dd"}),
            "shipped_at": workbook.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        sheet.write_row(0, 0, COLUMNS)
        for column, name in enumerate(COLUMNS):
            sheet.set_column(column, column, 14, formats.get(name))
        number = 0
        for chunk, wrong in rows(count, share, seed):
            for row in chunk:
                number += 1
                for column, value in enumerate(row):
                    if isinstance(value, date):
                        sheet.write_datetime(number, column, value, formats[COLUMNS[column]])
                    elif value is not None:
                        sheet.write(number, column, value)
            faulty += wrong
    return faulty


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path, help="the file to write, .csv or .xlsx")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--faulty", type=float, default=0.0, help="the share of faulty cells, such as 0.01")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    write = {".csv": write_csv, ".xlsx": write_xlsx}.get(asked.path.suffix)
    if write is None:
        parser.error("the file's name must end in .csv or .xlsx")
    if asked.rows < 0 or not 0 <= asked.faulty <= 1:
        parser.error("rows must not be negative, and faulty lies between 0 and 1")
    # Nobody who looks for the finished file finds half of it.
    draft = asked.path.with_name(asked.path.name + ".draft")
    faulty = write(draft, asked.rows, asked.faulty, asked.seed)
    os.replace(draft, asked.path)
    written = {"bytes": asked.path.stat().st_size, "rows": asked.rows, "columns": len(COLUMNS), "faulty_cells": faulty}
    print(json.dumps(written))


if __name__ == "__main__":
    main()
