"""One training step, forward and backward, of layers and losses: upsampling, padding, adaptive
pooling, transposed convolution, normalization, embedding, activations, regression, classification.
"""

from functools import partial
from math import prod

import numpy as np

from benchmarks import twins
from benchmarks.cases import Case, normals
from minidl import layers, losses
from minidl.autograd import Tensor, plain

SHAPES = "transposed convolution, upsampling, padding, pooling"
NORMALIZATIONS, ACTIVATIONS = "normalization and embedding", "activations"
LOSSES = "losses of regression and classification"
GROUPS = SHAPES, NORMALIZATIONS, ACTIVATIONS, LOSSES
BATCH, PICTURE = (16, 32, 32, 64), (1, 256, 256, 64)
PADDINGS = {"reflect": "Reflection", "replicate": "Replication", "circular": "Circular"}


def cases(quick):
    """Return the Cases of all layers and losses. quick: of small arrays."""
    batch, picture = ((2, 8, 8, 16), (1, 16, 16, 16)) if quick else (BATCH, PICTURE)
    return [
        *_shapes(batch),
        *(case for shape in (batch, picture) for case in _normalizations(shape)),
        *_rows(quick),
        *_activations(batch),
        *_losses(quick),
    ]


def _shapes(shape):
    for taps, padding in ((2, 0), (4, 1)):
        yield _transposed_convolution(taps, padding, shape)
    for method, mode in (("nearest", "nearest"), ("linear", "bilinear")):
        yield _layer(
            f"upsampling x2, {mode}", SHAPES, shape, partial(layers.Upsample, 2, method=method),
            lambda nn, mode=mode: nn.Upsample(scale_factor=2, mode=mode),
        )  # fmt: skip
    for mode, name in PADDINGS.items():
        yield _layer(
            f"padding 1, {mode}", SHAPES, shape, partial(layers.Pad, 1, mode),
            lambda nn, name=name: getattr(nn, f"{name}Pad2d")(1),
        )  # fmt: skip
    for kind, name in (("average", "Avg"), ("maximum", "Max")):
        pool, adaptive = (getattr(layers, f"{of}{name}Pool") for of in ("Global", "Adaptive"))
        yield _layer(
            f"global {kind}", SHAPES, shape, partial(pool, keepdims=True),
            lambda nn, name=name: getattr(nn, f"Adaptive{name}Pool2d")(1),
        )  # fmt: skip
        yield _layer(
            f"adaptive {kind} to 7x7", SHAPES, shape, partial(adaptive, 7),
            lambda nn, name=name: getattr(nn, f"Adaptive{name}Pool2d")(7),
        )  # fmt: skip


def _transposed_convolution(taps, padding, shape):
    inputs, outputs = shape[-1], shape[-1] // 2

    def layer():
        rng, size = np.random.default_rng(0), (taps, taps)
        return layers.TransposedConvolution.new(
            rng, size, inputs, outputs, stride=2, padding=padding
        )

    def module(nn):
        return nn.ConvTranspose2d(inputs, outputs, taps, 2, padding)

    name, products = f"transposed {taps}x{taps}, stride 2", prod(shape) * outputs * taps**2
    return _layer(name, SHAPES, shape, layer, module, multiply_adds=3 * products)


def _normalizations(shape):
    channels = shape[-1]
    norms = {
        "group norm, 8 groups": (
            partial(layers.GroupNorm, channels, groups=8), lambda nn: nn.GroupNorm(8, channels)
        ),
        "instance norm": (
            partial(layers.InstanceNorm, channels), lambda nn: nn.InstanceNorm2d(channels)
        ),
        "instance norm, affine": (
            partial(layers.InstanceNorm, channels, affine=True),
            lambda nn: nn.InstanceNorm2d(channels, affine=True),
        ),
        "batch norm": (
            partial(layers.BatchNorm, channels), lambda nn: nn.BatchNorm2d(channels)
        ),
        "local response norm, size 5": (
            partial(layers.LocalResponseNorm, 5), lambda nn: nn.LocalResponseNorm(5)
        ),
    }  # fmt: skip
    return [_layer(name, NORMALIZATIONS, shape, *makers) for name, makers in norms.items()]


def _rows(quick):
    """Layers of rows: their axes stay in their order in PyTorch."""
    shape = (4, 8, 32) if quick else (64, 128, 256)
    count, length, indices = (50, 8, 30) if quick else (10_000, 128, 4096)
    normalization = _layer(
        "layer norm", NORMALIZATIONS, shape, partial(layers.LayerNorm, shape[-1]),
        lambda nn: nn.LayerNorm(shape[-1]), moves=False,
    )  # fmt: skip
    embedding = _layer(
        f"embedding, {indices} of {count} vectors of {length}", NORMALIZATIONS, (),
        lambda: layers.Embedding.new(np.random.default_rng(0), count, length),
        lambda nn: nn.Embedding(count, length), moves=False,
        arrays=lambda: {"indices": np.random.default_rng(0).integers(0, count, indices)},
    )  # fmt: skip
    return normalization, embedding


