"""Applies the user's growth projections to the statistical forecast."""

from dataclasses import dataclass

import pandas as pd

from revenue_forecast.errors import ModelError


@dataclass(frozen=True)
class Applied:
    """One projection that took effect: growth of these months of `year` over the same months of the year before,
    as asked, and as it would have been without any projection for the year; all in percent."""

    year: int
    first: pd.Period
    last: pd.Period
    asked: float
    otherwise: float


def growth_factors(
    history: pd.Series, center: pd.Series, percent_by_year: dict[int, float], line: str
) -> tuple[pd.Series, list[Applied]]:
    """What each forecast month is multiplied by, and the projections that took effect.

    In a year with a projection the months still to come are scaled by one factor, so that together they are that
    many percent above the same months of the year before (history or, further out, the scaled forecast) and keep
    their seasonal shape. In a year without one, the forecast grows as the history suggests, from the level that the
    last projection led to. Projections for years outside the forecast have no effect.
    """
    scaled = pd.concat([history, center])
    factor, factors, applied = 1.0, [], []
    for year, months in center.groupby(center.index.year):
        before = scaled.loc[months.index - 12].sum()
        if year in percent_by_year:
            asked = percent_by_year[year]
            if before <= 0 or months.sum() <= 0:
                raise ModelError(
                    f'The growth projection of "{line}" for {year} cannot be applied: revenue is not above zero.',
                    "Remove it from the file and upload the file again.",
                )
            otherwise = 100 * (factor * months.sum() / before - 1)
            factor = (1 + asked / 100) * before / months.sum()
            applied.append(Applied(int(year), months.index[0], months.index[-1], asked, float(otherwise)))
        scaled.loc[months.index] = months * factor
        factors.append(pd.Series(factor, index=months.index))
    return pd.concat(factors), applied
