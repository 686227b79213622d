from datetime import date, datetime
from decimal import Decimal

import pytest
from conftest import line_rows, write_sqlite

from revenue_forecast.database import (
    Row,
    clean_rows,
    describe,
    fingerprint,
    parse_url,
    read_rows,
    without_secrets,
)
from revenue_forecast.errors import ModelError


def test_rows_come_in_one_order_and_type_whatever_the_driver_gives():
    found = [
        ("b", date(2024, 2, 1), Decimal("2.50")),
        ("b", datetime(2024, 1, 31, 12), 1),
        (" a ", "2024-03", "7"),
    ]
    assert clean_rows(found) == [Row("a", "2024-03", 7.0), Row("b", "2024-01", 1.0), Row("b", "2024-02", 2.5)]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ((None, "2024-01-01", 1), "without a product line"),
        (("a", "January", 1), "not a date"),
        (("a", "2024-13-01", 1), "not a date"),
        (("a", None, 1), "not a date"),
        (("a", "2024-01-01", None), '"a" has no figure for 2024-01'),
        (("a", "2024-01-01", float("inf")), "no figure"),
        (("x", "2023-01-31", 1), "twice for 2023-01"),
    ],
)
def test_a_row_that_makes_no_sense_is_named(row, says):
    with pytest.raises(ModelError, match=says):
        clean_rows([("x", "2023-01-01", 1), row])


def test_an_empty_history_is_said_to_be_empty(tmp_path):
    path = write_sqlite(tmp_path / "history.sqlite", [])
    with pytest.raises(ModelError, match="is empty"):
        read_rows(parse_url(f"sqlite:///{path}"))


def test_a_sqlite_history_is_read_back_as_it_was_written(tmp_path):
    rows = line_rows("Hardware") + line_rows("Services")
    path = write_sqlite(tmp_path / "history.sqlite", reversed(rows))
    assert read_rows(parse_url(f"sqlite:///{path}")) == rows


def test_a_missing_sqlite_file_is_not_created(tmp_path):
    path = tmp_path / "absent.sqlite"
    with pytest.raises(ModelError, match="there is no SQLite file absent.sqlite"):
        read_rows(parse_url(f"sqlite:///{path}"))
    assert not path.exists()


@pytest.mark.parametrize(
    "address", ["", "s3cret", "postgresql://u:s3cret@host:port/db", "postgresql://u:s3cr@et@host/db"]
)
def test_an_invalid_address_is_refused_without_quoting_it(address):
    with pytest.raises(ModelError) as caught:
        parse_url(address)
    assert "not valid" in caught.value.happened
    assert "s3cr" not in str(caught.value) + caught.value.detail


def test_a_database_that_has_no_driver_ends_in_a_sentence():
    with pytest.raises(ModelError, match='no connection to the database "sales" on db.example'):
        read_rows(parse_url("mysql://u:s3cret@db.example/sales"))


def test_databases_are_named_and_told_apart_without_their_password():
    first = parse_url("postgres://u:one@db.example:5433/sales?password=two")
    second = parse_url("postgres://u:three@db.example:5433/sales")
    assert describe(first) == 'database "sales" on db.example:5433'
    assert fingerprint(first) == fingerprint(second)
    assert fingerprint(first) != fingerprint(parse_url("postgres://u:one@db.example:5433/other"))


def test_another_sqlite_file_in_the_same_place_is_another_source(tmp_path):
    path = tmp_path / "history.sqlite"
    url = parse_url(f"sqlite:///{path}")
    write_sqlite(path, line_rows("Hardware"))
    before = fingerprint(url)
    path.unlink()
    write_sqlite(path, line_rows("Hardware", months=300))
    assert fingerprint(url) != before


@pytest.mark.parametrize("password", ["plain", "p%40ss%2Fword", "a%20b"])
def test_a_password_is_blanked_in_every_spelling(password):
    from urllib.parse import unquote

    address = f"postgresql://u:{password}@host/db?password=again"
    text = f"could not connect with {password} or {unquote(password)} or again, {address}"
    cleaned = without_secrets(text, address)
    for secret in (password, unquote(password), "again"):
        assert secret not in cleaned
    assert without_secrets("nothing to hide", "sqlite:///file") == "nothing to hide"
