"""Networks of `minidl train faces` in the place of the shipped network.

The run's result.json says what they need beside their weights: the threshold between same and
different people, and how the pictures of the training frame a face (framing.py).
"""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from minidl.backend import current_device, to_numpy
from minidl.data.images import image_size
from minidl.errors import FileError
from minidl.faces.framing import Framing
from minidl.faces.portraits import main_face, read_faces
from minidl.faces.reader import FaceReader, upright
from minidl.faces.sampling import Square
from minidl.files import must_exist
from minidl.limits import TEXT, is_number
from minidl.models.embedding import Verifier
from minidl.recipes import faces as recipe
from minidl.training.folder import RESULT, network_file
from minidl.typing import Array
from minidl.typing import Path as PathLike

SAMPLE = 16  # pictures of which the framing is the median
FACTS = "faces"  # the key of the facts in result.json


@dataclass(frozen=True, eq=False)
class OwnNetwork:
    """A network that computes the embeddings of faces, on the current device.

    model: the network. framing: how its pictures frame a face; None if it computes from the
    embeddings of the shipped network. threshold: between same and different people. numbers: of an
    embedding. digest: identifies the network and the framing.
    """

    model: Verifier
    framing: Framing | None
    threshold: float
    numbers: int
    digest: bytes

    def embeddings(
        self, picture: Array, squares: list[Square], shipped: Callable[[], Array]
    ) -> Array:
        """Return the embeddings (N, numbers) of the faces in N upright squares of a picture
        (H, W, 3).

        shipped: returns those of the shipped network (N, 128)
        """
        if not squares:
            return np.empty((0, self.numbers), np.float32)
        if self.framing is None:
            return recipe.embed(self.model, shipped())
        crops = [self.framing.crop(picture, square, recipe.SIZE) for square in squares]
        grey = np.stack(crops).mean(axis=-1, keepdims=True, dtype=np.float32)
        return recipe.embed(self.model, grey)


def own_network(run: PathLike) -> OwnNetwork:
    """Return the network of a run of `minidl train faces`.

    run: its folder, or its file best.h5 or checkpoint.h5. Raise FileError if the run is not
    complete, compares faces by a head, or is of another network.
    """
    path = must_exist(network_file(run), "network of `minidl train faces`")
    model = recipe.trained(path)
    if model.head is not None:
        raise FileError(
            f"{run} compares two faces by a head, and this command compares distances; train a "
            "network with --head triplet"
        )
    known = _facts(path.with_name(RESULT), run)
    is_on_top = model.parameters()[0].ndim == 2  # the kernel of its one dense layer
    framing = None if is_on_top else _framing(known, run)
    state = b"".join(to_numpy(part).tobytes() for part in _arrays(model.state()))
    digest = sha256(state + repr(framing).encode()).digest()
    model = model.freeze().to(current_device())
    example = np.zeros((1, 128) if is_on_top else (1, *recipe.SIZE, 1), np.float32)
    numbers = recipe.embed(model, example).shape[1]
    return OwnNetwork(model, framing, known["threshold"], numbers, digest)


def framing_of(paths: Sequence[PathLike], reader: FaceReader) -> Framing | None:
    """Return the Framing of the faces in picture files, or None if no face is found in them.

    Of many files, a sample of SAMPLE in equal steps is read. Files that are no pictures are left
    out.
    """
    squares, sizes = [], []
    for number in np.unique(np.linspace(0, len(paths) - 1, SAMPLE).astype(int)):
        with suppress(FileError):
            if faces := read_faces(paths[number], reader, embed=False):
                width, height = image_size(paths[number])
                squares.append(upright(main_face(faces).landmarks))
                sizes.append((height, width))
    return Framing.of(squares, sizes) if squares else None


def facts(model: Verifier, held: recipe.People, framing: Framing | None) -> dict[str, Any]:
    """Return what `own_network` reads from result.json, as a dict for JSON.

    held: the people on whom the threshold is chosen, who did not take part in the training. Both
    error rates of their pairs are equal at the threshold.
    """
    threshold = recipe.equal_threshold(model, held) if model.head is None else None
    return {FACTS: {"threshold": threshold, "framing": framing and list(framing)}}


def _arrays(state):
    return [state[name] for name in sorted(state)]


def _facts(path, run):
    """Return the facts of a run's result.json, which may be of unknown origin."""
    try:
        with open(must_exist(path, "result of a run"), encoding="utf-8") as file:
            found = json.loads(file.read(TEXT))[FACTS]
        threshold, framing = found["threshold"], found["framing"]
        if is_number(threshold) and threshold >= 0 and (framing is None or len(framing) == 4):
            return {"threshold": float(threshold), "framing": framing}
    except FileError:
        raise FileError(
            f"{run} has no {RESULT}, which a run writes at its end; continue it with --resume"
        ) from None
    except (OSError, TypeError, ValueError, KeyError, RecursionError):
        pass
    raise FileError(
        f"{path} does not hold the facts about a network that recognises faces; train it again "
        "with `minidl train faces`"
    )


def _framing(known, run):
    framing = known["framing"]
    if framing is None:
        raise FileError(
            f"{run} was trained on pictures in which no face was found, so that no face can be cut "
            "out in the same way; train a network on photographs"
        )
    if all(map(is_number, framing)) and min(framing[2:]) > 0.01:
        return Framing(*map(float, framing))
    raise FileError(f"{run} holds an invalid framing {framing}; train the network again")
