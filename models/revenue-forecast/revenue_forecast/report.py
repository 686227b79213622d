"""Writes the plan down: `forecast.csv` for spreadsheets, `summary.md` for people."""

import csv
import io
import re

import pandas as pd

from revenue_forecast.plan import LinePlan, Plan

CSV_COLUMNS = ("product_line", "month", "forecast", "lower", "upper", "without_projections", "growth_percent")
UNITS = ((1e12, " tn"), (1e9, " bn"), (1e6, " M"), (1e3, " k"))


def csv_text(plan: Plan) -> str:
    """One row for each line and month, the total last. The same plan gives the same bytes on every run."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for line in _with_total(plan):
        for row in line.forecast.itertuples():
            figures = (f"{value:.2f}" for value in (row.forecast, row.lower, row.upper, row.without_projections))
            growth = "" if pd.isna(row.growth_percent) else f"{row.growth_percent:g}"
            writer.writerow([line.name, str(row.Index), *figures, growth])
    return file.getvalue()


def amount(value: float) -> str:
    """Money at the length that fits a sentence: `12.3 M`, `980 k`, `47`."""
    for size, unit in UNITS:
        # 999,960 is 1.00 M, not 1000 k.
        if abs(value) >= size * 0.9995:
            return f"{_three_digits(value / size)}{unit}"
    return f"{value:.0f}"


def change(new: float, old: float) -> str:
    """Growth as people write it: `+4.2 %`; a dash when there is nothing to compare with."""
    return f"{100 * (new / old - 1):+.1f} %" if old > 0 else "–"


def next_year(line: LinePlan) -> tuple[float, float, int]:
    """The sum of the next months, at most twelve, the sum of the same months a year earlier, and how many they are."""
    coming = line.forecast["forecast"].iloc[:12]
    before = line.history.loc[coming.index - 12]
    return coming.sum(), before.sum(), len(coming)


def calendar_years(plan: Plan) -> list[tuple[int, str]]:
    """The calendar years from the last complete one in the history on, each with what its figure is made of."""
    last = plan.total.history.index[-1]
    end = plan.total.forecast.index[-1]
    years = []
    for year in range(last.year if last.month == 12 else last.year - 1, end.year + 1):
        actual = min(max((last.year - year) * 12 + last.month, 0), 12)
        through = 12 if year < end.year else end.month
        if actual == 12:
            made_of = "actual"
        elif actual == 0:
            made_of = "forecast" if through == 12 else f"{through} months"
        else:
            made_of = f"{actual} actual + {through - actual} forecast"
        years.append((year, made_of))
    return years


def year_sum(line: LinePlan, year: int) -> float:
    """Revenue of one calendar year, history and forecast together, as far as they go."""
    both = pd.concat([line.history, line.forecast["forecast"]])
    return both[both.index.year == year].sum()


def summary_text(plan: Plan, source: str) -> str:
    """The summary in Markdown; `source` is the sentence that says where the history came from."""
    request, lines = plan.request, _with_total(plan)
    first, last = plan.total.forecast.index[[0, -1]]
    coming, before, months = next_year(plan.total)
    span = f"the next {months} months" if months > 1 else f"{first:%B %Y}"
    compared = "the same months a year earlier" if months > 1 else "the same month a year earlier"
    text = [
        f"# {_plain(request.title)}",
        "",
        f"**{amount(coming)} in {span}, {change(coming, before)} on {compared}.**",
        "",
        f"Forecast from {first:%B %Y} to {last:%B %Y}, {len(plan.total.forecast)} months. {source}",
        "",
        f"## {span[0].upper()}{span[1:]}",
        "",
        *_markdown_table(
            ("Product line", "A year earlier", "Forecast", "Change"),
            [(_plain(line.name), amount(old), amount(new), change(new, old)) for line, new, old in _coming(lines)],
        ),
        "",
        "## By calendar year",
        "",
    ]
    years = calendar_years(plan)
    text += _markdown_table(
        ("Product line", *(f"{year} ({made_of})" for year, made_of in years)),
        [(_plain(line.name), *(amount(year_sum(line, year)) for year, _ in years)) for line in lines],
    )
    text += ["", "## Growth projections", ""]
    applied = [(line, projection) for line in plan.lines for projection in line.applied]
    if applied:
        text += _markdown_table(
            ("Product line", "Months", "Projected", "Without projection"),
            [
                (_plain(line.name), f"{p.first:%b} – {p.last:%b %Y}", f"{p.asked:+g} %", f"{p.otherwise:+.1f} %")
                for line, p in applied
            ],
        )
        text += ["", "Growth of these months together over the same months of the previous year."]
    else:
        text += ["None applied: the forecast follows the history."]
    text += [
        "",
        "## How to read it",
        "",
        f"- Each month's revenue should fall between `lower` and `upper` in {request.interval_percent:g} of 100 cases,"
        " provided that the future varies as the past did. It does not cover events that the history does not contain.",
        "- A growth projection moves the forecast and its interval together; it is taken as given.",
        "- Method: exponential smoothing with a damped trend and yearly seasonality, separately for each product line.",
        *_tests(plan),
        *(f"- {_plain(note)}" for note in plan.notes),
        "",
    ]
    return "\n".join(text)


def _with_total(plan: Plan) -> tuple[LinePlan, ...]:
    return plan.lines if len(plan.lines) == 1 else (*plan.lines, plan.total)


def _coming(lines: tuple[LinePlan, ...]) -> list[tuple[LinePlan, float, float]]:
    return [(line, *next_year(line)[:2]) for line in lines]


def _tests(plan: Plan) -> list[str]:
    tested = [f"{_plain(line.name)} {line.tested_error:.1f} %" for line in plan.lines if line.tested_error is not None]
    if not tested:
        return []
    return [f"- Tested on the last two years, forecasts of up to a year were off by: {', '.join(tested)}."]


def _three_digits(value: float) -> str:
    return f"{value:.{2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0}f}"


def _markdown_table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    rule = ("---", *("---:" for _ in header[1:]))
    return [f"| {' | '.join(cells)} |" for cells in (header, rule, *rows)]


def _plain(text: str) -> str:
    """Text from outside with the characters escaped that Markdown or HTML would act on."""
    return re.sub(r"([\\`*_\[\]<>|#&~])", r"\\\1", " ".join(text.split()))
