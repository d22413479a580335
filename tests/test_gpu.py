"""What minidl does on a GPU: whole networks, losses and commands, beside what they do on the CPU;
and what it does not do there, above all wait. The ops are in test_op_table.py."""

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
from minidl.style_transfer import Objective, Settings, paint, painting
from tests.devices import GPUS, at
from tests.strict import HAS_COMPILER, counts, needed

CHANNELS = 16  # of each layer: the least that winograd's kernels take


@pytest.fixture(params=GPUS)
def gpu(request):
    """The name of the GPU that is there."""
    with at(request.param), device("cpu"):
        counts.reset()
        yield request.param


@pytest.fixture
def launches(monkeypatch):
    """The names of the kernels that are launched."""
    needed(HAS_COMPILER, "g++")
    names, launch = [], Kernels.launch
    monkeypatch.setattr(
        Kernels, "launch", lambda self, name, *rest: names.append(name) or launch(self, name, *rest)
    )
    return names


def network(dtype=np.float32):
    rng, arrays, channels = np.random.default_rng(0), {}, 3
    for block, count, _ in BLOCKS:
        for number in range(1, count + 1):
            kernel = rng.standard_normal((3, 3, channels, CHANNELS)) * np.sqrt(2 / (9 * channels))
            arrays[f"block{block}_conv{number}/kernel"] = kernel.astype(dtype)
            arrays[f"block{block}_conv{number}/bias"] = rng.standard_normal(CHANNELS).astype(dtype)
            channels = CHANNELS
    return VGG19(
        arrays, Preprocessing("BGR", (104.0, 117.0, 124.0), (1.0, 1.0, 1.0)), pooling="max"
    ).freeze()


def pictures():
    return [
        np.random.default_rng(i).uniform(0, 255, (36, 27, 3)).astype(np.float32) for i in range(2)
    ]


def near(ours, wanted, tolerance=1e-5):
    ours, wanted = to_numpy(ours), to_numpy(wanted)
    return np.linalg.norm(ours - wanted) <= tolerance * np.linalg.norm(wanted)


def test_vgg19_sees_the_same(gpu):
    picture, names = pictures()[0], ["conv1_1", "conv3_4.pre", "pool4", "conv5_4"]
    wanted = minidl.models.vgg19().features(picture, names)
    with device("gpu"):
        found = minidl.models.vgg19().features(picture_on_gpu := to_device(picture, "gpu"), names)
    assert device_of(picture_on_gpu) == "gpu"
    for name in names:
        assert device_of(found[name]) == "gpu"
        assert near(found[name], wanted[name])


def test_a_network_learns_the_same(gpu):
    def learn():
        rng = np.random.default_rng(0)
        convolution = layers.Convolution(
            rng.standard_normal((3, 3, 16, 16)), rng.standard_normal(16), padding=1
        )
        dense = layers.Dense(rng.standard_normal((16, 4)), rng.standard_normal(4))
        for layer in (convolution, dense):
            layer.to(minidl.backend.current_device())
        x = to_device(rng.standard_normal((2, 6, 5, 16)), minidl.backend.current_device())
        parameters = convolution.parameters() + dense.parameters()
        for optimizer in (
            optim.SGD(parameters, 1e-3, 0.9),
            optim.Adam(parameters),
            optim.LBFGS(parameters),
        ):
            for _ in range(3):
                hidden = layers.MaxPool(2)(convolution.rectified(x))
                loss = (ops.softmax(dense(ops.mean(hidden, axis=(1, 2)))) ** 2).mean()
                loss.backward()
                optimizer.step(loss)
        return [p.data for p in parameters]

    wanted = learn()
    with device("gpu"):
        found = learn()
    assert all(device_of(array) == "gpu" for array in found)
    assert all(near(*pair, tolerance=1e-9) for pair in zip(found, wanted, strict=True))


