"""Writing a database: several writers, killed processes, a full disk, and missing permissions."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

from minidl.errors import FileError
from minidl.faces import sqlite_file
from minidl.faces.database import Database
from tests.faces.fake import embedding

ROOT = Path(__file__).parents[2]
ANN, BOB = embedding(0, 0), embedding(1, 0)

ENROLLER = """
import sys
import numpy as np
from minidl.faces.database import Database

path, prefix, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
print("ready", flush=True)
sys.stdin.readline()
database = Database(path, "model", create=True)
for number in range(count):
    database.enroll(f"{prefix} {number}", np.full(128, number, np.float32), origin=prefix)
    print(f"{prefix} {number}", flush=True)
"""


def in_a_process(path, prefix, count, before=""):
    """Start a process that enrolls `count` people after a call of `go`."""
    code, pipes = before + ENROLLER, dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path), prefix, str(count)], cwd=ROOT, text=True, **pipes
    )


def go(*processes):
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()


# ---- several writers, and killed processes


def test_two_processes_that_enroll_500_people_each_lose_none(path):
    processes = [in_a_process(path, prefix, 500) for prefix in ("left", "right")]
    go(*processes)
    for process in processes:
        assert process.communicate(timeout=300)[1] == ""
    names, embeddings = Database(path, "model").embeddings()
    assert sorted(names) == sorted(
        f"{prefix} {number}" for prefix in ("left", "right") for number in range(500)
    )
    for name, numbers in zip(names, embeddings, strict=True):
        assert (numbers == int(name.split()[1])).all()


def test_a_kill_loses_no_finished_enrolment(path):
    """The process is killed at random moments, also while SQLite's journal exists."""
    rng, done = random.Random(0), []
    for attempt in range(5):
        process = in_a_process(path, f"attempt {attempt}", 10_000)
        go(process)
        for _ in range(rng.randint(1, 12)):
            done.append(process.stdout.readline().strip())
        threading.Event().wait(rng.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        done += [line.strip() for line in process.stdout if line.endswith("\n")]
        assert process.wait() == -signal.SIGKILL
        process.stderr.close()
        process.stdin.close()
        names, embeddings = Database(path, "model").embeddings()
        assert set(done) <= set(names) and len(names) <= len(done) + attempt + 1
        assert np.isfinite(embeddings).all()


def test_a_kill_within_a_transaction_undoes_it(path):
    """Changed pages are in the file already. The next process that opens it restores the old pages
    from the journal."""
    database = Database(path, "model", create=True)
    database.enroll("Ann", ANN)
    code = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size = 1")
connection.execute("BEGIN IMMEDIATE")
for number in range(300):
    connection.execute("INSERT INTO person (name) VALUES (?)", [f"half done {number}" * 50])
connection.execute("DELETE FROM embedding")
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", code, str(path)]).returncode == -signal.SIGKILL
    journal = path.with_name("people.db-journal")
    assert journal.exists() and b"half done" in path.read_bytes()
    assert database.embeddings()[0] == ["Ann"]
    assert [person.name for person in database.people()] == ["Ann"]
    assert not journal.exists()


def test_threads_can_share_a_database(database):
    errors = []

    def enroll(prefix):
        try:
            for number in range(20):
                database.enroll(f"{prefix} {number}", ANN)
                assert f"{prefix} {number}" in database.embeddings()[0]
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=enroll, args=[prefix]) for prefix in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and len(database.people()) == 40


def test_a_lock_of_another_process_is_reported_after_a_wait(database, path, monkeypatch):
    monkeypatch.setattr(sqlite_file, "PATIENCE", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(FileError, match="being written by another process"):
        database.enroll("Ann", ANN)
    assert database.people() == []  # reading is possible meanwhile
    other.execute("COMMIT")
    other.close()
    database.enroll("Ann", ANN)


# ---- a full disk, and missing permissions


def test_a_full_disk_is_reported_and_loses_nothing(path):
    limit = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
    process = in_a_process(path, "p", 1000, before=limit)
    go(process)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "FileError" in err and "people.db cannot be" in err.splitlines()[-1]
    assert Database(path, "model").embeddings()[0] == out.splitlines() != []


def test_a_file_that_cannot_grow_is_reported_as_a_full_disk(database, monkeypatch):
    """SQLite reports both with the same words."""
    database.enroll("Ann", ANN)
    connect = sqlite3.connect

    def limited(*args, **options):
        connection = connect(*args, **options)
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    monkeypatch.setattr(sqlite3, "connect", limited)
    with pytest.raises(FileError, match="the disk is full; free some space"):
        database.enroll("Bob", BOB, picture=b"x" * 100_000)
    assert [person.name for person in database.people()] == ["Ann"]


@pytest.fixture
def open_folder():
    """A folder that all users may enter; pytest's own folders may be private."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def without_privileges(work):
    """Return the result of work(), or its error, as a text, for a user who is not root."""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            result = str(work())
        except BaseException as error:
            result = f"{type(error).__name__}: {error}"
        os.write(writing, result.encode()[:4000])
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        result = pipe.read()
    os.waitpid(child, 0)
    return result


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no users to change to")
def test_a_read_only_folder_or_file_can_be_read_but_not_written(open_folder):
    path = open_folder / "people.db"
    Database(path, "model", create=True).enroll("Ann", ANN)
    path.chmod(0o644)
    open_folder.chmod(0o555)

    def enroll():
        Database(path, "model").enroll("Bob", BOB)

    def remove():
        Database(path, "model").remove("Ann")

    def create():
        Database(open_folder / "new.db", "model", create=True)

    try:
        assert without_privileges(lambda: Database(path, "model").embeddings()[0]) == "['Ann']"
        for write in (enroll, remove):
            assert f"FileError: {path} may not be written to" in without_privileges(write)
        assert "FileError" in without_privileges(lambda: Database(path, "model", create=True))
        assert "may not be written to" in without_privileges(create)
        path.chmod(0o666)  # the file may be written, but its journal cannot be created
        error = without_privileges(enroll)
        assert f"FileError: {path} " in error
        assert "may not be written to" in error or "cannot be opened or written" in error
        path.chmod(0o600)
        if os.geteuid() == 0:
            assert "may not be read" in without_privileges(lambda: Database(path, "model"))
    finally:
        open_folder.chmod(0o755)
    assert Database(path, "model").embeddings()[0] == ["Ann"]
