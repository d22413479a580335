"""The database, under everything that can happen to it: several writers, a kill, damage, no room,
no permission."""

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

from minidl.errors import ArgumentError, FileError, MinidlError
from minidl.faces import sqlite_file
from minidl.faces.database import Database, proper_name
from tests.faces.fake import change, embedding

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


@pytest.fixture
def path(tmp_path):
    return tmp_path / "people.db"


@pytest.fixture
def database(path):
    return Database(path, "model", create=True)


def in_a_process(path, prefix, count, before=""):
    """A process that enrolls so many people as soon as `go` says so"""
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


# ---- what it holds
# --------------------------------------------------------------------------------------------------


def test_what_is_enrolled_comes_back(database, path):
    assert database.enroll("Ann", ANN) == [] and database.enroll("Bob", BOB) == []
    assert database.enroll("Ann", embedding(0, 1)) == []
    names, embeddings = Database(path, "model").embeddings()
    assert names == ["Ann", "Bob", "Ann"] and embeddings.dtype == np.float32
    np.testing.assert_array_equal(embeddings, [ANN, BOB, embedding(0, 1)])
    assert [person[:2] for person in database.people()] == [("Ann", 2), ("Bob", 1)]
    assert list(path.parent.iterdir()) == [path]


def test_nobody_is_enrolled_in_a_new_one(database):
    names, embeddings = database.embeddings()
    assert (
        names == []
        and embeddings.shape == (0, 128)
        and database.people() == []
        and database.calibration() is None
    )


def test_the_same_picture_twice_is_told_and_stored_once(database):
    assert database.enroll("Ann", ANN, digest="d") == []
    assert database.enroll("Ann", ANN, digest="d") == ["Ann"]
    assert database.enroll("Bob", ANN, digest="d") == ["Ann"]
    assert database.enroll("Ann", ANN, digest="d", picture=b"a picture") == ["Ann", "Bob"]
    assert [person[:2] for person in database.people()] == [("Ann", 1), ("Bob", 1)]


def test_without_a_digest_the_embedding_is_known_again(database):
    database.enroll("Ann", ANN)
    assert database.enroll("Ann", ANN.astype(float)) == ["Ann"]


def test_no_picture_is_kept_unless_it_is_given(database, path):
    database.enroll("Ann", ANN, origin="a.png")
    assert list(database.pictures()) == []
    database.enroll("Bob", BOB, origin="b.png", picture=b"a picture of Bob")
    assert list(database.pictures()) == [("Bob", "b.png", b"a picture of Bob")]


def test_a_picture_that_was_not_kept_is_kept_when_it_comes_again(database):
    database.enroll("Ann", ANN, digest="d", origin="a.png")
    database.enroll("Bob", ANN, digest="d", origin="b.png")
    assert database.enroll("Ann", ANN, digest="d", picture=b"a picture") == ["Ann", "Bob"]
    database.enroll("Ann", ANN, digest="d")
    assert (
        list(database.pictures()) == [("Ann", "a.png", b"a picture")]
        and len(database.embeddings()[0]) == 2
    )


def test_who_is_removed_is_gone_from_the_file_too(database, path):
    database.enroll("Ann", ANN)
    database.enroll("Ann", embedding(0, 1), picture=b"a picture of Ann" * 1000)
    database.enroll("Bob", BOB)
    assert b"a picture of Ann" in path.read_bytes() and ANN.tobytes() in path.read_bytes()
    assert database.remove("Ann") == 2
    assert [person.name for person in database.people()] == ["Bob"]
    assert b"a picture of Ann" not in path.read_bytes() and ANN.tobytes() not in path.read_bytes()


def test_who_is_not_there_cannot_be_removed(database):
    database.enroll("Catherine", ANN)
    with pytest.raises(
        ArgumentError, match=r"nobody in .* is called 'Katherine'; did you mean 'Catherine'\?"
    ):
        database.remove("Katherine")
    with pytest.raises(ArgumentError, match="`minidl faces list` shows all names"):
        database.remove("\x1b[31m")


