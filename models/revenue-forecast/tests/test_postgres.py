"""The history in PostgreSQL, for real: a server started for these tests."""

import socket
import threading

import pytest
from conftest import PASSWORD, line_rows

ROWS = line_rows("Hardware", months=58) + line_rows("Été & Co", months=58, level=4e5)


@pytest.fixture(scope="module")
def history(postgres):
    """The server with a filled table; more exact column types than SQLite has, and a locale's own sort order."""
    import psycopg

    with psycopg.connect(postgres.address()) as connection:
        connection.execute(
            "CREATE TABLE monthly_revenue (product_line text NOT NULL, month date NOT NULL,"
            " revenue numeric(14, 2) NOT NULL, PRIMARY KEY (product_line, month))"
        )
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO monthly_revenue VALUES (%s, %s, %s)",
                [(line, f"{month}-01", revenue) for line, month, revenue in ROWS],
            )
    return postgres


def test_the_forecast_is_the_same_as_from_sqlite(history, model, tmp_path):
    from conftest import write_sqlite

    path = write_sqlite(tmp_path / "history.sqlite", ROWS)
    assert model.run(HISTORY_DATABASE_URL=f"sqlite:///{path}").returncode == 0
    from_sqlite = model.read("forecast.csv")
    done = model.run(HISTORY_DATABASE_URL=history.address())
    assert (done.returncode, done.stderr) == (0, "")
    assert f'Reading the history from the database "postgres" on 127.0.0.1:{history.port}.' in done.stdout
    assert model.read("forecast.csv") == from_sqlite
    everything = done.stdout + model.read("summary.md").decode() + (model.cache / "history-extract.json").read_text()
    assert PASSWORD not in everything


def test_the_kept_extract_serves_while_the_database_is_away(history, model):
    from_server = model.run(HISTORY_DATABASE_URL=history.address())
    assert from_server.returncode == 0
    # The same database with a password that it would refuse: it is not asked.
    kept = model.run(HISTORY_DATABASE_URL=history.address(password="changed"))
    assert kept.returncode == 0
    assert "Using the history extract" in kept.stdout


def test_a_wrong_password_ends_in_a_sentence_and_is_not_printed(history, model):
    failed = model.run(HISTORY_DATABASE_URL=history.address(password="wr0ng/p@ss"))
    assert failed.returncode == 1
    assert "password authentication failed" in failed.stderr
    assert failed.stderr.splitlines()[-2].startswith("The revenue history could not be read: no connection to the")
    for spelling in ("wr0ng/p@ss", "wr0ng%2Fp%40ss"):
        assert spelling not in failed.stdout + failed.stderr


def test_a_database_without_the_table_ends_in_a_sentence(history, model):
    failed = model.run(HISTORY_DATABASE_URL=history.address(database="template1"))
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-2:] == [
        f'The database "template1" on 127.0.0.1:{history.port} answered, but its table monthly_revenue'
        " (product_line, month, revenue) could not be read.",
        "Contact the owner of the history database; nothing is wrong with your input file.",
    ]
    assert PASSWORD not in failed.stderr


class Cut:
    """Stands between the model and the server, and hangs up in the middle of the answer to the query."""

    def __init__(self, port):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.cut = threading.Event()
        threading.Thread(target=self._serve, args=(port,), daemon=True).start()

    def _serve(self, port):
        client, _ = self.server.accept()
        self.server.close()
        with client, socket.create_connection(("127.0.0.1", port)) as server:
            threading.Thread(target=self._answer, args=(server, client), daemon=True).start()
            asked = b""
            while data := self._heard(client):
                asked = (asked + data)[-4096:]
                if b"monthly_revenue" in asked:
                    self.cut.set()
                server.sendall(data)

    @staticmethod
    def _heard(client):
        try:
            return client.recv(65536)
        except OSError:
            return b""

    def _answer(self, server, client):
        while data := server.recv(65536):
            if self.cut.is_set():
                client.sendall(data[: len(data) // 2])
                client.shutdown(socket.SHUT_RDWR)
                return
            client.sendall(data)


def test_a_connection_that_is_lost_in_the_middle_ends_in_a_sentence(history, model):
    middle = Cut(history.port)
    failed = model.run(HISTORY_DATABASE_URL=history.address().replace(str(history.port), str(middle.port)))
    assert middle.cut.is_set()
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-2:] == [
        f'The connection to the database "postgres" on 127.0.0.1:{middle.port} was lost while the history was being'
        " read.",
        "Upload the file again in a few minutes. If that fails too, contact the owner of the history database.",
    ]
    assert PASSWORD not in failed.stderr
    assert not list(model.cache.iterdir())
