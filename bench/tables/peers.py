"""Measures what else checks a table against the same rules: seconds, peak memory, and how many faults it finds.

    python peers.py orders.csv
    python peers.py orders.xlsx --only openpyxl

Each runs in a process of its own, one after the other, start of the interpreter included. Prints a JSON list. For CSV:

- `frictionless`: the command `frictionless validate`, with a table schema equal to the row schema. It is told not to
  stop at its first thousand errors, because then it would not read the file to its end.
- `pandas+jsonschema`: pandas reads 50,000 rows at a time and converts whole columns; jsonschema checks row by row.

For a workbook:

- `openpyxl`: reads every cell in read-only mode, and checks nothing.
- `openpyxl+jsonschema`: the same, and jsonschema checks row by row.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

# Nothing large is imported here: a process's peak includes what its parent held when it was started.
SCHEMA = Path(__file__).with_name("bench.row.schema.json")
ROWS_AT_A_TIME = 50_000
KINDS = {"integer": "integer", "number": "number", "boolean": "boolean", "date": "date", "date-time": "datetime"}
CONSTRAINTS = ("minimum", "maximum", "minLength", "maxLength", "pattern", "enum")


def row_schema() -> dict[str, Any]:
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def kind(rule: dict[str, Any]) -> str:
    return rule.get("format", rule["type"])


def table_schema() -> dict[str, Any]:
    """The row schema in the words of Table Schema."""
    row = row_schema()
    fields = []
    for name, rule in row["properties"].items():
        constraints = {key: rule[key] for key in CONSTRAINTS if key in rule}
        if name in row["required"]:
            constraints["required"] = True
        field = {"name": name, "type": KINDS.get(kind(rule), "string"), "constraints": constraints}
        if field["type"] == "boolean":
            field |= {"trueValues": ["true"], "falseValues": ["false"]}
        fields.append(field)
    return {"fields": fields}


def row_checker():
    """A function that counts the faulty cells of a row. Formats are checked, as Dropcast checks them."""
    from datetime import date, datetime

    from jsonschema import Draft202012Validator, FormatChecker

    formats = FormatChecker(formats=())

    @formats.checks("date", raises=ValueError)
    def is_date(value: object) -> bool:
        return not isinstance(value, str) or (len(value) == 10 and bool(date.fromisoformat(value)))

    @formats.checks("date-time", raises=ValueError)
    def is_moment(value: object) -> bool:
        return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None

    validator = Draft202012Validator(row_schema(), format_checker=formats)

    def faults(row: dict[str, Any]) -> int:
        absent, wrong = 0, set()
        for error in validator.iter_errors(row):
            if error.path:
                wrong.add(error.path[0])
            else:
                absent += 1
        return absent + len(wrong)

    return faults


def pandas_jsonschema(path: Path) -> dict[str, int]:
    import pandas as pd

    faults, rules = row_checker(), row_schema()["properties"]
    rows = found = 0
    for table in pd.read_csv(path, dtype=str, keep_default_na=False, chunksize=ROWS_AT_A_TIME):
        for name, rule in rules.items():
            column = table[name].astype(object)
            if kind(rule) in ("integer", "number"):
                numbers = pd.to_numeric(column, errors="coerce")
                table[name] = numbers.astype(object).where(numbers.notna(), column)
            elif kind(rule) == "boolean":
                table[name] = column.replace({"true": True, "false": False})
        for row in table.to_dict("records"):
            rows += 1
            found += faults({name: value for name, value in row.items() if value != ""})
    return {"rows": rows, "faults": found}


def sheet_rows(path: Path) -> Iterable[tuple[object, ...]]:
    from openpyxl import load_workbook

    return load_workbook(path, read_only=True, data_only=True).worksheets[0].iter_rows(values_only=True)


def openpyxl(path: Path) -> dict[str, int]:
    return {"rows": sum(1 for _ in sheet_rows(path)) - 1}


def openpyxl_jsonschema(path: Path) -> dict[str, int]:
    from datetime import datetime

    faults, rules = row_checker(), row_schema()["properties"]

    def plain(value: object, rule: dict[str, Any]) -> object:
        if not isinstance(value, datetime):
            return value
        return value.date().isoformat() if kind(rule) == "date" else value.isoformat() + "Z"

    rows = found = 0
    cells = iter(sheet_rows(path))
    header = next(cells)
    for row in cells:
        rows += 1
        # A row ends with its last cell that is not empty.
        named = zip(header, row, strict=False)
        found += faults({name: plain(value, rules[name]) for name, value in named if value is not None})
    return {"rows": rows, "faults": found}


INSIDE = {"pandas+jsonschema": pandas_jsonschema, "openpyxl": openpyxl, "openpyxl+jsonschema": openpyxl_jsonschema}
PEERS = {".csv": ("frictionless", "pandas+jsonschema"), ".xlsx": ("openpyxl", "openpyxl+jsonschema")}


def measure(command: list[str], output: Path) -> dict[str, Any]:
    """Runs a command to its end. Peak memory is what the kernel reports of the process: its resident set, in bytes."""
    with output.open("wb") as file:
        started = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "exit_code": process.returncode,
        "seconds": round(seconds, 3),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
        "peak_rss_bytes": usage.ru_maxrss * 1024,
    }


def run(peer: str, path: Path, folder: Path) -> dict[str, Any]:
    output = folder / "output.json"
    if peer == "frictionless":
        schema = folder / "schema.json"
        schema.write_text(json.dumps(table_schema()), encoding="utf-8")
        command = [sys.executable, "-m", "frictionless", "validate", str(path), "--schema", str(schema)]
        command += ["--trusted", "--json", "--limit-errors", str(1_000_000_000)]
    else:
        command = [sys.executable, __file__, str(path), "--inside", peer]
    measured = measure(command, output)
    # frictionless exits with 1 when the table has faults.
    if measured["exit_code"] not in ((0, 1) if peer == "frictionless" else (0,)):
        raise SystemExit(f"{peer} failed: {output.read_text(errors='replace')[-2000:]}")
    found = json.loads(output.read_bytes())
    if peer == "frictionless":
        (task,) = found["tasks"]
        if found["errors"] or not all("rowNumber" in error for error in task["errors"]):
            raise SystemExit(f"frictionless did not check the rows: {json.dumps(found)[:2000]}")
        found = {"rows": task["stats"]["rows"], "faults": task["stats"]["errors"]}
    versions = {package: version(package) for package in peer.split("+")}
    return {"peer": peer, "versions": versions, **measured, **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path, help="the table, .csv or .xlsx")
    parser.add_argument("--only", help="the peers to measure, separated by commas")
    parser.add_argument("--inside", choices=INSIDE, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        print(json.dumps(INSIDE[asked.inside](asked.path)))
        return
    peers = PEERS.get(asked.path.suffix)
    if peers is None:
        parser.error("the file's name must end in .csv or .xlsx")
    chosen = asked.only.split(",") if asked.only else peers
    if not set(chosen) <= set(peers):
        parser.error(f"for this file choose from {', '.join(peers)}")
    with tempfile.TemporaryDirectory() as folder:
        print(json.dumps([run(peer, asked.path.resolve(), Path(folder)) for peer in chosen], indent=2))


if __name__ == "__main__":
    main()