NAMES = [
    "Ann Lee",
    "  Ann  ",
    "Zoë",
    "José\u200dé",
    "李小龍",
    "محمد",
    "می\u200cخواهم",
    "O'Neil; DROP TABLE person",
    "a" * 200,
    "0",
    "👩‍🚀",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_all_kinds(database, name):
    database.enroll(name, ANN)
    assert [person.name for person in database.people()] == [name.strip()]
    assert database.remove(name) == 1


def test_accents_are_the_same_however_they_are_typed(database):
    database.enroll("Zoe\u0308", ANN)
    database.enroll("Zo\u00eb", BOB)
    assert [person[:2] for person in database.people()] == [("Zoë", 2)]
    assert database.remove("Zoe\u0308") == 2


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "the name is empty"), ("   ", "the name is empty"), ("a" * 201, "has 201 characters; wanted at most 200"),
        ("a\nb", "cannot be shown"), ("\x1b[31mred", "cannot be shown"), ("\udc80", "cannot be shown"),
        ("a\0b", "cannot be shown"), ("Unknown", "nobody can be called 'Unknown'"),
        ("unk\u200dnown", "which is the word for strangers"), ("\u3164unknown", "which is the word for strangers"),
        ("\u200d", "all of it is invisible"), ("\u3164", "all of it is invisible"),
        ("\u2800\u0301", "all of it is invisible"),
    ],
)  # fmt: skip
def test_names_that_nobody_can_have(name, words):
    with pytest.raises(ArgumentError, match=words):
        proper_name(name)


@pytest.mark.parametrize(
    "bad", [np.full(128, np.nan), np.ones((2, 64)), np.ones(64), np.ones(0), np.full(128, 1e300)]
)
def test_what_is_no_embedding_is_refused(database, bad):
    with (
        pytest.raises(ArgumentError, match=r"wanted \(128,\), of finite numbers"),
        np.errstate(over="ignore"),
    ):
        database.enroll("Ann", bad)
    assert database.people() == []


# ---- its threshold
# --------------------------------------------------------------------------------------------------


def test_a_calibration_is_stored_with_its_evidence_and_the_last_one_counts(database, path):
    database.calibrate(0.5, {"rule": "first"})
    database.calibrate(0.0, {"rule": "second", "pairs": 3})
    threshold, evidence = Database(path, "model").calibration()
    assert (
        threshold == 0.0
        and evidence["rule"] == "second"
        and evidence["pairs"] == 3
        and evidence["stored"]
    )


@pytest.mark.parametrize("threshold", [-1, float("nan"), float("inf")])
def test_a_threshold_is_a_distance(database, threshold):
    with pytest.raises(ArgumentError, match="wanted a distance"):
        database.calibrate(threshold, {})


@pytest.mark.parametrize("row", [(-1.0, "{}"), ("far", "{}"), (0.5, "["), (0.5, "3"), (0.5, b"\xff"),
                                 (0.5, "[" * 100_000), (0.5, '{"rule": ["nested"]}')])  # fmt: skip
def test_a_damaged_calibration_is_said(database, path, row):
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO calibration (threshold, evidence) VALUES (?, ?)", row)
    connection.close()
    with pytest.raises(FileError, match="damaged"):
        database.calibration()


# ---- several writers, and a kill
# ------------------------------------------------------------------------------------


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


def test_after_a_kill_every_finished_enrolment_is_there(path):
    """Killed at any moment: also while the journal lies beside the file."""
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
        assert (
            set(done) <= set(names)
            and len(names) <= len(done) + attempt + 1
            and np.isfinite(embeddings).all()
        )


def test_a_kill_within_a_transaction_undoes_it(path):
    """The pages are in the file already, and the journal beside it: the next one to open it brings
    the old ones back."""
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
    assert path.with_name("people.db-journal").exists() and b"half done" in path.read_bytes()
    assert database.embeddings()[0] == ["Ann"] and [
        person.name for person in database.people()
    ] == ["Ann"]
    assert not path.with_name("people.db-journal").exists()


def test_threads_share_one(database):
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


def test_another_writer_is_waited_for_and_then_said(database, path, monkeypatch):
    monkeypatch.setattr(sqlite_file, "PATIENCE", 0.1)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(FileError, match="being written by another process"):
        database.enroll("Ann", ANN)
    assert database.people() == []  # reading goes on
    other.execute("COMMIT")
    other.close()
    database.enroll("Ann", ANN)


# ---- files that are no such databases
# -------------------------------------------------------------------------------