class InFloat64:
    """NumPy, with float64 in the place of float32"""

    float32 = np.float64

    def __getattr__(self, name):
        return getattr(np, name)


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_painting_takes_the_same_steps(gpu, optimizer, monkeypatch):
    """In float64: in float32 a maximum or a ReLU within rounding of its kink may fall on either
    side,
    and the next steps go another way."""
    monkeypatch.setattr(painting, "np", InFloat64())
    settings = Settings(size=None, steps=4, start="noise", optimizer=optimizer)

    def steps(model):
        return [(step.losses, step.image) for step in paint(*painted_with(), settings, model=model)]

    wanted = steps(network(np.float64))
    with device("gpu"):
        found = steps(network(np.float64).to("gpu"))
    for (ours, image), (theirs, theirs_image) in zip(found, wanted, strict=True):
        assert ours.total == pytest.approx(theirs.total, rel=1e-9)
        assert ours.layers == pytest.approx(theirs.layers, rel=1e-9)
        assert device_of(image) == "gpu" and image.dtype == np.float64
        assert near(image, theirs_image, 1e-9)


def painted_with():
    content, style = pictures()
    return content, [style]


def test_nothing_is_fetched_or_sent_within_a_step(gpu):
    content, style = (to_device(picture, "gpu") for picture in pictures())
    with device("gpu"):
        objective = Objective(network().to("gpu"), content, [style], Settings())
        image = Tensor(content * 0.9, requires_grad=True)
        for _ in range(2):  # at the first step the picture's means are sent
            counts.reset()
            with (
                nullcontext()
                if gpu == "strict"
                else importlib.import_module("cupyx").allow_synchronize(False)
            ):
                total, parts = objective(image)
                total.backward(release=True)
        assert (counts.reads, counts.uploads, counts.syncs) == (0, 0, 0)
        numbers = read_numbers(total.data, *(part.data for part in parts.values()))
        assert len(numbers) == 1 + len(parts)
        assert counts.reads == (gpu == "strict")


@pytest.mark.parametrize(("optimizer", "reads"), [("lbfgs", 3), ("adam", 1)])
def test_a_step_reads_little(gpu, optimizer, reads):
    if gpu != "strict":
        pytest.skip("a GPU does not count what is read")
    settings = Settings(size=None, steps=6, optimizer=optimizer)
    with device("gpu"):
        at_each = [
            (counts.reads, counts.uploads)
            for _ in paint(*painted_with(), settings, model=network().to("gpu"))
        ]
    steps = np.diff(at_each, axis=0)[1:]
    assert (steps[:, 0] <= reads).all()
    assert not steps[:, 1].any()
    assert counts.pool_releases == 1


def test_few_launches_make_a_step(gpu, launches):
    """Each takes Python some microseconds, in which a GPU may have nothing to do. The number is
    what there are, with room for a few: a new one is to be noticed."""
    content, style = (to_device(picture, "gpu") for picture in pictures())
    with device("gpu"):
        objective, image = (
            Objective(network().to("gpu"), content, [style], Settings()),
            Tensor(content, requires_grad=True),
        )
        objective(image)[0].backward()
        counts.reset()
        objective(image)[0].backward(release=True)
    assert counts.launches < 300


def test_kernels_of_frozen_weights_are_mapped_once(gpu, launches):
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


def all_maps(x, w, b):
    x, w, b = (Tensor(array, requires_grad=True) for array in (x, w, b))
    y = ops.avg_pool(ops.max_pool(convolution_relu(x, w, b, padding=1), 2), 3, stride=1, padding=1)
    (y * y).sum().backward()
    return [y.data, x.grad, w.grad, b.grad]


def test_large_pictures_are_worked_off_in_parts(gpu, launches, monkeypatch):
    x, w, b = arguments((2, 13, 21, 16), (3, 3, 16, 17), (17,))
    wanted = all_maps(x, w, b)
    few = launches.count("inputs_at_points")
    monkeypatch.setattr(strips, "GPU_STRIP", 36 * 17 * 5)
    del launches[:]
    assert all(near(*pair, tolerance=1e-13) for pair in zip(all_maps(x, w, b), wanted, strict=True))
    assert launches.count("inputs_at_points") > 4 * few
    with plain_arrays():
        assert all(
            near(*pair, tolerance=1e-13) for pair in zip(all_maps(x, w, b), wanted, strict=True)
        )


