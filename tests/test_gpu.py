"""Networks, losses and commands on a GPU: the same results as on a CPU, without needless transfers.

test_op_table.py tests the ops on a GPU.
"""

import csv
import importlib
from contextlib import nullcontext
from itertools import product

import numpy as np
import pytest

import minidl
from minidl import Tensor, layers, ops, optim
from minidl.backend import device, device_of, read_numbers, to_device, to_numpy
from minidl.checkpoints import Preprocessing
from minidl.cli import main
from minidl.data import read_metadata
from minidl.engine import convolution_relu, strips
from minidl.engine.convolution import winograd_gpu
from minidl.engine.kernels import Kernels, plain_arrays
from minidl.models.vgg19 import BLOCKS, VGG19
from minidl.style_transfer import Objective, Settings, paint, run
from tests.devices import GPUS, at
from tests.strict import HAS_COMPILER, counts, needed

CHANNELS = 16  # channels of each layer: the smallest number that the Winograd kernels accept


@pytest.fixture(params=GPUS)
def gpu(request):
    """The name of the GPU; "strict" is the stand-in."""
    with at(request.param), device("cpu"):
        counts.reset()
        yield request.param


@pytest.fixture
def launches(monkeypatch):
    """The names of the launched kernels, in order."""
    needed(HAS_COMPILER, "g++")
    names, launch = [], Kernels.launch

    def recording_launch(self, name, *arguments):
        names.append(name)
        return launch(self, name, *arguments)

    monkeypatch.setattr(Kernels, "launch", recording_launch)
    return names


def network(dtype=np.float32):
    rng, arrays, channels = np.random.default_rng(0), {}, 3
    for block, count, _ in BLOCKS:
        for number in range(1, count + 1):
            kernel = rng.standard_normal((3, 3, channels, CHANNELS)) * np.sqrt(2 / (9 * channels))
            arrays[f"block{block}_conv{number}/kernel"] = kernel.astype(dtype)
            arrays[f"block{block}_conv{number}/bias"] = rng.standard_normal(CHANNELS).astype(dtype)
            channels = CHANNELS
    preprocessing = Preprocessing("BGR", (104.0, 117.0, 124.0), (1.0, 1.0, 1.0))
    return VGG19(arrays, preprocessing, pooling="max").freeze()


def pictures():
    """Return a content picture and a style picture."""
    shape = (36, 27, 3)
    return [np.random.default_rng(i).uniform(0, 255, shape).astype(np.float32) for i in range(2)]


def near(array, wanted, tolerance=1e-5):
    array, wanted = to_numpy(array), to_numpy(wanted)
    return np.linalg.norm(array - wanted) <= tolerance * np.linalg.norm(wanted)


def all_near(arrays, wanted, tolerance):
    return all(near(*pair, tolerance) for pair in zip(arrays, wanted, strict=True))


def test_the_features_of_vgg19_equal_those_on_the_cpu(gpu):
    picture, names = pictures()[0], ["conv1_1", "conv3_4.pre", "pool4", "conv5_4"]
    wanted = minidl.models.vgg19().features(picture, names)
    with device("gpu"):
        picture_on_gpu = to_device(picture, "gpu")
        features = minidl.models.vgg19().features(picture_on_gpu, names)
    assert device_of(picture_on_gpu) == "gpu"
    for name in names:
        assert device_of(features[name]) == "gpu"
        assert near(features[name], wanted[name])


def test_training_gives_the_same_parameters_as_on_the_cpu(gpu):
    def train():
        rng = np.random.default_rng(0)
        kernel, bias = rng.standard_normal((3, 3, 16, 16)), rng.standard_normal(16)
        convolution = layers.Convolution(kernel, bias, padding=1)
        dense = layers.Dense(rng.standard_normal((16, 4)), rng.standard_normal(4))
        place = minidl.backend.current_device()
        for layer in (convolution, dense):
            layer.to(place)
        x = to_device(rng.standard_normal((2, 6, 5, 16)), place)
        parameters = convolution.parameters() + dense.parameters()
        sgd, adam = optim.SGD(parameters, 1e-3, 0.9), optim.Adam(parameters)
        for optimizer in (sgd, adam, optim.LBFGS(parameters)):
            for _ in range(3):
                hidden = layers.MaxPool(2)(convolution.rectified(x))
                loss = (ops.softmax(dense(ops.mean(hidden, axis=(1, 2)))) ** 2).mean()
                loss.backward()
                optimizer.step(loss)
        return [p.data for p in parameters]

    wanted = train()
    with device("gpu"):
        arrays = train()
    assert all(device_of(array) == "gpu" for array in arrays)
    assert all_near(arrays, wanted, 1e-9)