def test_of_another_model(database, path):
    with pytest.raises(
        FileError,
        match=r"holds embeddings of another model \(model; this one is other\).*enroll the pictures anew",
    ):
        Database(path, "other")
    with pytest.raises(FileError, match="another model"):
        Database(path, "other", create=True)
    assert Database(path, None).people() == []


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "PRAGMA user_version = 2",
            "form 2, of a later minidl; this one reads form 1: update minidl",
        ),
        ("PRAGMA application_id = 7", "the database of another program"),
        ("DROP TABLE about", "damaged: tables are missing"),
        ("DELETE FROM about", "damaged: it does not say of which model it is"),
        ("UPDATE about SET told = x'ff'", "another model"),
    ],
)
def test_of_others_or_later_or_damaged(database, path, statement, words):
    change(path, statement)
    for create in (False, True):
        with pytest.raises(FileError, match=words):
            Database(path, "model", create=create)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE embedding SET numbers = x'00'", "UPDATE embedding SET numbers = 'words'", "UPDATE embedding SET numbers = 5",
     "UPDATE embedding SET numbers = x'0000c07f'", "INSERT INTO embedding SELECT 9, 1, x'00000000', '', 'e', '', NULL",
     "UPDATE embedding SET numbers = zeroblob(256)",
     "UPDATE embedding SET numbers = CAST(zeroblob(508) || x'0000c07f' AS BLOB)"],
)  # fmt: skip
def test_embeddings_that_are_none(database, path, statement):
    database.enroll("Ann", ANN)
    change(path, statement)
    with pytest.raises(
        FileError,
        match=r"damaged: it holds (embeddings with NaN or of another length|values of unexpected types or lengths)",
    ):
        database.embeddings()


def test_columns_of_other_types(database, path):
    """SQLite takes any type in any column"""
    uses = {
        "UPDATE person SET name = x'ff'": (
            lambda: database.people(), lambda: database.embeddings(), lambda: list(database.pictures()),
            lambda: database.remove("Bob"), lambda: database.enroll("Ann", ANN),
        ),
        "UPDATE embedding SET enrolled = x'ff'": (lambda: database.people(),),
        "UPDATE embedding SET picture = 5": (lambda: list(database.pictures()),),
        "UPDATE embedding SET origin = x'ff'": (lambda: list(database.pictures()),),
        "UPDATE calibration SET stored = x'ff'": (lambda: database.calibration(),),
    }  # fmt: skip
    database.enroll("Ann", ANN, picture=b"a picture")
    database.calibrate(0.5, {"rule": "r"})
    whole = path.read_bytes()
    for statement, uses_of_it in uses.items():
        path.write_bytes(whole)
        change(path, statement)
        for use in uses_of_it:
            with pytest.raises(
                FileError, match="damaged: it holds values of unexpected types or lengths"
            ):
                use()


def test_what_is_no_database(tmp_path):
    (tmp_path / "words.txt").write_text("no database " * 100)
    (tmp_path / "empty.db").touch()
    change(tmp_path / "other.db", "CREATE TABLE songs (title)")
    for name, words in {"words.txt": "is no database of faces", "empty.db": "is empty", "other.db": "another program",
                        "missing.db": "there is no such database of faces", ".": "not a file"}.items():  # fmt: skip
        with pytest.raises(FileError, match=words):
            Database(tmp_path / name, "model")
    for name, words in {"words.txt": "is no database of faces", "other.db": "another program", ".": "is a folder",
                        "nowhere/new.db": "there is no folder"}.items():  # fmt: skip
        with pytest.raises(FileError, match=words):
            Database(tmp_path / name, "model", create=True)
    assert (
        not (tmp_path / "missing.db").exists()
        and (tmp_path / "words.txt").read_text() == "no database " * 100
    )
    # as a kill during the first enrolment leaves it
    Database(tmp_path / "empty.db", "model", create=True).enroll("Ann", ANN)


@pytest.mark.parametrize(
    "name", ["100%.db", "what?.db", "a#b.db", "two words.db", "ü.db", "a?mode=memory.db"]
)
def test_names_of_files(tmp_path, name):
    Database(tmp_path / name, "model", create=True).enroll("Ann", ANN)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert Database(tmp_path / name, "model").embeddings()[0] == ["Ann"]


def test_a_relative_path_stays_what_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Database("people.db", "model", create=True).enroll("Ann", ANN)
    assert Path("people.db").is_file()