@pytest.mark.thorough
def test_places_far_away_are_counted_in_64_bits(gpu, monkeypatch):
    given = arguments((2, 7, 9, 16), (3, 3, 16, 16), (16,))
    wanted = all_maps(*given)
    monkeypatch.setattr(minidl.engine.kernels, "FAR", 0)
    monkeypatch.setattr(
        minidl.engine.kernels, "BLOCKS", 2
    )  # and each thread works off several numbers
    assert all(
        np.array_equal(*map(to_numpy, pair)) for pair in zip(all_maps(*given), wanted, strict=True)
    )


def test_other_ranks_run_on_plain_arrays(gpu, launches):
    for shape, kernel in (((1, 9, 16), (3, 16, 16)), ((1, 5, 6, 4, 16), (3, 3, 3, 16, 16))):
        x, w, b = arguments(shape, kernel, kernel[-1:], dtype=np.float64)
        found = ops.convolution(x, w, b, padding=1)
        wanted = ops.convolution(*(to_numpy(a).astype(float) for a in (x, w, b)), padding=1)
        assert near(to_numpy(found), wanted, 1e-12)
    x, w, b = arguments((1, 2, 3, 3, 2, 2), (3,), (3,))
    assert near(ops.max_pool(x, 2), ops.max_pool(to_numpy(x), 2))
    assert not launches


def test_float16_runs_on_the_kernels_of_float32(gpu, launches):
    x, w, b = arguments((1, 6, 7, 16), (3, 3, 16, 16), (16,), dtype=np.float16)
    found = ops.convolution(x, w, b, padding=1)
    wanted = ops.convolution(*(to_numpy(a).astype(float) for a in (x, w, b)), padding=1)
    assert found.dtype == np.float16
    assert near(to_numpy(found).astype(float), wanted, 2e-3)
    assert launches


def test_a_nan_is_seen(gpu, launches):
    x, w, b = (to_numpy(array) for array in arguments((1, 4, 4, 16), (3, 3, 16, 16), (16,)))
    x[0, 1, 1, 0] = np.nan
    found = convolution_relu(*(to_device(array, "gpu") for array in (x, w, b)), padding=1)
    assert launches
    assert np.isnan(to_numpy(found)).all()  # of one tile, which all of it is


@pytest.mark.parametrize("window", [1, 2, 3])
def test_pooling_of_every_small_geometry(gpu, launches, window):
    """With numbers that tie, with the padding too, and with some that are none."""
    numbers = np.array([2, -np.inf, 2, np.nan, 2, -np.inf, -np.inf, 1], float)
    ties = np.array([0, 0, -np.inf, -np.inf, -np.inf, 1, 1], float)
    for length, stride, padding, ceil in product(range(1, 8), (1, 2, 3), (0, 1), (False, True)):
        if 2 * padding > window or length + 2 * padding < window:
            continue
        options = {"stride": stride, "padding": padding, "ceil": ceil}
        for name, x, more in (
            ("max_pool", numbers, {}), ("max_pool", ties, {}), ("avg_pool", ties + 1, {}),
            ("avg_pool", np.arange(8.0), {"count_padding": False}), ("avg_pool", np.arange(8.0), {"count_padding": True}),
        ):  # fmt: skip
            op, x = getattr(ops, name), x[:length].reshape(1, -1, 1)
            try:
                wanted = differentiated(op, x, window, options | more)
            except minidl.errors.ShapeError:
                continue
            for ours, theirs in zip(
                differentiated(op, to_device(x, "gpu"), window, options | more), wanted, strict=True
            ):
                np.testing.assert_array_equal(ours, theirs)
    assert {"max_pool", "max_pool_dx", "avg_pool", "avg_pool_dx"} == {*launches}


def differentiated(op, x, window, options):
    x = Tensor(x, requires_grad=True)
    y = op(x, window, **options)
    y.backward(to_device(np.arange(1.0, 1 + y.data.size).reshape(y.shape), x.device))
    return to_numpy(y.data), to_numpy(x.grad)


