"""Reads the revenue history from the client's SQL database."""

import hashlib
import math
import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, quote_plus, unquote

from revenue_forecast.errors import ModelError

if TYPE_CHECKING:
    from sqlalchemy import URL

TABLE = "monthly_revenue"
COLUMNS = ("product_line", "month", "revenue")
ASK_OWNER = "Contact the owner of the history database; nothing is wrong with your input file."
AGAIN_LATER = "Upload the file again in a few minutes. If that fails too, contact the owner of the history database."


class Row(NamedTuple):
    """Revenue of one product line in one month; `month` is written YYYY-MM."""

    product_line: str
    month: str
    revenue: float


def parse_url(text: str) -> "URL":
    """Reads a database URL; `postgres://` and `postgresql://` both mean PostgreSQL through psycopg.

    Raises `ModelError` without quoting the address, which may hold a password.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        url = None
    # With a second @ the parser takes the rest of the password for the host's name, which is printed.
    if url is None or (url.get_backend_name() != "sqlite" and text.count("@") > 1):
        raise ModelError(
            "The address of the history database is not valid.",
            "Contact the operator: HISTORY_DATABASE_URL must look like postgresql://user:password@host/database,"
            " with special characters in the password percent-encoded.",
        )
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    return url


def describe(url: "URL") -> str:
    """Names the database for people, from parts that contain no secret."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite file {Path(url.database or '').name or ':memory:'}"
    port = f":{url.port}" if url.port else ""
    return f'database "{url.database or ""}" on {url.host or "this machine"}{port}'


def fingerprint(url: "URL") -> str:
    """SHA-256 (hex) of what tells one source from another: its address without the password and, for a SQLite
    file, its size and time of change."""
    parts = [url.get_backend_name(), url.username, url.host, url.port, url.database, TABLE]
    if url.get_backend_name() == "sqlite" and url.database and Path(url.database).is_file():
        status = Path(url.database).stat()
        parts += [status.st_size, status.st_mtime_ns]
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def without_secrets(text: str, address: str) -> str:
    """Blanks the database address and every password in it, so that a driver's message can be printed."""
    passwords = re.findall(r"://[^:/?#]*:(.*)@", address) + re.findall(r"(?i)password=([^&\s]*)", address)
    spellings = {address}
    for password in passwords:
        plain = unquote(password)
        spellings |= {password, plain, quote(plain, safe=""), quote_plus(plain), repr(plain)[1:-1]}
    for secret in sorted(filter(None, spellings), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def read_rows(url: "URL") -> list[Row]:
    """Every row of the history, ordered by product line and month.

    Raises `ModelError` when the database does not answer, when the table is not there or not readable, and when a
    row makes no sense.
    """
    from sqlalchemy import column, create_engine, select, table
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    name = describe(url)
    options: dict[str, Any] = {}
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).is_file():
        # SQLite would make an empty database and complain about a missing table.
        raise ModelError(f"The revenue history was not found: there is no {name}.", ASK_OWNER)
    if url.get_backend_name() == "postgresql" and "connect_timeout" not in url.query:
        options["connect_timeout"] = 10

    query = select(*map(column, COLUMNS)).select_from(table(TABLE)).order_by(column(COLUMNS[0]), column(COLUMNS[1]))
    try:
        connection = create_engine(url, poolclass=NullPool, connect_args=options).connect()
    except (SQLAlchemyError, ImportError) as error:
        raise ModelError(
            f"The revenue history could not be read: no connection to the {name}.",
            AGAIN_LATER,
            str(error),
        ) from error
    try:
        with connection:
            found = connection.execute(query).all()
    except SQLAlchemyError as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise ModelError(
                f"The connection to the {name} was lost while the history was being read.",
                AGAIN_LATER,
                str(error),
            ) from error
        raise ModelError(
            f"The {name} answered, but its table {TABLE} ({', '.join(COLUMNS)}) could not be read.",
            ASK_OWNER,
            str(error),
        ) from error
    return clean_rows(found)


def clean_rows(found: Iterable[Any]) -> list[Row]:
    """Database rows as `Row`s, in one order on every database; drivers differ in types and servers in sort orders."""
    rows: dict[tuple[str, str], Row] = {}
    for line, month, revenue in found:
        row = Row(_line(line), _month(month, line), _revenue(revenue, line, month))
        if row[:2] in rows:
            raise ModelError(f'The revenue history has "{line}" twice for {row.month}.', ASK_OWNER)
        rows[row[:2]] = row
    if not rows:
        raise ModelError("The revenue history is empty.", ASK_OWNER)
    return [rows[key] for key in sorted(rows)]


def _line(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ModelError("The revenue history has a row without a product line.", ASK_OWNER)
    return value.strip()


def _month(value: Any, line: str) -> str:
    if isinstance(value, date):
        return f"{value:%Y-%m}"
    match = re.match(r"(\d{4})-(0[1-9]|1[0-2])(?!\d)", str(value))
    if match is None:
        raise ModelError(f'The revenue history of "{line}" has a month that is not a date.', ASK_OWNER, repr(value))
    return match.group()


def _revenue(value: Any, line: str, month: Any) -> float:
    try:
        revenue = float(value)
    except (TypeError, ValueError):
        revenue = math.nan
    if not math.isfinite(revenue):
        raise ModelError(f'The revenue history of "{line}" has no figure for {str(month)[:7]}.', ASK_OWNER)
    return revenue