class NumPyInFloat64:
    """NumPy, with float64 under the name float32."""

    float32 = np.float64

    def __getattr__(self, name):
        return getattr(np, name)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_painting_takes_the_same_steps_as_on_the_cpu(gpu, optimizer, monkeypatch):
    """Compare in float64.

    In float32, rounding may move a maximum or a ReLU across its kink, and then the paths diverge.
    """
    monkeypatch.setattr(run, "np", NumPyInFloat64())
    settings = Settings(size=None, steps=4, start="noise", optimizer=optimizer)
    content, style = pictures()

    def steps(model):
        return list(paint(content, [style], settings, model=model))

    steps_on_cpu = steps(network(np.float64))
    with device("gpu"):
        steps_on_gpu = steps(network(np.float64).to("gpu"))
    for on_gpu, on_cpu in zip(steps_on_gpu, steps_on_cpu, strict=True):
        assert on_gpu.losses.total == pytest.approx(on_cpu.losses.total, rel=1e-9)
        assert on_gpu.losses.layers == pytest.approx(on_cpu.losses.layers, rel=1e-9)
        assert device_of(on_gpu.image) == "gpu" and on_gpu.image.dtype == np.float64
        assert near(on_gpu.image, on_cpu.image, 1e-9)


def test_an_objective_and_its_gradient_transfer_nothing(gpu):
    cupyx = None if gpu == "strict" else importlib.import_module("cupyx")
    allow_synchronize = cupyx.allow_synchronize if cupyx else nullcontext
    content, style = (to_device(picture, "gpu") for picture in pictures())
    with device("gpu"):
        objective = Objective(network().to("gpu"), content, [style], Settings())
        image = Tensor(content * 0.9, requires_grad=True)
        for _ in range(2):  # the first step uploads the means of the preprocessing
            counts.reset()
            with allow_synchronize(False):
                total, parts = objective(image)
                total.backward(release=True)
        assert (counts.reads, counts.uploads, counts.syncs) == (0, 0, 0)
        numbers = read_numbers(total.data, *(part.data for part in parts.values()))
        assert len(numbers) == 1 + len(parts)
        assert counts.reads == (gpu == "strict")


@pytest.mark.parametrize(("optimizer", "reads"), [("lbfgs", 3), ("adam", 1)])
def test_a_step_of_painting_reads_few_numbers(gpu, optimizer, reads):
    if gpu != "strict":
        pytest.skip("a real GPU does not count transfers")
    settings = Settings(size=None, steps=6, optimizer=optimizer)
    content, style = pictures()
    with device("gpu"):
        steps = paint(content, [style], settings, model=network().to("gpu"))
        totals = [(counts.reads, counts.uploads) for _ in steps]
    per_step = np.diff(totals, axis=0)[1:]
    assert (per_step[:, 0] <= reads).all()
    assert not per_step[:, 1].any()
    assert counts.pool_releases == 1


def test_a_step_takes_few_launches(gpu, launches):
    """A launch costs Python some microseconds, in which a GPU may be idle.

    The bound is slightly above the present number, so that an additional launch is noticed.
    """
    content, style = (to_device(picture, "gpu") for picture in pictures())
    with device("gpu"):
        objective = Objective(network().to("gpu"), content, [style], Settings())
        image = Tensor(content, requires_grad=True)
        objective(image)[0].backward()
        counts.reset()
        objective(image)[0].backward(release=True)
    assert counts.launches < 300


def test_frozen_kernels_are_transformed_once(gpu, launches):
    with device("gpu"):
        model, picture = network().to("gpu"), to_device(pictures()[0], "gpu")
        for wanted in (15, 0):
            del launches[:]
            model.features(picture, ["conv5_4"])
            assert launches.count("kernels_at_points") == wanted
        model.freeze(False)
        for _ in range(2):
            del launches[:]
            model.features(picture, ["conv5_4"])
            assert launches.count("kernels_at_points") == 15


def arguments(*shapes, dtype=np.float64):
    rng = np.random.default_rng(0)
    return [to_device(rng.standard_normal(shape).astype(dtype), "gpu") for shape in shapes]


