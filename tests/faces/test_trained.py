"""Networks of `minidl train faces` that compare faces in pictures."""

import json

import numpy as np
import pytest

from minidl.data import read_image, shipped_picture, write_image
from minidl.errors import FileError
from minidl.faces import Database, FaceReader, Gallery, between
from minidl.faces.framing import Framing
from minidl.faces.reader import upright
from minidl.faces.trained import facts, framing_of, own_network
from minidl.recipes import faces as recipe
from minidl.training import train
from tests.devices import GPUS, at
from tests.recipes.people import SMALL, people, small_task

FRAMING = Framing(0.5, 0.6, 0.9, 0.7)


def run_of(folder, framing=FRAMING, people_of=None, **settings):
    """Train a network for one epoch, and write what a command needs to know about it."""
    task = recipe.task(people_of, **SMALL | settings) if people_of else small_task(**settings)
    train(task, 1, folder)
    _, held = people_of or recipe.held_out(people(), "3")
    (folder / "result.json").write_text(json.dumps(facts(task.model, held, framing)))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_of(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def on_top(tmp_path_factory):
    """A run on vectors of the shipped network, here random ones."""
    drawn = people()
    vectors = np.random.default_rng(0).standard_normal((len(drawn.labels), 128)).astype(np.float32)
    split = recipe.held_out(drawn._replace(vectors=vectors), "3")
    return run_of(tmp_path_factory.mktemp("on-top"), None, split, on_top=True)


@pytest.fixture(scope="module")
def astronaut():
    return read_image(shipped_picture("astronaut"))[:300, 60:390]


def test_the_embedding_is_that_of_the_framed_face(run, astronaut):
    reader = FaceReader(run)
    [face] = reader.faces(astronaut)
    crop = FRAMING.crop(astronaut, upright(face.landmarks), recipe.SIZE)
    model = recipe.trained(run / "checkpoint.h5")
    expected = recipe.embed(model, crop.mean(axis=-1, keepdims=True)[None].astype(np.float32))
    np.testing.assert_allclose(face.embedding, expected[0], atol=1e-6)
    assert reader.numbers == 16 == len(face.embedding) and reader.network == str(run)
    assert FaceReader(run / "checkpoint.h5").identity == reader.identity != FaceReader().identity


def test_the_threshold_is_that_of_the_people_who_are_held_out(run):
    _, held = recipe.held_out(people(), "3")
    model = recipe.trained(run / "checkpoint.h5")
    assert FaceReader(run).threshold == pytest.approx(recipe.equal_threshold(model, held))


def test_a_network_on_top_of_the_shipped_one(on_top, astronaut):
    [shipped], [face] = FaceReader().faces(astronaut), FaceReader(on_top).faces(astronaut)
    model = recipe.trained(on_top / "checkpoint.h5")
    expected = recipe.embed(model, shipped.embedding[None])[0]
    np.testing.assert_allclose(face.embedding, expected, atol=1e-5)
    assert len(face.embedding) == FaceReader(on_top).numbers == 128


def test_several_faces_and_none(run, astronaut):
    reader = FaceReader(run)
    both = np.concatenate([astronaut, astronaut[:, ::-1]], axis=1)
    one, other = reader.faces(both)
    assert between(one.embedding, other.embedding) < 0.5  # mirrored
    assert reader.faces(np.zeros((50, 50, 3))) == []
    assert own_network(run).embeddings(both, [], lambda: 1 / 0).shape == (0, 16)
    assert [face.embedding for face in reader.faces(both, embed=False)] == [None, None]


def test_a_database_is_of_one_network(run, on_top, tmp_path, astronaut):
    reader, path = FaceReader(run), tmp_path / "people.db"
    [face] = reader.faces(astronaut)
    Database.of(reader, path, create=True).enroll("Eileen", face.embedding)
    database = Database.of(reader, path)
    threshold, evidence = database.calibration()
    assert threshold == reader.threshold and str(run) in evidence["rule"]
    [match] = Gallery.of(database).identify([face.embedding])
    assert match.name == "Eileen"
    with pytest.raises(FileError, match=f"of {run}; .*use --network {run}, or enroll the pictures"):
        Database.of(FaceReader(), path)
    with pytest.raises(FileError, match=f"of {run}; this one is [0-9a-f]* of {on_top}"):
        Database.of(FaceReader(on_top), path)
    with pytest.raises(FileError, match="another model"):
        Database(path, "other")
    shipped = tmp_path / "shipped.db"
    Database.of(FaceReader(), shipped, create=True)
    assert Database.of(FaceReader(), shipped).calibration() is None
    with pytest.raises(FileError, match="leave --network out, or enroll"):
        Database.of(reader, shipped)


def test_the_identity_depends_on_the_network_and_on_the_framing(run, on_top, tmp_path):
    other = run_of(tmp_path, Framing(0.5, 0.6, 0.9, 0.71))
    identities = {FaceReader(place).identity for place in (None, run, on_top, other)}
    assert len(identities) == 4


def test_the_framing_of_photographs(tmp_path, astronaut):
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path in paths[:2]:
        write_image(path, astronaut)
    paths[2].write_text("no picture")
    reader = FaceReader()
    [face] = reader.faces(astronaut)
    square = upright(face.landmarks)
    assert framing_of(paths, reader) == Framing.of([square], [astronaut.shape[:2]])
    write_image(paths[0], np.zeros((20, 20, 3)))
    assert framing_of(paths[:1], reader) is None


def changed(run, folder, **facts_of_run):
    """Return a copy of a run with other facts."""
    (folder / "checkpoint.h5").write_bytes((run / "checkpoint.h5").read_bytes())
    found = json.loads((run / "result.json").read_text())["faces"]
    (folder / "result.json").write_text(json.dumps({"faces": found | facts_of_run}))
    return folder


@pytest.mark.parametrize(
    ("facts_of_run", "words"),
    [
        ({"framing": None}, "trained on pictures in which no face was found"),
        ({"framing": [0.5, 0.5, 0, 0.5]}, "invalid framing"),
        ({"framing": [0.5, "x", 1, 0.5]}, "invalid framing"),
        ({"framing": 5}, "does not hold the facts"),
        ({"threshold": -1}, "does not hold the facts"),
        ({"threshold": "1"}, "does not hold the facts"),
        ({"threshold": None}, "does not hold the facts"),
    ],
)
def test_facts_that_are_missing_or_damaged(run, tmp_path, facts_of_run, words):
    with pytest.raises(FileError, match=words):
        FaceReader(changed(run, tmp_path, **facts_of_run))


@pytest.mark.parametrize("text", ["", "[]", "{}", "[" * 100_000, '{"faces": 1}'])
def test_a_damaged_result(run, tmp_path, text):
    changed(run, tmp_path)
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(FileError, match="does not hold the facts about a network"):
        FaceReader(tmp_path)


def test_runs_that_cannot_be_used(run, tmp_path):
    with pytest.raises(FileError, match="there is no such network of `minidl train faces`"):
        FaceReader(tmp_path / "nowhere")
    (tmp_path / "checkpoint.h5").write_bytes((run / "checkpoint.h5").read_bytes())
    with pytest.raises(FileError, match=r"has no result.json, .*; continue it with --resume"):
        FaceReader(tmp_path)
    (tmp_path / "checkpoint.h5").write_text("no network")
    with pytest.raises(FileError):
        FaceReader(tmp_path)
    pairs = run_of(tmp_path / "pairs", head="absolute")
    with pytest.raises(FileError, match=r"compares two faces by a head.*--head triplet"):
        FaceReader(pairs)


@pytest.mark.parametrize("place", GPUS)
def test_a_gpu_gives_the_same_embedding(run, astronaut, place):
    part = astronaut[60:200, 90:230]
    [expected] = FaceReader(run).faces(part)
    with at(place):
        [face] = FaceReader(run).faces(part)
    np.testing.assert_allclose(face.embedding, expected.embedding, atol=1e-3)
