"""Every error is a MinidlError, and one sentence: what was found, what was expected, what to do."""

import numpy as np
import pytest

import minidl
from minidl import Tensor, data, engine, errors, layers, losses, ops
from minidl.errors import ArgumentError, MinidlError, ShapeError, brief, one_of
from minidl.shapes import windows_over

x, w = np.ones((1, 6, 6, 2)), np.ones((3, 3, 2, 4))
features = np.ones((1, 2, 3, 4))


def test_every_error_is_a_minidl_error():
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    own = [kind for kind in classes if kind.__module__ == errors.__name__]
    assert len(own) >= 7 and all(issubclass(kind, MinidlError) for kind in own)


def test_errors_are_subclasses_of_python_s_errors():
    assert issubclass(errors.ShapeError, ValueError)
    assert issubclass(errors.FileError, OSError)
    assert issubclass(errors.DeviceError, RuntimeError)
    assert issubclass(errors.NonFiniteError, ArithmeticError)


@pytest.mark.parametrize("value", ["c", None, []])
def test_one_of_lists_the_words(value):
    assert one_of("letter", "a", {"a": 1, "b": 2}) == "a"
    with pytest.raises(ArgumentError) as caught:
        one_of("letter", value, {"a": 1, "b": 2})
    assert str(caught.value) == f"letter is {value!r}; wanted one of 'a', 'b'"


def test_one_of_proposes_the_most_similar_word():
    with pytest.raises(
        ArgumentError,
        match=r"pooling is 'Average'; wanted one of 'average', 'max'; did you mean 'average'\?",
    ):
        one_of("pooling", "Average", ["average", "max"])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("adam", "'adam'"),
        (None, "None"),
        ([1, 2], "[1, 2]"),
        (np.float32(2), repr(np.float32(2))),
        (np.zeros((3, 4)), "ndarray of shape (3, 4)"),
        (Tensor(np.zeros((3, 4))), "Tensor of shape (3, 4)"),
        ([0] * 10**6, "list of length 1000000"),
        ("x" * 10**6, "'" + "x" * 79 + " ..."),
        ([np.zeros(3)], "[array([0., 0., 0.])]"),
        ([1 << 10**5], "list with a very long number"),
    ],
)
def test_brief(value, words):
    assert brief(value) == words


LONG = np.zeros((30, 40))


def forced(algorithm):
    with engine.using(convolution=algorithm):
        return ops.convolution(x, w)


