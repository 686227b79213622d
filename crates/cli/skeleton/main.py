"""The model's command: reads the input, writes the outputs, and prints its progress."""

import csv
import os
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path


def totals(rows):
    """Sums amounts by region and currency; returns a sorted list of (region, currency, total)."""
    sums = defaultdict(Decimal)
    for row in rows:
        sums[row["region"], row["currency"]] += Decimal(row["amount"])
    return [(region, currency, total) for (region, currency), total in sorted(sums.items())]


def main():
    # A clean CSV, whatever was uploaded: UTF-8, the schema's column names, defaults filled in.
    with open(os.environ["DROPCAST_INPUT_FILE"], encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    print(f"Read {len(rows)} rows.", flush=True)

    found = totals(rows)
    if len({currency for _, currency, _ in found}) > 1:
        # If the model fails, its last log lines are mailed to users: say what to do.
        sys.exit("The rows have more than one currency and cannot be summed. Upload a separate file for each currency.")

    # Everything in this folder is published if the program succeeds.
    out = Path(os.environ["DROPCAST_OUTPUT_DIR"])
    with open(out / "totals.csv", "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["region", "currency", "total"])
        table.writerows(found)
    whole = sum(total for _, _, total in found)
    largest = max(found, key=lambda one: one[2])
    (out / "summary.md").write_text(
        f"# Totals\n\n{len(rows)} rows in {len(found)} regions total {whole} {largest[1]}. "
        f"The largest is {largest[0]} with {largest[2]}.\n",
        encoding="utf-8",
    )
    print("Wrote totals.csv and summary.md.", flush=True)


if __name__ == "__main__":
    main()
