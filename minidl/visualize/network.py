"""A network as a sequence of named steps, whose outputs can be read one by one."""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from minidl import ops
from minidl.autograd import Tensor, no_grad
from minidl.errors import ArgumentError, NonFiniteError, did_you_mean, printable
from minidl.layers import Flatten, Sequential
from minidl.layers.activations import is_relu, rectifies
from minidl.models.vgg19 import ALIASES, VGG19
from minidl.typing import Operand, Shape
from minidl.visualize.units import Unit

SHOWN = 12  # the most names of layers in an error message


class Step(NamedTuple):
    """One step of a network.

    layer: a Module, or None for a ReLU, whose gradient the caller chooses
    """

    name: str
    layer: Any


class Network(NamedTuple):
    """A network as a sequence of steps.

    steps: the steps in order
    prepare: maps a Tensor of examples to the input of the first step: pictures (N, H, W, 3), RGB,
        0..255, or signals and volumes (N, *size, C) as they are
    canonical: maps each accepted name of a layer to the name of its step; raises ArgumentError for
        an unknown name
    size: the spatial size of every example, such as (H, W), or None for any
    classes: names of the outputs of the last step, or None
    examples: returns the examples (N, *size, C) of the test set; None if the network takes pictures
    aliases: {name of a step: its other names, which `canonical` accepts}
    channels: the number of channels of an example, 3 of pictures
    """

    steps: tuple[Step, ...]
    prepare: Callable[[Any], Any]
    canonical: Callable[[str], str]
    size: Shape | None = None
    classes: tuple[str, ...] | None = None
    examples: Callable[[], np.ndarray] | None = None
    aliases: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    channels: int = 3

    def activations(
        self,
        pictures: Operand,
        layers: Iterable[str],
        rectifier: Callable[[Any], Any] = ops.relu,
    ) -> dict[str, Any]:
        """Return the activations (N, *spatial, C) or (N, C) of some layers, by the names in
        `layers`. Steps after the deepest of these layers are not computed.

        pictures: the input of `prepare`; a Tensor gives Tensors, an array gives arrays
        rectifier: computes each ReLU, one of RECTIFIERS

        Raises ArgumentError for an unknown name.
        """
        if not isinstance(pictures, Tensor):
            with no_grad():
                tensors = self.activations(Tensor(pictures), layers, rectifier)
            return {name: y.data for name, y in tensors.items()}
        names = {name: self.canonical(name) for name in layers}
        missing = set(names.values())
        outputs, x, number = {}, self.prepare(pictures), 0
        while missing:
            step = self.steps[number]
            fuses = rectifier is ops.relu and step.name not in missing
            if fuses and _is_fusible(self.steps[number : number + 2]):
                x, number = step.layer.rectified(x), number + 1
            else:
                x = rectifier(x) if step.layer is None else step.layer(x)
            name = self.steps[number].name
            if name in missing:
                outputs[name] = x
                missing.remove(name)
            number += 1
        return {name: outputs[step_name] for name, step_name in names.items()}

    def before_rectifier(self, layer: str) -> str:
        """Return the name of the step before a ReLU, or the step's own name if it is no ReLU."""
        names = [step.name for step in self.steps]
        number = names.index(self.canonical(layer))
        return names[number - 1] if self.steps[number].layer is None and number else names[number]

    def class_name(self, unit: Unit) -> str | None:
        """Return the name of the class that a unit is the score of, or None if it is no class."""
        if unit.layer != self.steps[-1].name or unit.channel not in range(len(self.classes or ())):
            return None
        assert self.classes and unit.channel is not None
        return printable(str(self.classes[unit.channel]), 80)


def _is_fusible(steps):
    """Return whether two steps are a layer and a ReLU that one op computes together."""
    return len(steps) == 2 and steps[1].layer is None and rectifies(steps[0].layer)


def must_be_finite(layer: str, activations: Any) -> Any:
    """Return the activations of a layer, a NumPy array or a number. Raise NonFiniteError if one of
    them is NaN or infinite."""
    if not np.isfinite(activations).all():
        raise NonFiniteError(
            f"{layer} makes NaN or infinite numbers; wanted finite ones: "
            "the weights are damaged, use others"
        )
    return activations


def of_vgg19(model: VGG19) -> Network:
    """Return a VGG19 as a Network. "block1_conv1" is the output of the ReLU of a layer and
    "block1_conv1.pre" its input. The names in papers, such as "conv1_1", are accepted too. With its
    dense layers, the network has the classes of the model, or numbers in place of their names."""
    steps = []
    for name, layer in model.layers.items():
        if name == "fc1":
            steps.append(Step("flatten", Flatten()))
        if "pool" in name or name == "predictions":
            steps.append(Step(name, layer))
        else:
            steps += [Step(f"{name}.pre", layer), Step(name, None)]
    size = (224, 224) if "fc1" in model.layers else None
    names = {step.name for step in steps}

    def canonical(name):
        return name if name in names else model.canonical(name)

    prepare, classes = model.preprocess, model.classes
    if "predictions" in model.layers and classes is None:
        classes = tuple(map(str, range(model.layers["predictions"].bias.data.size)))
    return Network(tuple(steps), prepare, canonical, size, classes, aliases=ALIASES)


def of_sequential(
    model: Sequential,
    prepare: Callable[[Any], Any],
    size: Shape | None = None,
    classes: tuple[str, ...] | None = None,
    examples: Callable[[], np.ndarray] | None = None,
    channels: int = 3,
) -> Network:
    """Return a model as a Network whose steps have the names of the layers. Layers with the names
    of VGG19's also have the names in papers: "relu1_1" is "block1_conv1_relu" if there is one.

    prepare, size, classes, examples, channels: as for Network
    """
    steps = tuple(Step(name, None if is_relu(layer) else layer) for name, layer in model.by_path())
    names = [step.name for step in steps]
    aliases = _aliases(names)
    steps_of = {alias: name for name, others in aliases.items() for alias in others}

    def canonical(name):
        if name in names:
            return name
        if name in steps_of:
            return steps_of[name]
        known = names if len(names) <= SHOWN else [*names[:SHOWN], f"... {names[-1]}"]
        refusal = f"the network has no layer {printable(name, 80)!r}; it has {', '.join(known)}"
        raise ArgumentError(refusal + did_you_mean(name, [*names, *steps_of]))

    return Network(steps, prepare, canonical, size, classes, examples, aliases, channels)


def _aliases(names):
    """Return the `aliases` of steps that have names of VGG19's layers."""
    aliases: dict[str, tuple[str, ...]] = {}
    for name, papers in ALIASES.items():
        for alias in papers if name in names else ():
            is_rectified = alias.startswith("relu") and f"{name}_relu" in names
            step = f"{name}_relu" if is_rectified else name
            aliases[step] = (*aliases.get(step, ()), alias)
    return aliases
