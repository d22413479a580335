"""The subject of a report: a network and a picture, and how much is computed."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minidl import typing
from minidl.backend import current_device, to_device
from minidl.errors import ArgumentError
from minidl.typing import Array
from minidl.visualize.choosing import unit_for
from minidl.visualize.features import default_layers
from minidl.visualize.network import Network
from minidl.visualize.receptive_fields import receptive_fields
from minidl.visualize.scalars import Scalar
from minidl.visualize.units import Unit


class Settings(NamedTuple):
    """Settings of a report.

    likes: steps of each activation maximisation
    inversion: steps of each inversion
    octaves, steps: of DeepDream
    seed: of all random numbers
    """

    likes: int = 64
    inversion: int = 50
    octaves: int = 3
    steps: int = 10
    seed: int = 0


class Subject(NamedTuple):
    """The subject of a report: a network and a picture.

    path: the picture file
    example: (H, W, 3), RGB, 0..255, the picture as the network takes it, in NumPy
    picture: the example on the current device
    layers: names of the layers that are shown, the shallowest first
    unit: the class or other unit that is explained
    steps: passes through what is computed step by step; it may end early, and the report then has
        what was computed until then
    """

    network: Network
    path: Path
    example: np.ndarray
    picture: Array
    layers: list[str]
    settings: Settings
    unit: Unit
    steps: Callable[[Iterable[Any]], Iterable[Any]] = iter

    @classmethod
    def of(
        cls,
        network: Network,
        path: typing.Path,
        example: np.ndarray,
        settings: Settings | None = None,
        layers: Sequence[str] = (),
        unit: Unit | None = None,
        steps: Callable[[Iterable[Any]], Iterable[Any]] = iter,
    ) -> "Subject":
        """Return the Subject for an example.

        path: of the picture file; example: (*spatial, C), the file as the network takes it
        settings: by default `Settings()`
        layers: by default the `default_layers` of the network
        unit: by default that of `unit_for`

        Raises ArgumentError for a layer without positions.
        """
        picture, extent = to_device(example, current_device()), example.shape[:2]
        if layers:
            order = [step.name for step in network.steps]
            layers = sorted(set(map(network.canonical, layers)), key=order.index)
            for name, field in receptive_fields(network, extent, layers).items():
                if not field.out:
                    raise ArgumentError(
                        f"{name} has no positions to draw maps of; name a layer before it"
                    )
        shown = list(layers) or default_layers(network, extent)
        unit = unit or unit_for(network, path, picture)
        settings = settings or Settings()
        return cls(network, Path(path), example, picture, shown, settings, unit, steps)

    @property
    def scalar(self) -> Scalar:
        """The mean activation of the unit, or the score of the class."""
        return Scalar(self.network, self.unit)
