"""VGG19 (Simonyan & Zisserman 2014, configuration E), with Keras' names of the layers.

    block1   2 convolutions of 64 channels
    block2   2 of 128
    block3   4 of 256
    block4   4 of 512
    block5   4 of 512
    top      dense layers of 4096, 4096 and 1000 units, for classification

The convolutions are 3x3 with padding 1 and ReLU. A 2x2 pooling of stride 2 follows each block, so
block b works on 1/2^(b-1) of the height and width of the picture.
"""

import re
from collections.abc import Iterable
from typing import Any

from minidl import ops
from minidl.autograd import Tensor, no_grad
from minidl.backend import current_device
from minidl.checkpoints import Architecture, Landmark, Preprocessing, load, shipped
from minidl.data import imagenet_classes
from minidl.errors import ArgumentError, ShapeError, did_you_mean, one_of, printable
from minidl.layers import AvgPool, Dense, MaxPool
from minidl.layers.activations import rectified
from minidl.models.pretrained import Pretrained, convolution, convolution_shapes
from minidl.typing import Array, Operand, Path, Shape

# (block, convolutions in it, channels of each)
BLOCKS = ((1, 2, 64), (2, 2, 128), (3, 4, 256), (4, 4, 512), (5, 4, 512))
TOP = (("fc1", 7 * 7 * 512, 4096), ("fc2", 4096, 4096), ("predictions", 4096, 1000))
POOLING = {"avg": AvgPool, "max": MaxPool}


def _aliases():
    aliases: dict[str, tuple[str, ...]] = {}
    for block, count, _ in BLOCKS:
        for number in range(1, count + 1):
            aliases[f"block{block}_conv{number}"] = f"conv{block}_{number}", f"relu{block}_{number}"
        aliases[f"block{block}_pool"] = (f"pool{block}",)
    return aliases


# The convolutions and poolings in order, and their names in papers:
# {"block1_conv1": ("conv1_1", "relu1_1"), ...}
ALIASES = _aliases()
LAYER_NAMES = {
    *ALIASES,
    *(alias for aliases in ALIASES.values() for alias in aliases),
    *(name for name, _, _ in TOP),
}


def _torch_names():
    """Return {layer: name in torchvision's vgg19}. There a convolution is followed by a ReLU, and
    the last one of a block by a pooling too. A dense layer is followed by a ReLU and a dropout."""
    names, number = {}, 0
    for block, count, _ in BLOCKS:
        for place in range(1, count + 1):
            names[f"block{block}_conv{place}"] = f"features.{number}"
            number += 2
        number += 1
    return names | {layer: f"classifier.{3 * place}" for place, (layer, _, _) in enumerate(TOP)}


def _shapes():
    shapes: dict[str, Shape] = {}
    channels = 3
    for block, count, width in BLOCKS:
        for number in range(1, count + 1):
            shapes |= convolution_shapes(f"block{block}_conv{number}", 3, channels, width)
            channels = width
    for name, inputs, outputs in TOP:
        shapes[f"{name}/kernel"] = (inputs, outputs)
        shapes[f"{name}/bias"] = (outputs,)
    return shapes


ARCHITECTURE = Architecture(
    name="vgg19",
    shapes=_shapes(),
    optional=tuple(name for name, _, _ in TOP),
    landmark=Landmark(
        lineage="caffe",  # trained by the authors, in Caffe
        kernel="block1_conv1/kernel",
        colours={(0, 0): (0.39417, 0.46418, 0.34120), (0, 1): (0.37740, 0.41811, 0.33999)},
    ),
    preprocessing={
        "caffe": Preprocessing(
            channels="BGR", mean=(103.939, 116.779, 123.68), std=(1.0, 1.0, 1.0)
        ),
        "torchvision": Preprocessing(
            channels="RGB",
            mean=(0.485 * 255, 0.456 * 255, 0.406 * 255),
            std=(0.229 * 255, 0.224 * 255, 0.225 * 255),
        ),
    },
    # the names in papers and Caffe, where the dense layers are the sixth to the eighth
    aliases={names[0]: layer for layer, names in ALIASES.items() if "conv" in layer}
    | {f"fc{number}": layer for number, (layer, _, _) in enumerate(TOP, start=6)},
    torch_names=_torch_names(),
)


