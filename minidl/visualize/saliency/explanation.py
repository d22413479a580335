"""What the score of a class, or the activation of another unit, depends on: its maps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from minidl.backend import read_numbers, to_numpy
from minidl.typing import Array
from minidl.visualize.classes import prediction
from minidl.visualize.drawing import percent, short
from minidl.visualize.saliency.methods import METHODS, Map, Settings, fitted, passes, saliency
from minidl.visualize.saliency.sanity import changes
from minidl.visualize.scalars import Scalar, value


@dataclass
class Explanation:
    """The maps of a scalar for a picture.

    picture: (*spatial, C), floating-point, on the current device
    tasks: (a key of METHODS, its Settings with all defaults) of each map
    maps: those that `compute` has made
    """

    scalar: Scalar
    picture: Array
    tasks: list[tuple[str, Settings]]
    maps: list[Map] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        scalar: Scalar,
        picture: Array,
        methods: Sequence[str] | None = None,
        settings: Settings | None = None,
        layers: Sequence[str] = (),
    ) -> "Explanation":
        """Return the Explanation without its maps.

        methods, settings: as for `fitted`, which makes all checks
        layers: of Grad-CAM, one map each; by default that of the settings
        """
        settings = settings or Settings()
        by_layer = [replace(settings, layer=layer) for layer in layers] or [settings]
        chosen = [fitted(scalar, picture, methods, own) for own in by_layer]
        tasks = []
        for method in METHODS if methods is None else methods:
            for names, own in chosen if method == "grad-cam" else chosen[:1]:
                if method in names:
                    tasks.append((method, own))
        return cls(scalar, picture, tasks)

    @property
    def passes(self) -> int:
        """The cost of all maps in forward passes."""
        extent = self.picture.shape[:-1]
        return sum(passes(method, extent, settings) for method, settings in self.tasks)

    def title(self) -> str:
        """Return the name of the scalar, its value, and for a class its probability."""
        of_class = prediction(self.scalar.network, self.picture, self.scalar.unit)
        if of_class:
            likely = percent(of_class.probability)
            return f"{self.scalar}: {short(of_class.score)}, probability {likely}"
        [number] = read_numbers(value(self.scalar, self.picture[None]))
        return f"{self.scalar}: {short(number)}"

    def compute(self) -> Iterator[Map]:
        """Make the maps, and yield each."""
        for method, settings in self.tasks[len(self.maps) :]:
            self.maps += saliency(self.scalar, self.picture, [method], settings)
            yield self.maps[-1]

    def changes(self, seed: int = 0) -> Iterator[tuple[Map, float]]:
        """Yield each map with its rank correlation with the map of random weights: see sanity.py.
        seed: of the random weights"""
        _, settings = self.tasks[0]
        found = changes(self.scalar, self.picture, self.maps, settings, seed)
        for saliency_map, (_, correlation) in zip(self.maps, found, strict=True):
            yield saliency_map, correlation

    def activations(self) -> np.ndarray | None:
        """Return the activations (*positions) of the unit, or None if it has no channel or its
        layer no positions."""
        unit = self.scalar.unit
        [activations] = self.scalar.network.activations(self.picture[None], [unit.layer]).values()
        if unit.channel is None or activations.ndim < 3:
            return None
        return to_numpy(unit.of(activations)[0])