def test_damage_of_any_kind_is_one_sentence_or_does_no_harm(path):
    """Bytes changed and lost at random; whatever comes of it is right in form or a FileError."""
    database = Database(path, "model", create=True)
    for number in range(40):
        database.enroll(
            f"person {number}", embedding(number, 0), origin="a.png", picture=b"x" * 500
        )
    database.calibrate(0.5, {"rule": "r"})
    whole, refused, rng = path.read_bytes(), 0, random.Random(0)
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(rng.choice([1, 10, 1000])):
            damaged[rng.randrange(rng.choice([100, 4096, len(whole)]))] = rng.randrange(256)
        path.write_bytes(damaged[: rng.choice([len(whole), rng.randrange(1, len(whole))])])
        for use in (
            lambda: Database(path, "model").embeddings(), lambda: Database(path, "model").people(),
            lambda: list(Database(path, "model").pictures()), lambda: Database(path, "model").calibration(),
            lambda: Database(path, "model", create=True).enroll("Ann", ANN), lambda: Database(path, "model").remove("person 3"),
        ):  # fmt: skip
            try:
                use()
            except MinidlError as error:
                refused += 1
                assert "\n" not in str(error)
        for beside in path.parent.glob("people.db-*"):
            beside.unlink()
    assert 100 < refused < 900


# ---- no room, no permission
# -----------------------------------------------------------------------------------------


def test_a_full_disk_is_said_and_keeps_what_is_there(path):
    limit = "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
    process = in_a_process(path, "p", 1000, before=limit)
    go(process)
    out, err = process.communicate(timeout=60)
    assert (
        process.returncode == 1
        and "FileError" in err
        and "people.db cannot be" in err.splitlines()[-1]
    )
    assert Database(path, "model").embeddings()[0] == out.splitlines() != []


def test_a_full_database_is_a_full_disk(database, monkeypatch):
    """SQLite's own word for a disk without room, which it says as well of a file that may not
    grow."""
    database.enroll("Ann", ANN)
    real = sqlite3.connect

    def small(*args, **options):
        connection = real(*args, **options)
        connection.execute("PRAGMA max_page_count = 1")
        return connection

    monkeypatch.setattr(sqlite3, "connect", small)
    with pytest.raises(FileError, match="the disk is full; free some space"):
        database.enroll("Bob", BOB, picture=b"x" * 100_000)
    assert [person.name for person in database.people()] == ["Ann"]


@pytest.fixture
def open_folder():
    """A folder that everybody may enter, as pytest's own may not be"""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


def told_to_nobody(work):
    """What work() says, or the error it raises, to a user who is not root"""
    reading, writing = os.pipe()
    if not (child := os.fork()):
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(65534)
                os.setuid(65534)
            told = str(work())
        except BaseException as error:
            told = f"{type(error).__name__}: {error}"
        os.write(writing, told.encode()[:4000])
        os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return told


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no users to change to")
def test_a_folder_or_file_that_may_not_be_written_is_read_and_not_written(open_folder):
    path = open_folder / "people.db"
    Database(path, "model", create=True).enroll("Ann", ANN)
    path.chmod(0o644)
    open_folder.chmod(0o555)
    try:
        assert told_to_nobody(lambda: Database(path, "model").embeddings()[0]) == "['Ann']"
        for write in (
            lambda: Database(path, "model").enroll("Bob", BOB),
            lambda: Database(path, "model").remove("Ann"),
        ):
            assert f"FileError: {path} may not be written to" in told_to_nobody(write)
        assert "FileError" in told_to_nobody(lambda: Database(path, "model", create=True))
        assert "may not be written to" in told_to_nobody(
            lambda: Database(open_folder / "new.db", "model", create=True)
        )
        path.chmod(0o666)  # the file may be written, but no journal beside it
        told = told_to_nobody(lambda: Database(path, "model").enroll("Bob", BOB))
        assert f"FileError: {path} " in told and (
            "may not be written to" in told or "cannot be opened or written" in told
        )
        path.chmod(0o600)
        if os.geteuid() == 0:
            assert "may not be read" in told_to_nobody(lambda: Database(path, "model"))
    finally:
        open_folder.chmod(0o755)
    assert Database(path, "model").embeddings()[0] == ["Ann"]