@pytest.mark.parametrize(
    "call",
    [
        lambda: ops.max_pool(x, LONG),
        lambda: ops.convolution(x, w, padding=LONG),
        lambda: forced(LONG),
        lambda: ops.pad(x, LONG),
        lambda: losses.style_loss(features, features, LONG),
        lambda: data.fit(3, 4, LONG),
        lambda: data.Batches((x,), LONG, seed=0),
        lambda: data.picture_folder(".", LONG),
        lambda: minidl.device(LONG),
    ],
)
def test_messages_do_not_contain_arrays(call):
    with pytest.raises(MinidlError) as caught:
        call()
    assert len(str(caught.value)) < 300
    assert "0., 0." not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: ops.max_pool(x, 0),
            "window is 0; wanted an int of at least 1, or 2 of them, one per spatial axis",
        ),
        (
            lambda: forced("fft"),
            "convolution is 'fft'; wanted one of 'auto', 'im2col', 'runs', 'winograd', "
            "'winograd_runs', 'depthwise'",
        ),
        (
            lambda: ops.convolution(x, w, np.ones(3)),
            "the bias has shape (3,); wanted (4,), one number for each output of w (3, 3, 2, 4)",
        ),
        (
            lambda: ops.convolution(x, w, groups=2),
            "x has 2 channels, w has 2 inputs and 4 outputs, groups is 2; wanted channels of x = "
            "inputs of w x groups, and outputs a multiple of groups, not 0",
        ),
        (
            lambda: windows_over((2, 6), 3),
            "a window that reaches over 3x3 does not fit an input of 2x6 with padding 0+0 and 0+0; "
            "enlarge the input, or use a smaller window or dilation, or more padding",
        ),
        (
            lambda: windows_over((6,), 3, padding="SAME"),
            "padding is 'SAME'; wanted an int of at least 0, one for each of 1 spatial axes, a "
            "(before, after) pair for each, 'same' or 'valid'",
        ),
        (
            lambda: ops.matmul(np.ones((2, 3)), np.ones((2, 3))),
            "matmul of (2, 3) and (2, 3): the first must have as many columns (last axis) as "
            "the second has rows (last axis but one)",
        ),
        (
            lambda: ops.add(np.ones(2), np.ones(3)),
            "shapes (2,) and (3,) do not broadcast; from the last axis on, lengths must be equal "
            "or 1",
        ),
        (
            lambda: losses.content_loss(features, features[:, :1]),
            "content_loss of features (1, 2, 3, 4) and (1, 1, 3, 4); wanted the same shape "
            "(N, H, W, C) twice, without a 0",
        ),
        (
            lambda: losses.style_loss(features, np.ones((1, 3, 3))),
            "style_loss of features (1, 2, 3, 4) and style (1, 3, 3); wanted features (1, H, W, 4) "
            'or their Gram matrix gram_matrix(features, "positions") (1, 4, 4)',
        ),
    ],
)
def test_messages(call, sentence):
    with pytest.raises(MinidlError) as caught:
        call()
    assert str(caught.value) == sentence