def pooled_convolution(x, w, b):
    """Return y and the gradients of a convolution that is followed by both kinds of pooling."""
    x, w, b = (Tensor(array, requires_grad=True) for array in (x, w, b))
    maxima = ops.max_pool(convolution_relu(x, w, b, padding=1), 2)
    y = ops.avg_pool(maxima, 3, stride=1, padding=1)
    (y * y).sum().backward()
    return [y.data, x.grad, w.grad, b.grad]


def test_large_pictures_are_computed_in_parts(gpu, launches, monkeypatch):
    x, w, b = arguments((2, 13, 21, 16), (3, 3, 16, 17), (17,))
    wanted = pooled_convolution(x, w, b)
    launches_of_whole = launches.count("inputs_at_points")
    monkeypatch.setattr(strips, "GPU_STRIP", 36 * 17 * 5)
    del launches[:]
    assert all_near(pooled_convolution(x, w, b), wanted, 1e-13)
    assert launches.count("inputs_at_points") > 4 * launches_of_whole
    with plain_arrays():
        assert all_near(pooled_convolution(x, w, b), wanted, 1e-13)


@pytest.mark.thorough
def test_indices_of_64_bits_give_the_same_numbers(gpu, monkeypatch):
    inputs = arguments((2, 7, 9, 16), (3, 3, 16, 16), (16,))
    wanted = pooled_convolution(*inputs)
    monkeypatch.setattr(minidl.engine.kernels, "FAR", 0)
    monkeypatch.setattr(minidl.engine.kernels, "BLOCKS", 2)  # each thread computes several numbers
    for array, other in zip(pooled_convolution(*inputs), wanted, strict=True):
        assert np.array_equal(to_numpy(array), to_numpy(other))


def test_other_ranks_run_on_plain_arrays(gpu, launches):
    for shape, kernel in (((1, 9, 16), (3, 16, 16)), ((1, 5, 6, 4, 16), (3, 3, 3, 16, 16))):
        x, w, b = arguments(shape, kernel, kernel[-1:], dtype=np.float64)
        y = ops.convolution(x, w, b, padding=1)
        wanted = ops.convolution(*(to_numpy(a).astype(float) for a in (x, w, b)), padding=1)
        assert near(y, wanted, 1e-12)
    [x] = arguments((1, 2, 3, 3, 2, 2))
    assert near(ops.max_pool(x, 2), ops.max_pool(to_numpy(x), 2))
    assert not launches


def test_float16_runs_on_the_kernels_of_float32(gpu, launches):
    x, w, b = arguments((1, 6, 7, 16), (3, 3, 16, 16), (16,), dtype=np.float16)
    y = ops.convolution(x, w, b, padding=1)
    wanted = ops.convolution(*(to_numpy(a).astype(float) for a in (x, w, b)), padding=1)
    assert y.dtype == np.float16
    assert near(to_numpy(y).astype(float), wanted, 2e-3)
    assert launches


def test_a_nan_is_seen(gpu, launches):
    """One NaN of the input makes the whole tile NaN, which is the whole output here."""
    x, w, b = (to_numpy(array) for array in arguments((1, 4, 4, 16), (3, 3, 16, 16), (16,)))
    x[0, 1, 1, 0] = np.nan
    y = convolution_relu(*(to_device(array, "gpu") for array in (x, w, b)), padding=1)
    assert launches
    assert np.isnan(to_numpy(y)).all()


@pytest.mark.parametrize("window", [1, 2, 3])
def test_pooling_of_every_small_geometry(gpu, launches, window):
    """Pool numbers with ties among themselves and with the padding, with infinities and NaN."""
    numbers = np.array([2, -np.inf, 2, np.nan, 2, -np.inf, -np.inf, 1], float)
    ties = np.array([0, 0, -np.inf, -np.inf, -np.inf, 1, 1], float)
    cases = (
        (ops.max_pool, numbers, {}),
        (ops.max_pool, ties, {}),
        (ops.avg_pool, ties + 1, {}),
        (ops.avg_pool, np.arange(8.0), {"count_padding": False}),
        (ops.avg_pool, np.arange(8.0), {"count_padding": True}),
    )
    for length, stride, padding, ceil in product(range(1, 8), (1, 2, 3), (0, 1), (False, True)):
        if 2 * padding > window or length + 2 * padding < window:
            continue
        geometry = {"stride": stride, "padding": padding, "ceil": ceil}
        for op, row, option in cases:
            x, options = row[:length].reshape(1, -1, 1), geometry | option
            try:
                wanted = value_and_gradient(op, x, window, options)
            except minidl.errors.ShapeError:
                continue
            y, dx = value_and_gradient(op, to_device(x, "gpu"), window, options)
            np.testing.assert_array_equal(y, wanted[0])
            np.testing.assert_array_equal(dx, wanted[1])
    assert {"max_pool", "max_pool_dx", "avg_pool", "avg_pool_dx"} == {*launches}


