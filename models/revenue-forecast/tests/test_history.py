import pandas as pd
import pytest
from conftest import line_rows

from revenue_forecast.errors import ModelError
from revenue_forecast.history import prepare_history


def test_lines_become_columns_and_months_rows_without_gaps():
    history = prepare_history(line_rows("b", months=48) + line_rows("a", months=36, start=2021))
    assert list(history.table.columns) == ["a", "b"]
    assert history.last_month == pd.Period("2023-12", "M")
    assert len(history.line("a")) == 36
    assert len(history.line("b")) == 48
    assert (history.left_out, history.notes) == ({}, ())


def test_the_forecast_starts_where_every_line_has_figures():
    history = prepare_history(line_rows("a", months=48) + line_rows("b", months=46))
    assert history.last_month == pd.Period("2023-10", "M")
    assert history.notes == ("Figures after October 2023 are not used: b has none yet.",)


def test_a_discontinued_line_is_left_out_and_no_longer_holds_up_the_others():
    history = prepare_history(line_rows("old", months=36, start=2018) + line_rows("a", months=48))
    assert list(history.table.columns) == ["a"]
    assert history.left_out == {"old": "its last figure is for December 2020"}
    assert history.table.index[0] == pd.Period("2020-01", "M")


def test_a_line_too_young_to_forecast_is_left_out():
    young = [row for row in line_rows("young", months=48) if row.month >= "2023-10"]
    history = prepare_history(line_rows("a", months=48) + young)
    assert list(history.table.columns) == ["a"]
    assert history.left_out == {"young": "its history has 3 months, fewer than 12"}


def test_a_line_that_began_after_the_common_last_month_is_left_out():
    newborn = [row for row in line_rows("newborn", months=48) if row.month >= "2023-12"]
    history = prepare_history(line_rows("a", months=46) + newborn)
    assert history.left_out == {"newborn": "its history has 0 months, fewer than 12"}
    assert history.last_month == pd.Period("2023-10", "M")


def test_a_missing_month_is_named():
    rows = [row for row in line_rows("a") if row.month != "2022-05"]
    with pytest.raises(ModelError, match='"a" has no figure for May 2022'):
        prepare_history(rows)


def test_with_no_line_left_there_is_nothing_to_forecast():
    with pytest.raises(ModelError, match="No product line"):
        prepare_history(line_rows("a", months=11))
