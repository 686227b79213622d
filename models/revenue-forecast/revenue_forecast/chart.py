"""Draws `forecast.png`, made to be read in a mail on a phone: one panel, large type, direct labels."""

import io
import textwrap

import numpy as np
import pandas as pd
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from revenue_forecast.plan import LinePlan, Plan
from revenue_forecast.report import UNITS, amount, calendar_years, change, next_year, year_sum

WIDTH, HEIGHT, DPI = 12.0, 6.75, 100  # inches and dots per inch: 1200 × 675 pixels
INK, FAINT, TOTAL = "#1b2733", "#6b7785", "#0b5fa5"
COLORS = ("#d55e00", "#009e73", "#8a4fbf", "#b8860b", "#c2185b")
"""Distinguishable to most colour-blind readers, and each dark enough on white for its label."""

MAX_LINES = len(COLORS)


def chart_png(plan: Plan) -> bytes:
    """The chart as a PNG of 1200 × 675 pixels; the same plan gives the same bytes."""
    figure = Figure(figsize=(WIDTH, HEIGHT), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.1, 0.105, 0.685 if len(plan.lines) > 1 else 0.87, 0.645))
    shown = max(36, 2 * len(plan.total.forecast))

    labels = []
    if len(plan.lines) > 1:
        largest = sorted(plan.lines, key=lambda line: -next_year(line)[0])[:MAX_LINES]
        for line, color in zip(largest, COLORS, strict=False):
            _draw_line(axes, line, color, 2.0, shown)
            labels.append((line.forecast["forecast"].iloc[-1], line.name, color, "normal"))
        labels.append((plan.total.forecast["forecast"].iloc[-1], plan.total.name, TOTAL, "bold"))

    lower, upper = (_from_history(plan.total, column) for column in ("lower", "upper"))
    axes.fill_between(_days(lower.index), lower, upper, color=TOTAL, alpha=0.18, lw=0, label=plan.request.interval_name)
    _draw_line(axes, plan.total, TOTAL, 3.6, shown, labelled=True)
    _style(axes, plan, shown)
    _label_ends(axes, labels)
    _write_heading(figure, plan)
    handles, names = axes.get_legend_handles_labels()
    order = [names.index(name) for name in ("History", "Forecast", plan.request.interval_name)]
    figure.legend(
        [handles[i] for i in order],
        [names[i] for i in order],
        loc="upper left",
        bbox_to_anchor=(0.018, 0.845),
        ncols=3,
        frameon=False,
        fontsize=17,
        labelcolor=INK,
        handlelength=1.8,
        columnspacing=1.6,
    )
    file = io.BytesIO()
    # Without the program's name and version, the bytes depend on what is drawn alone.
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _draw_line(axes: Axes, line: LinePlan, color: str, width: float, shown: int, labelled: bool = False) -> None:
    past = line.history.iloc[-shown:]
    future = _from_history(line, "forecast")
    names = ("History", "Forecast") if labelled else (None, None)
    axes.plot(_days(past.index), past, color=color, lw=width, solid_capstyle="round", label=names[0])
    axes.plot(_days(future.index), future, color=color, lw=width, ls=(0, (2.2, 1.1)), label=names[1])


def _from_history(line: LinePlan, column: str) -> pd.Series:
    """A column of the forecast that starts with the last actual month, so that it meets the history."""
    return pd.concat([line.history.iloc[-1:], line.forecast[column]])


def _style(axes: Axes, plan: Plan, shown: int) -> None:
    months = plan.total.history.index[-shown:].append(plan.total.forecast.index)
    axes.set_xlim(_days(months[:1])[0], _days(months[-1:])[0])
    tops = [plan.total.forecast["upper"].max(), plan.total.history.iloc[-shown:].max()]
    if min(line.history.iloc[-shown:].min() for line in plan.lines) >= 0:
        axes.set_ylim(0, 1.05 * max(tops))
    axes.axvline(_days(plan.total.history.index[-1:])[0], color=FAINT, lw=1.2, ls=(0, (1, 3)))
    axes.yaxis.set_major_locator(ticker.MaxNLocator(5))
    axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: tick(value)))
    locator = AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))
    axes.tick_params(labelsize=18, length=0, pad=8, colors=INK)
    axes.grid(axis="y", color="#dfe4ea", lw=1)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#9aa5b1")


def _label_ends(axes: Axes, labels: list[tuple[float, str, str, str]]) -> None:
    """Names the lines at their right ends, pushed apart so that no two overlap."""
    low, high = axes.get_ylim()
    labels = sorted(labels)
    wrapped = [textwrap.wrap(name, 18, max_lines=2, placeholder=" …") for _, name, _, _ in labels]
    heights = [0.075 * (high - low) * (len(lines) + 0.15) for lines in wrapped]
    places = spread_apart([value for value, *_ in labels], heights, low - 0.05 * (high - low), high)
    for place, lines, (_, _, color, weight) in zip(places, wrapped, labels, strict=True):
        axes.annotate(
            "\n".join(lines),
            (1, place),
            xycoords=("axes fraction", "data"),
            xytext=(12, 0),
            textcoords="offset points",
            va="center",
            fontsize=17,
            color=color,
            weight=weight,
            linespacing=1.05,
            annotation_clip=False,
            parse_math=False,
        )


def spread_apart(wanted: list[float], heights: list[float], floor: float, top: float) -> list[float]:
    """Moves labels as little as is needed for none to overlap or leave the panel; `wanted` is in ascending order.

    Labels that touch form a block, which sits where its labels on average want to be.
    """
    blocks: list[tuple[float, list[int]]] = []  # lower end, members from the bottom up
    for i, place in enumerate(wanted):
        bottom, members = place - heights[i] / 2, [i]
        while True:
            span = sum(heights[j] for j in members)
            bottom = max(floor, min(bottom, top - span))
            if not blocks or blocks[-1][0] + sum(heights[j] for j in blocks[-1][1]) <= bottom:
                break
            members = blocks.pop()[1] + members
            starts = [sum(heights[j] for j in members[:k]) + heights[member] / 2 for k, member in enumerate(members)]
            bottom = sum(wanted[member] - start for member, start in zip(members, starts, strict=True)) / len(members)
        blocks.append((bottom, members))
    places = []
    for bottom, members in blocks:
        for member in members:
            places.append(bottom + heights[member] / 2)
            bottom += heights[member]
    return places


def _write_heading(figure: Figure, plan: Plan) -> None:
    title = plan.request.title
    size = 26 * min(1, 50 / len(title))
    figure.text(0.028, 0.955, title, fontsize=size, weight="bold", color=INK, va="center", parse_math=False)
    figure.text(0.028, 0.882, _headline(plan), fontsize=19, color=FAINT, va="center", parse_math=False)


def _headline(plan: Plan) -> str:
    """The figure most readers look for: the first calendar year that is all forecast, or else the next months."""
    for year, made_of in calendar_years(plan):
        if made_of == "forecast":
            new, old = year_sum(plan.total, year), year_sum(plan.total, year - 1)
            return f"Revenue per month. {year} in total: {amount(new)}, {change(new, old)} on {year - 1}"
    new, old, months = next_year(plan.total)
    span = f"Next {months} months" if months > 1 else "Next month"
    return f"Revenue per month. {span}: {amount(new)}, {change(new, old)} on a year earlier"


def tick(value: float) -> str:
    """A mark on the revenue axis: `12 M`, `2.5 M`, `800 k`."""
    for size, unit in UNITS:
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _days(months: pd.PeriodIndex) -> np.ndarray:
    return date2num(months.to_timestamp().to_pydatetime())