def value_and_gradient(op, x, window, options):
    x = Tensor(x, requires_grad=True)
    y = op(x, window, **options)
    y.backward(to_device(np.arange(1.0, 1 + y.data.size).reshape(y.shape), x.device))
    return to_numpy(y.data), to_numpy(x.grad)


@pytest.mark.parametrize("large", range(3))
def test_any_large_array_selects_indices_of_64_bits(gpu, launches, monkeypatch, large):
    assert minidl.engine.kernels.FAR <= 2**30
    calls, options_for = [], minidl.engine.kernels.options_for

    def recording_options(dtype, far):
        calls.append((dtype, far))
        return options_for(dtype, far)

    monkeypatch.setattr(minidl.engine.kernels, "options_for", recording_options)
    monkeypatch.setattr(minidl.engine.kernels, "FAR", 200)
    kernels = Kernels(winograd_gpu.KERNELS.path)
    shapes = [(1, 1, 1, 1), (16,), (36, 1, 1)]
    arrays = arguments(*shapes)
    arrays[large] = arguments((400, *shapes[large][1:]))[0]
    tiling = winograd_gpu._tiling(range(1), 1, 1, 1, 1, 1, 0, 0)
    kernels.launch("inputs_at_points", 1, *arrays, tiling)
    assert [far for _, far in calls] == [True]


# ---- commands ------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_stylize(gpu, tmp_path, capsys):
    painting, log = tmp_path / "painted.png", tmp_path / "losses.csv"
    command = ["stylize", "--size", "32", "--steps", "3", "-o", str(painting), "--log", str(log)]
    totals = []
    for options in ([], ["--device", "gpu"], ["--device", "auto", "--tf32"]):
        assert main([*command, *options]) == 0
        with log.open(newline="") as file:
            totals.append([float(row["total"]) for row in csv.DictReader(file)])
    output = capsys.readouterr().out
    assert "on the CPU in float32" in output
    assert "on the GPU in float32" in output
    assert "on the GPU in tf32" in output
    # After the first step the gradients, and so the losses, differ by a few thousandths, because
    # rounding moves some ReLUs across their kink.
    assert totals[1][0] == pytest.approx(totals[0][0], rel=1e-4)
    assert totals[1] == pytest.approx(totals[0], rel=1e-2)
    record = read_metadata(painting)
    assert (record["device"], record["arithmetic"]) == ("gpu", "tf32")


def test_gradcheck(gpu, capsys):
    assert main(["gradcheck", "--device", "gpu", "--cases", "2"]) == 0
    assert "gradients proven" in capsys.readouterr().out


def test_info(gpu, capsys):
    assert main(["info"]) == 0
    output = capsys.readouterr().out
    assert "choose it with --device gpu" in output
    if gpu == "strict":
        properties = "8 GiB, compute capability 9.0, CUDA 12.9 (the driver knows 12.9)"
        assert f"a stand-in for a GPU, {properties}" in output


@pytest.mark.parametrize(
    "options", [pytest.param([], marks=pytest.mark.thorough), ["--size", "32", "--steps", "2"]]
)
def test_parity(gpu, options, capsys):
    assert main(["parity", *options]) == 0
    output = capsys.readouterr().out
    assert "block5_conv4" in output
    assert "step 2, picture" in output
    assert "MORE" not in output


@pytest.mark.thorough
def test_parity_finds_a_wrong_kernel(gpu, launches, capsys, monkeypatch):
    right, wrong = "4 * d0 - 5 * d2 + d4", "4 * d0 - Real(5.01) * d2 + d4"
    text = winograd_gpu.KERNELS.source
    assert right in text

    class Wrong(Kernels):
        source = text.replace(right, wrong)

    monkeypatch.setattr(winograd_gpu, "KERNELS", Wrong(winograd_gpu.KERNELS.path))
    assert main(["parity", "--size", "32", "--steps", "1"]) == 1
    assert "MORE THAN ROUNDING" in capsys.readouterr().out
    assert launches


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--size", "8"], "too small for block5_conv4"), (["--steps", "0"], "wanted at least 1 each")],
)
def test_parity_refuses_invalid_options(gpu, options, message, capsys):
    assert main(["parity", *options]) == 2
    assert message in capsys.readouterr().err
