"""VGG19 (Simonyan & Zisserman 2014, configuration E), with Keras' names of the layers.

block1: 2 convolutions of 64 channels, block2: 2 of 128, block3: 4 of 256, block4: 4 of 512, block5:
4 of 512,
each 3x3 with a border of zeros and ReLU; after each block a 2x2 pooling of stride 2, so that block
b works on
1/2^(b-1) of the picture's height and width. Then, for classification, dense layers of 4096, 4096
and 1000.
"""

import re

from minidl import ops
from minidl.autograd import Tensor, no_grad
from minidl.backend import current_device
from minidl.checkpoints import Architecture, Landmark, Preprocessing, load, shipped
from minidl.errors import ArgumentError, ShapeError, did_you_mean, one_of, printable
from minidl.layers import AvgPool, Convolution, Dense, MaxPool
from minidl.layers.activations import rectified
from minidl.models.pretrained import Pretrained

# (block, convolutions in it, channels of each)
BLOCKS = ((1, 2, 64), (2, 2, 128), (3, 4, 256), (4, 4, 512), (5, 4, 512))
TOP = (("fc1", 7 * 7 * 512, 4096), ("fc2", 4096, 4096), ("predictions", 4096, 1000))
POOLING = {"avg": AvgPool, "max": MaxPool}


def _aliases():
    aliases = {}
    for block, count, _ in BLOCKS:
        for number in range(1, count + 1):
            aliases[f"block{block}_conv{number}"] = f"conv{block}_{number}", f"relu{block}_{number}"
        aliases[f"block{block}_pool"] = (f"pool{block}",)
    return aliases


# The layers below the dense ones, in order, and their names in papers: {"block1_conv1": ("conv1_1",
# "relu1_1"), ...}.
ALIASES = _aliases()
LAYER_NAMES = {
    *ALIASES,
    *(alias for aliases in ALIASES.values() for alias in aliases),
    *(name for name, _, _ in TOP),
}


def _shapes():
    shapes, channels = {}, 3
    for block, count, width in BLOCKS:
        for number in range(1, count + 1):
            shapes[f"block{block}_conv{number}/kernel"] = (3, 3, channels, width)
            shapes[f"block{block}_conv{number}/bias"] = (width,)
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
        lineage="caffe",  # the authors' own training, in Caffe
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
)


def vgg19(weights="imagenet", pooling="avg", top=False):
    """VGG19 with weights, frozen, on the current device.

    weights: "imagenet" for the shipped file, or the path of another in minidl's form. pooling:
    "avg" as Gatys et al. use it for painting, "max" as it was trained. top: with the dense layers,
    to classify pictures of 224x224. Raises FileError where the file is missing, damaged, or of
    another network.
    """
    path = shipped("vgg19") if weights == "imagenet" else weights
    checkpoint = load(path, ARCHITECTURE, top=top)
    return (
        VGG19(checkpoint.arrays, checkpoint.preprocessing, pooling, top)
        .freeze()
        .to(current_device())
    )


class VGG19(Pretrained):
    """arrays: "block1_conv1/kernel" -> array and so on, of any number of channels that fit each
    other; preprocessing: what the weights want to see. `layers` holds the layers by name, in
    order."""

    def __init__(self, arrays, preprocessing, pooling="avg", top=False):
        one_of("pooling", pooling, POOLING)
        super().__init__(preprocessing)
        self.layers = {}
        for block, count, _ in BLOCKS:
            for number in range(1, count + 1):
                name = f"block{block}_conv{number}"
                self.layers[name] = Convolution(
                    arrays[f"{name}/kernel"], arrays[f"{name}/bias"], padding=1
                )
            self.layers[f"block{block}_pool"] = POOLING[pooling](2, stride=2)
        if top:
            self.layers |= {
                name: Dense(arrays[f"{name}/kernel"], arrays[f"{name}/bias"]) for name, _, _ in TOP
            }

    def features(self, image, layers):
        """The activations of some layers: {name: (N, H, W, C)}, by the names that were asked for.

        image: (H, W, 3) or (N, H, W, 3), RGB, 0..255. A Tensor gives Tensors, an array arrays.
        layers: "block4_conv2", or the papers' "conv4_2", "relu4_2", each the output of its ReLU;
        "block4_conv2.pre" before it; "block4_pool", "pool4"; dense layers "fc1" ... "predictions"
        where there is a top. Nothing deeper than the deepest is computed. Raises ArgumentError for
        an unknown layer, ShapeError for an image too small for the deepest.
        """
        if not isinstance(image, Tensor):
            with no_grad():
                return {
                    name: tensor.data
                    for name, tensor in self.features(Tensor(image), layers).items()
                }
        wanted = {self.canonical(name) for name in layers}
        found = {}
        self.check_size(image.shape, wanted)
        if not wanted:
            return found
        for name, activation in self._activations(self.preprocess(image), wanted):
            if name in wanted:
                found[name] = activation
            if len(found) == len(wanted):
                break
        return {name: found[self.canonical(name)] for name in layers}

    def __call__(self, image):
        """(N, 224, 224, 3) or (224, 224, 3) -> (N, 1000): the probabilities of ImageNet's
        classes"""
        [logits] = self.features(image, ["predictions"]).values()
        return ops.softmax(logits)

    def _activations(self, x, wanted):
        """(name, activation) of every layer in order; that of a convolution before its ReLU,
        NAME.pre, where it is wanted."""
        for name, layer in self.layers.items():
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

    def canonical(self, name):
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
            raise ArgumentError(
                f"VGG19 has no layer {printable(name, 80)!r}; it has {', '.join(own[:3])}, ... {own[-1]}, or in papers' words "
                f"{', '.join(aliases[:2])}, ... {aliases[-1]}{did_you_mean(name, [*own, *aliases], 0.8)}"
            )
        return known

    def check_size(self, shape, layers):
        """Raise ShapeError where a picture of shape (H, W, 3) or (N, H, W, 3) is too small for one
        of the layers."""
        wanted = {self.canonical(name) for name in layers}
        needed, least, deepest = 1, 1, "any layer"
        for name in self.layers:
            if name.endswith("pool"):
                needed *= 2
            if name in wanted or f"{name}.pre" in wanted:
                least, deepest = needed, name
        if deepest in ("fc1", "fc2", "predictions") and shape[-3:-1] != (224, 224):
            raise ShapeError(
                f"{deepest} takes pictures of 224x224; found {shape[-2]}x{shape[-3]}; resize it"
            )
        if len(shape) >= 3 and min(shape[-3:-1]) < least:
            raise ShapeError(
                f"a picture of {shape[-2]}x{shape[-3]} is too small for {deepest}, which needs at least {least} pixels a side; "
                "take a larger picture or a shallower layer"
            )