def vgg19(weights: Path = "imagenet", pooling: str = "avg", top: bool = False) -> "VGG19":
    """Return VGG19 with its weights, frozen, on the current device.

    weights: "imagenet" for the shipped file, or the path of another file in minidl's form. pooling:
    "avg", which Gatys et al. use for style transfer, or "max", with which it was trained. top:
    whether to include the dense layers, which classify pictures of 224x224. Raise FileError if the
    file is missing, damaged, or of another network.

    To classify: `model = vgg19(path, pooling="max", top=True)`; then `model(pictures)` returns the
    probabilities of `model.classes` for pictures as `minidl.data.to_size(picture, (224, 224))`
    makes them. The top may have other sizes than VGG19's, such as those of other classes.
    """
    path = shipped("vgg19") if weights == "imagenet" else weights
    checkpoint = load(path, ARCHITECTURE, top=top)
    assert checkpoint.preprocessing is not None  # `load` has checked it
    model = VGG19(checkpoint.arrays, checkpoint.preprocessing, pooling, top, checkpoint.classes)
    return model.freeze().to(current_device())


class VGG19(Pretrained):
    """VGG19 from given arrays. `layers` holds its layers by name, in order.

    arrays: by the names of ARCHITECTURE.shapes, such as "block1_conv1/kernel". The numbers of
    channels may differ from VGG19's if they are consistent. preprocessing: of the weights. pooling,
    top: as for `vgg19`. classes: the names of the outputs of the top; None means ImageNet's if
    there are 1000. Raise ArgumentError if there is another number of names than of outputs.

    The attribute `classes` has these names, or is None if they are unknown or there is no top.
    """

    def __init__(
        self,
        arrays: dict[str, Array],
        preprocessing: Preprocessing,
        pooling: str = "avg",
        top: bool = False,
        classes: tuple[str, ...] | None = None,
    ) -> None:
        one_of("pooling", pooling, POOLING)
        super().__init__(preprocessing)
        self.layers: dict[str, Any] = {}
        for block, count, _ in BLOCKS:
            for number in range(1, count + 1):
                name = f"block{block}_conv{number}"
                self.layers[name] = convolution(arrays, name, padding=1)
            self.layers[f"block{block}_pool"] = POOLING[pooling](2, stride=2)
        if top:
            for name, _, _ in TOP:
                self.layers[name] = Dense(arrays[f"{name}/kernel"], arrays[f"{name}/bias"])
        self.classes = _names_of_outputs(arrays["predictions/bias"].size, classes) if top else None

    def features(
        self, image: Operand, layers: Iterable[str], after: str | None = None
    ) -> dict[str, Operand]:
        """Return the activations (N, H, W, C) of some layers, by the given names.

        image: (H, W, 3) or (N, H, W, 3), RGB, 0..255. A Tensor gives Tensors, and an array gives
        arrays. layers: names such as "block4_conv2", or as in papers "conv4_2" or "relu4_2", for
        the output of the ReLU; "block4_conv2.pre" for the input of the ReLU; "block4_pool" or
        "pool4"; with a top also "fc1", "fc2" and "predictions". Layers after the deepest of these
        are not computed. after: a layer whose output is given instead of the image; the network
        continues from there. Raise ArgumentError for an unknown layer, and ShapeError for an image
        that is too small for the deepest layer.
        """
        names = list(layers)
        if not isinstance(image, Tensor):
            with no_grad():
                tensors = self.features(Tensor(image), names, after)
                return {name: tensor.data for name, tensor in tensors.items()}
        wanted = {self.canonical(name) for name in names}
        if not wanted:
            return {}
        if after is None:
            self.check_size(image.shape, wanted)
            image = self.preprocess(image)
        activations = {}
        for name, activation in self._activations(image, wanted, after):
            if name in wanted:
                activations[name] = activation
            if len(activations) == len(wanted):
                break
        return {name: activations[self.canonical(name)] for name in names}

    def __call__(self, image: Operand) -> Operand:
        """Return the probabilities (N, len(classes)) of the classes for pictures (N, 224, 224, 3)
        or (224, 224, 3), RGB, 0..255."""
        [logits] = self.features(image, ["predictions"]).values()
        return ops.softmax(logits)

    def _activations(self, x, wanted, after):
        """Yield (name, activation) of every layer in order, including NAME.pre, the input of a
        ReLU, where it is wanted. after: the layer whose output is x, or None for the picture."""
        names = list(self.layers)
        first = 0 if after is None else names.index(after) + 1
        for name in names[first:]:
            layer = self.layers[name]
            if name == "fc1":
                x = x.reshape(x.shape[0], -1)
            if "conv" in name and f"{name}.pre" not in wanted:
                x = rectified(layer, x)
            else:
                x = layer(x)
                if "conv" in name or "fc" in name:
                    yield f"{name}.pre", x
                    x = ops.relu(x)
            yield name, x

    def canonical(self, name: str) -> str:
        """Return Keras' name of a layer: "block4_conv2" for "conv4_2".

        name: a name as `features` accepts it. Raise ArgumentError for an unknown layer.
        """
        paper = re.fullmatch(r"(conv|relu)(\d)_(\d)(\.pre)?|pool(\d)", name)
        known = name
        if paper:
            _, block, number, pre, pool = paper.groups()
            known = f"block{pool}_pool" if pool else f"block{block}_conv{number}{pre or ''}"
        layer, _, stage = known.partition(".")
        has_relu = layer in self.layers and "pool" not in layer and layer != "predictions"
        if layer not in self.layers or (known != layer and not (stage == "pre" and has_relu)):
            own = list(self.layers)
            aliases = [alias for layer in own for alias in ALIASES.get(layer, ())]
            similar = did_you_mean(name, [*own, *aliases], 0.8)
            raise ArgumentError(
                f"VGG19 has no layer {printable(name, 80)!r}; it has {', '.join(own[:3])}, ... "
                f"{own[-1]}, or as in papers {', '.join(aliases[:2])}, ... {aliases[-1]}{similar}"
            )
        return known

    def reach(self, layers: Iterable[str]) -> tuple[int, int]:
        """Return (stride, halo) of the deepest of some convolutions or poolings, in pixels.

        Position o of a layer depends on the pixels from o·stride - halo to (o + 1)·stride + halo,
        without the last, along each axis. A pooling doubles the stride, and a convolution adds its
        stride to the halo. conv4_2 has the stride 8 and the halo 38.
        """
        stride, halo, found = 1, 0, (1, 0)
        wanted = {self.canonical(layer).removesuffix(".pre") for layer in layers}
        for name in ALIASES:
            stride, halo = (2 * stride, halo) if "pool" in name else (stride, halo + stride)
            if name in wanted:
                found = stride, halo
        return found

    def shape_at(self, size: tuple[int, int], layer: str) -> Shape:
        """Return the shape (1, H, W, C) of a convolution or pooling for a picture of a size.

        size: height and width.
        """
        stride, _ = self.reach([layer])
        wanted, names = self.canonical(layer).removesuffix(".pre"), [*ALIASES]
        last = next(name for name in reversed(names[: names.index(wanted) + 1]) if "conv" in name)
        return 1, size[0] // stride, size[1] // stride, self.layers[last].bias.data.size

    def check_size(self, shape: Shape, layers: Iterable[str]) -> None:
        """Raise ShapeError if pictures of this shape, (H, W, 3) or (N, H, W, 3), are too small for
        one of the layers."""
        wanted = {self.canonical(name) for name in layers}
        needed, least, deepest = 1, 1, "any layer"
        for name in self.layers:
            if name.endswith("pool"):
                needed *= 2
            if name in wanted or f"{name}.pre" in wanted:
                least, deepest = needed, name
        if len(shape) < 3:
            return
        size = f"{shape[-2]}x{shape[-3]}"
        if deepest in ("fc1", "fc2", "predictions") and shape[-3:-1] != (224, 224):
            raise ShapeError(f"{deepest} takes pictures of 224x224; found {size}; resize it")
        if min(shape[-3:-1]) < least:
            raise ShapeError(
                f"a picture of {size} is too small for {deepest}, which needs at least {least} "
                "pixels a side; take a larger picture or a shallower layer"
            )


def _names_of_outputs(count, classes):
    if classes is None:
        names = imagenet_classes()
        return names if len(names) == count else None
    if len(classes) != count:
        raise ArgumentError(
            f"there are {len(classes)} names of classes for {count} outputs; wanted one for each"
        )
    return tuple(classes)
