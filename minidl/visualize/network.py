"""A network taken apart: its steps by name, one after the other, so that each can be looked at."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from minidl import ops
from minidl.autograd import Tensor, no_grad
from minidl.errors import ArgumentError, NonFiniteError, did_you_mean, printable
from minidl.layers import Flatten
from minidl.layers.activations import is_relu, rectifies

SHOWN = 12  # names of layers in a sentence


class Step(NamedTuple):
    """layer: a Module; None stands for a ReLU, whose way back is chosen by who asks."""

    name: str
    layer: Any


class Network(NamedTuple):
    """steps: of the network, in order; prepare: pictures (N, H, W, 3), RGB, 0..255, Tensors -> what
    the first step takes (of signals and volumes: themselves); canonical: a name that a user may
    give -> that of a step; size: (H, W) that pictures must have, or None for any; classes: names of
    what the last step's numbers are for, or None; examples: of the test set, made by a function, ()
    -> (N, *size, C), where the network takes no pictures, or None."""

    steps: tuple
    prepare: Callable
    canonical: Callable
    size: tuple | None = None
    classes: tuple | None = None
    examples: Callable | None = None

    def activations(self, pictures, layers, rectifier=ops.relu):
        """{name: (N, *spatial, C) or (N, C)} of some steps, by the names that were asked for;
        nothing deeper is computed.

        pictures: as `prepare` takes them; a Tensor gives Tensors, an array arrays. rectifier: one
        of RECTIFIERS.
        Raises ArgumentError for an unknown name.
        """
        if not isinstance(pictures, Tensor):
            with no_grad():
                return {
                    name: y.data
                    for name, y in self.activations(Tensor(pictures), layers, rectifier).items()
                }
        wanted = {self.canonical(name) for name in layers}
        found, x = {}, self.prepare(pictures)
        steps, fuses = iter(self.steps), rectifier is ops.relu
        following = next(steps)
        while len(found) < len(wanted):
            step, following = following, next(steps, None)
            together = fuses and following and following.layer is None and step.name not in wanted
            if together and rectifies(step.layer):
                x, step, following = step.layer.rectified(x), following, next(steps, None)
            else:
                x = rectifier(x) if step.layer is None else step.layer(x)
            if step.name in wanted:
                found[step.name] = x
        return {name: found[self.canonical(name)] for name in layers}

    def before_rectifier(self, layer):
        """The name of the step whose numbers a ReLU turns into those of this layer; of a layer
        without one, its own."""
        names = [step.name for step in self.steps]
        number = names.index(self.canonical(layer))
        return names[number - 1] if self.steps[number].layer is None and number else names[number]

    def class_name(self, unit):
        """The name of the class that a unit stands for, None where it stands for none"""
        is_class = self.classes and unit.channel is not None and unit.layer == self.steps[-1].name
        return printable(str(self.classes[unit.channel]), 80) if is_class else None


def must_be_finite(layer, activations):
    """The activations of a layer, in NumPy. Raises NonFiniteError where one is no number."""
    if not np.isfinite(activations).all():
        raise NonFiniteError(
            f"{layer} makes NaN or infinite numbers of this: the weights are damaged; take others"
        )
    return activations


def of_vgg19(model):
    """A VGG19 as a Network: "block1_conv1.pre" before its ReLU, "block1_conv1" after it; papers'
    names too."""
    steps = []
    for name, layer in model.layers.items():
        if name == "fc1":
            steps.append(Step("flatten", Flatten()))
        if "pool" in name or name == "predictions":
            steps.append(Step(name, layer))
        else:
            steps += [Step(f"{name}.pre", layer), Step(name, None)]
    return Network(
        tuple(steps),
        model.preprocess,
        model.canonical,
        size=(224, 224) if "fc1" in model.layers else None,
    )


def of_sequential(model, prepare, size=None, classes=None, examples=None):
    """A Sequential of layers as a Network, by the layers' own names."""
    steps = tuple(Step(name, None if is_relu(layer) else layer) for name, layer in model.by_path())
    names = [step.name for step in steps]

    def canonical(name):
        if name not in names:
            listed = (
                ", ".join(names)
                if len(names) <= SHOWN
                else f"{', '.join(names[:SHOWN])}, ... {names[-1]}"
            )
            refusal = f"the network has no layer {printable(name, 80)!r}; it has {listed}"
            raise ArgumentError(refusal + did_you_mean(name, names))
        return name

    return Network(steps, prepare, canonical, size, classes, examples)