REFUSED = {
    "array as stride": lambda: ops.convolution(x, w, stride=np.array([1, 1])),
    "array as window": lambda: ops.max_pool(x, np.array([2, 2])),
    "array as padding": lambda: ops.convolution(x, w, padding=np.array([[1, 1], [0, 0]])),
    "stride True": lambda: ops.convolution(x, w, stride=True),
    "stride 1.5": lambda: ops.convolution(x, w, stride=1.5),
    "negative padding": lambda: ops.max_pool(x, 2, padding=-1),
    "padding of three": lambda: ops.convolution(x, w, padding=((1, 2, 3), 0)),
    "groups 0": lambda: ops.convolution(x, w, groups=0),
    "groups True": lambda: ops.convolution(x, w, groups=True),
    "algorithm as a list": lambda: forced([]),
    "kernel of other channels": lambda: ops.transposed_convolution(x, w),
    "output padding of a whole stride": lambda: ops.transposed_convolution(
        x, w.mT, stride=2, output_padding=2
    ),
    "output padding and same": lambda: ops.transposed_convolution(
        x, w.mT, stride=2, output_padding=1, padding="same"
    ),
    "nothing left": lambda: ops.transposed_convolution(x, w.mT, padding=4),
    "bias of a transposed convolution": lambda: ops.transposed_convolution(x, w.mT, np.ones(2)),
    "bias as a number": lambda: ops.convolution(x, w, 0.5),
    "no channels": lambda: ops.convolution(x[..., :0], w[:, :, :0]),
    "x of another rank": lambda: ops.convolution(x[0], w),
    "pixels as bytes": lambda: ops.convolution(x.astype(np.uint8), w),
    "max of bytes": lambda: ops.max_pool(x.astype(np.uint8), 2),
    "mean of integers": lambda: ops.avg_pool(x.astype(int), 2),
    "a window in the padding alone": lambda: ops.max_pool(x, 2, padding=2),
    "no bins": lambda: ops.adaptive_avg_pool(x, 0),
    "bins of another rank": lambda: ops.adaptive_max_pool(x, (2, 2, 2)),
    "maxima of bytes": lambda: ops.adaptive_max_pool(x.astype(np.uint8), 2),
    "global mean of no positions": lambda: layers.GlobalAvgPool()(x[:, 0, 0]),
    "neither factor nor size": lambda: ops.upsample(x),
    "factor and size": lambda: ops.upsample(x, 2, size=4),
    "factor that leaves nothing": lambda: ops.upsample(x, 0.01),
    "factor of another rank": lambda: ops.upsample(x, (2, 2, 2)),
    "factor that is no number": lambda: ops.upsample(x, "2"),
    "factor nan": lambda: ops.upsample(x, float("nan")),
    "unknown upsampling": lambda: ops.upsample(x, 2, method="bilinear"),
    "aligned corners of nearest": lambda: ops.upsample(x, 2, align_corners=True),
    "upsampling of bytes": lambda: ops.upsample(x.astype(np.uint8), 2),
    "batches that do not fit": lambda: ops.matmul(np.ones((2, 2, 2)), np.ones((3, 2, 2))),
    "matmul with a number": lambda: ops.matmul(np.ones((2, 2)), 2.0),
    "power of shapes that do not fit": lambda: ops.power(np.ones(3), np.ones(2)),
    "axis out of range": lambda: ops.sum(x, 4),
    "axis twice": lambda: ops.mean(x, (0, -4)),
    "axis 1.5": lambda: ops.sum(x, 1.5),
    "softmax along no axis": lambda: ops.softmax(x, 7),
    "max of nothing": lambda: ops.max(np.ones((2, 0)), 1),
    "reshape to another size": lambda: ops.reshape(x, (5,)),
    "transpose with an axis twice": lambda: ops.transpose(x, (0, 0, 1, 2)),
    "concatenate nothing": lambda: ops.concatenate([]),
    "concatenate what does not fit": lambda: ops.concatenate([np.ones((2, 3)), np.ones((2, 2))]),
    "index out of range": lambda: ops.index(x, 5),
    "negative border": lambda: ops.pad(np.ones(3), [(-1, 0)]),
    "border as a number": lambda: ops.pad(np.ones(3), 1),
    "unknown padding": lambda: ops.pad(np.ones(3), [(1, 1)], mode="symmetric"),
    "mirror image of all": lambda: ops.pad(np.ones(3), [(3, 0)], mode="reflect"),
    "more than once around": lambda: ops.pad(np.ones(3), [(0, 4)], mode="circular"),
    "copies of nothing": lambda: ops.pad(np.ones((0, 2)), [(1, 0), (0, 0)], mode="replicate"),
    "a value of a mirror image": lambda: ops.pad(np.ones(3), [(1, 1)], 2.0, "reflect"),
    "a layer of same padding": lambda: layers.Pad("same"),
    "unknown padding of a layer": lambda: layers.Convolution(w, padding_mode="constant"),
    "broadcast that does not fit": lambda: ops.broadcast_to(np.ones(3), (2,)),
    "features without batch": lambda: losses.gram_matrix(features[0]),
    "features as a list": lambda: losses.gram_matrix([1.0]),
    "features without positions": lambda: losses.style_loss(features[:, :0], features),
    "unknown normalization": lambda: losses.style_loss(features, features, "mine"),
    "style of other channels": lambda: losses.style_loss(features, np.ones((1, 2, 2, 3))),
    "a picture of bytes": lambda: losses.total_variation(np.ones((3, 3, 3), np.uint8)),
    "a picture of one row": lambda: losses.total_variation(np.ones((1, 3, 3))),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED.keys())
def test_invalid_arguments_are_refused(call):
    with pytest.raises(MinidlError, match=r"\w+.*(; wanted|: |; from|; give|; use|; move|; leave)"):
        call()


def test_numpy_integers_are_accepted():
    two = np.int64(2)
    assert ops.max_pool(x, two, stride=two).shape == (1, 3, 3, 2)
    y = ops.convolution(x, np.ones((3, 3, 1, 4)), groups=two, padding=((two, 0), (0, two)))
    assert y.shape == (1, 6, 6, 4)


def test_shapes_that_do_not_match_raise_shape_error():
    with pytest.raises(ShapeError):
        ops.add(np.ones(2), np.ones(3))