def _activations(shape):
    activations = {
        "GELU": (layers.GELU, lambda nn: nn.GELU()),
        "GELU by tanh": (partial(layers.GELU, "tanh"), lambda nn: nn.GELU("tanh")),
        "SiLU": (layers.SiLU, lambda nn: nn.SiLU()),
        "ELU": (layers.ELU, lambda nn: nn.ELU()),
        "softplus": (layers.Softplus, lambda nn: nn.Softplus()),
        "PReLU": (partial(layers.PReLU, shape[-1]), lambda nn: nn.PReLU(shape[-1])),
        "tanh": (layers.Tanh, lambda nn: nn.Tanh()),
        "sigmoid": (layers.Sigmoid, lambda nn: nn.Sigmoid()),
        "softmax": (layers.Softmax, lambda nn: nn.Softmax(dim=1)),
    }
    return [_layer(name, ACTIVATIONS, shape, *makers) for name, makers in activations.items()]


def _losses(quick):
    shape = (2, 8, 8, 3) if quick else (16, 256, 256, 3)
    rows, classes = (20, 10) if quick else (4096, 1000)
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, rows)
    weights = rng.uniform(0.5, 2, classes).astype(np.float32)
    probabilities = rng.dirichlet(np.ones(classes), rows).astype(np.float32)
    of_shapes = partial(normals, {"x": shape, "targets": shape})

    def of_labels(**others):
        return {**normals({"x": (rows, classes)}), **others}

    def weighted(x, labels, weights):
        return losses.softmax_cross_entropy(x, labels, weights=weights, ignore=0)

    regressions = {
        "mean squared error": (losses.mse_loss, lambda F: F.mse_loss),
        "mean absolute error": (losses.l1_loss, lambda F: F.l1_loss),
        "Huber's loss": (losses.huber_loss, lambda F: F.huber_loss),
    }
    entropies = {
        "cross-entropy": (losses.softmax_cross_entropy, lambda F: F.cross_entropy, {}),
        "cross-entropy, smoothed": (
            partial(losses.softmax_cross_entropy, smoothing=0.1),
            lambda F: partial(F.cross_entropy, label_smoothing=0.1), {},
        ),
        "cross-entropy, weighted": (
            weighted,
            lambda F: lambda x, y, weights: F.cross_entropy(x, y, weights, ignore_index=0),
            {"weights": weights},
        ),
    }  # fmt: skip
    for name, (ours, theirs) in regressions.items():
        yield _loss(f"{name}, {'x'.join(map(str, shape))}", ours, theirs, of_shapes)
    for name, (ours, theirs, others) in entropies.items():
        arrays = partial(of_labels, labels=labels, **others)
        yield _loss(f"{name}, {rows}x{classes}", ours, theirs, arrays)
    yield _loss(
        f"cross-entropy with probabilities, {rows}x{classes}",
        losses.softmax_cross_entropy, lambda F: F.cross_entropy,
        partial(of_labels, probabilities=probabilities),
    )  # fmt: skip


def _layer(name, group, shape, layer, module, *, moves=True, multiply_adds=None, arrays=None):
    """Return the Case of a layer.

    layer() makes it, and module(torch.nn) makes PyTorch's. moves: whether that takes the channels
    first. arrays(): the inputs, by default normal numbers of the shape.
    """
    if len(shape) == 4:
        n, height, width, channels = shape
        name += f", {channels} channels at {height}x{width}" + (f", batch {n}" if n > 1 else "")
    elif shape:
        name += f", {'x'.join(map(str, shape))}"

    def ours(arrays):
        made = layer()
        return {"step": _step_of(made, made.parameters(), arrays)}

    def theirs(layout, arrays, device):
        made = twins.module(module, layer().parameters(), device)
        function = twins.of_channels_last(made) if moves else made
        return {"step": twins.step(function, made.parameters(), layout, arrays, device, moves)}

    arrays = arrays or partial(normals, {"x": shape})
    return Case(name, group, multiply_adds, arrays, ours, theirs)


def _loss(name, loss, twin, arrays):
    """Return the Case of a loss. twin(torch.nn.functional) returns PyTorch's."""

    def ours(arrays):
        return {"step": _step_of(loss, [], arrays)}

    def theirs(layout, arrays, device):
        function = twin(twins.pytorch().nn.functional)
        return {"step": twins.step(function, [], layout, arrays, device, moves=False)}

    return Case(name, LOSSES, None, arrays, ours, theirs)


def _step_of(function, parameters, arrays):
    """Return the call of a training step of function(x, *others).

    Its result is [y, the gradients of x and of the parameters]; integers have none. dy is y²,
    because a normalization has dx = 0 for dy = y.
    """
    y = plain(function(*arrays.values()))
    return partial(_step, function, parameters, y * y, *arrays.values())


def _step(function, parameters, dy, x, *others):
    x = Tensor(x, requires_grad=x.dtype.kind == "f")
    y = function(x, *others)
    y.backward(dy, release=True)
    leaves = [leaf for leaf in (x, *parameters) if leaf.requires_grad]
    return [y.data, *(leaf.grad for leaf in leaves)]