@pytest.mark.parametrize("large", range(3))
def test_any_large_array_has_its_places_counted_in_64_bits(gpu, launches, monkeypatch, large):
    assert minidl.engine.kernels.FAR <= 2**30
    options, of = [], minidl.engine.kernels.options_for
    monkeypatch.setattr(
        minidl.engine.kernels, "options_for", lambda *given: options.append(given) or of(*given)
    )
    monkeypatch.setattr(minidl.engine.kernels, "FAR", 200)
    kernels = Kernels(winograd_gpu.KERNELS.path)
    shapes = [(1, 1, 1, 1), (16,), (36, 1, 1)]
    arrays = arguments(*shapes)
    arrays[large] = arguments((400, *shapes[large][1:]))[0]
    kernels.launch(
        "inputs_at_points", 1, *arrays, winograd_gpu._tiling(range(1), 1, 1, 1, 1, 1, 0, 0)
    )
    assert [far for _, far in options] == [True]


# ---- commands
# -------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_stylize(gpu, tmp_path, capsys):
    painting, log = tmp_path / "painted.png", tmp_path / "losses.csv"
    command = ["stylize", "--size", "32", "--steps", "3", "-o", str(painting), "--log", str(log)]
    totals = []
    for more in ([], ["--device", "gpu"], ["--device", "auto", "--tf32"]):
        assert main([*command, *more]) == 0
        with log.open(newline="") as file:
            totals.append([float(row["total"]) for row in csv.DictReader(file)])
    assert "on the CPU in float32" in (told := capsys.readouterr().out)
    assert "on the GPU in float32" in told
    assert "on the GPU in tf32" in told
    # After the first step the pictures differ as their gradients do: by some thousandths where a
    # ReLU within rounding of its kink fell on the other side, and the losses by as much at most.
    assert totals[1][0] == pytest.approx(totals[0][0], rel=1e-4)
    assert totals[1] == pytest.approx(totals[0], rel=1e-2)
    record = read_metadata(painting)
    assert (record["device"], record["arithmetic"]) == ("gpu", "tf32")


def test_gradcheck(gpu, capsys):
    assert main(["gradcheck", "--device", "gpu", "--cases", "2"]) == 0
    assert "gradients proven" in capsys.readouterr().out


def test_info(gpu, capsys):
    assert main(["info"]) == 0
    told = capsys.readouterr().out
    assert "choose it with --device gpu" in told
    if gpu == "strict":
        assert (
            "a stand-in for a GPU, 8 GiB, compute capability 9.0, CUDA 12.9 (the driver knows 12.9)"
            in told
        )


@pytest.mark.parametrize(
    "words", [pytest.param([], marks=pytest.mark.thorough), ["--size", "32", "--steps", "2"]]
)
def test_parity(gpu, words, capsys):
    assert main(["parity", *words]) == 0
    told = capsys.readouterr().out
    assert "block5_conv4" in told
    assert "step 2, picture" in told
    assert "MORE" not in told


@pytest.mark.thorough
def test_parity_finds_a_wrong_kernel(gpu, launches, capsys, monkeypatch):
    wrong = winograd_gpu.KERNELS.source.replace(
        "4 * d0 - 5 * d2 + d4", "4 * d0 - Real(5.01) * d2 + d4"
    )
    monkeypatch.setattr(Kernels, "source", wrong)
    monkeypatch.setattr(winograd_gpu, "KERNELS", Kernels(winograd_gpu.KERNELS.path))
    assert main(["parity", "--size", "32", "--steps", "1"]) == 1
    assert "MORE THAN ROUNDING" in capsys.readouterr().out
    assert launches


def test_parity_refuses_what_makes_no_sense(gpu, capsys):
    for words, wanted in (
        (["--size", "8"], "too small for block5_conv4"),
        (["--steps", "0"], "wanted at least 1 each"),
    ):
        assert main(["parity", *words]) == 2
        assert wanted in capsys.readouterr().err
