"""The plan predicts what a painting needs, and makes it fit into the memory."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from minidl import machine
from minidl.engine.memory import recorded, replayed
from minidl.errors import ArgumentError
from minidl.style_transfer import Memory, Run, Settings, plan
from minidl.style_transfer.costs import PROBES, Costs, Line
from minidl.style_transfer.plan import GIB, RESERVE, _scales

SETTINGS = Settings(scales=2, steps=30)
SHAPE, STYLES = (768, 1024, 3), [(1024, 700, 3)]


@pytest.fixture
def simple_costs(monkeypatch):
    """Costs that can be computed by hand: in GiB, 10 without savings, and 100 seconds."""

    def memory(costs, scales, way):
        pairs = 0.1 * way.history if costs.settings.optimizer == "lbfgs" else 1
        return round((pairs + (way.side / 512 if way.side else 6 if way.blocks else 9)) * GIB)

    monkeypatch.setattr(Costs, "memory", memory)
    monkeypatch.setattr(Costs, "seconds", lambda *arguments: 100.0)


def planned_in(gib, model, settings=SETTINGS):
    """Return the plan for a painting that may take so many GiB, and the reserve."""
    return plan(model, SHAPE, STYLES, settings, available=round(RESERVE * gib * GIB) + 1)


@pytest.mark.parametrize(
    ("gib", "way"),
    [
        (10, Memory()),
        (9.9, Memory(9)),
        (9.75, Memory(7)),
        (9.2, Memory(2)),
        (9.1, Memory(2, blocks=True)),
        (6.2, Memory(2, blocks=True)),
        (6.1, Memory(2, side=768)),
        (0.7, Memory(2, side=256)),
    ],
    ids=str,
)
def test_memory_is_saved_in_this_order(small_model, simple_costs, gib, way):
    found = planned_in(gib, small_model)
    assert found.memory == way
    assert found.peak - found.present <= gib * GIB + 1


def test_a_painting_that_cannot_fit_is_refused(small_model, simple_costs):
    with pytest.raises(ArgumentError, match=r"need 0.5 GiB .* 0.4 GiB are .* take a smaller size"):
        planned_in(0.4, small_model)


def test_every_saving_is_said(small_model, simple_costs):
    *numbers, history, blocks, side = str(planned_in(0.7, small_model)).splitlines()
    assert [line.split()[0] for line in numbers] == ["memory", "arithmetic", "time"]
    assert "about 100 s on this machine" in numbers[-1]
    assert history == (
        "The painting may need 11.0 GiB, and 0.8 GiB are available: L-BFGS keeps 2 pairs instead "
        "of 10."
    )
    assert "10.1 GiB" in blocks
    assert blocks.endswith("activations are not kept, but computed again block by block.")
    assert "6.8 GiB" in side
    assert side.endswith("the gradient is computed in tiles of 256 pixels.")
    assert planned_in(10, small_model).words == ()


def test_adam_has_no_pairs_and_histograms_have_no_tiles(small_model, simple_costs):
    adam = replace(SETTINGS, optimizer="adam")
    assert planned_in(9, small_model, adam).memory == Memory(blocks=True)
    assert planned_in(2.5, small_model, adam).memory == Memory(side=768)
    histograms = replace(adam, style_objective="histogram", style_layers={"conv3_1": 1.0})
    with pytest.raises(ArgumentError, match="take a smaller size"):
        planned_in(2.5, small_model, histograms)


def test_pairs_take_two_pictures_each(small_model):
    costs, scales = Costs(small_model, SETTINGS), _scales(SHAPE, STYLES, SETTINGS)
    more = costs.memory(scales, Memory(10)) - costs.memory(scales, Memory(7))
    assert more == 3 * 2 * 12 * 768 * 1024
    few = Costs(small_model, replace(SETTINGS, steps=3))
    scales = _scales(SHAPE, STYLES, few.settings)
    assert few.memory(scales, Memory(10)) == few.memory(scales, Memory(2))


@pytest.mark.engine
def test_a_style_that_is_larger_than_the_painting_counts(small_model):
    costs = Costs(small_model, SETTINGS)
    same, larger, huge = (
        costs.memory(_scales((256, 256, 3), [(side, side, 3)], SETTINGS), Memory())
        for side in (128, 256, 2048)
    )
    assert same == larger < huge


@pytest.mark.engine
def test_the_order_of_arrays_predicts_the_memory_of_a_larger_picture(small_model):
    """The events of the probe, enlarged, are those of the larger picture."""
    sizes = PROBES[0], tuple(4 * side for side in PROBES[0])
    found = []
    for size in sizes:
        rng = np.random.default_rng(0)
        content, style = (rng.uniform(0, 255, (*size, 3)).astype(np.float32) for _ in range(2))
        with recorded() as events:
            for _ in Run(small_model, content, [style], Settings(scales=1, steps=1)):
                pass
        found.append(events)
    small, large = found
    enlarged = [event._replace(size=event.size and 16 * event.size) for event in small]
    assert replayed([enlarged]) == replayed([large]) > 0
    assert replayed([large, small]) == replayed([large])


def test_the_arithmetic_is_that_of_the_network(small_model):
    """With four channels, a layer of n positions takes 9·4·4·n multiply-adds, the first 9·3·4·n,
    and a Gram matrix 4·4·n."""
    settings = Settings(
        style_layers={"gram:conv1_2": 1.0, "moments:conv2_1": 1.0}, content_layers={"conv1_1": 1.0}
    )
    costs = Costs(small_model, settings)
    forward = 32 * 64 * (9 * 12 + 9 * 16 + 16) + 16 * 32 * 9 * 16
    assert costs.multiply_adds((32, 64), Memory()) == 2 * forward
    assert costs.multiply_adds((32, 64), Memory(blocks=True)) == 3 * forward
    one_tile = costs.multiply_adds((32, 64), Memory(side=64))
    assert one_tile == 3 * forward < costs.multiply_adds((32, 64), Memory(side=16))


def test_the_time_is_the_sum_of_all_passes(small_model, monkeypatch):
    """The photograph and the style once, two gradients for the balance, the steps, and the loss of
    the saved picture. Tiles need a forward pass more."""
    settings = replace(SETTINGS, scales=1, steps=5)
    costs = Costs(small_model, settings)
    costs._passes = Line(1.0, 1e-3), Line(10.0, 1e-2)  # 2 and 20 seconds for 1000 pixels
    monkeypatch.setattr(Costs, "_optimizer", lambda *arguments: 1e-4)
    scales = _scales((20, 50), [(25, 40)], settings)
    of_steps, of_pictures = 7 * 20 + 5 * 0.1, 3 * 2
    assert costs.seconds(scales, Memory()) == pytest.approx(of_steps + of_pictures)
    assert costs.seconds(scales, Memory(blocks=True)) == pytest.approx(
        of_steps + 7 * 2 + of_pictures
    )
    given = Costs(small_model, replace(settings, content_weight=1.0))
    given._passes = costs._passes
    assert given.seconds(scales, Memory()) == pytest.approx(5 * 20.1 + of_pictures)


def test_the_probe_finds_that_time_passes(small_model):
    costs = Costs(small_model, SETTINGS)
    assert costs.seconds(_scales(SHAPE, STYLES, SETTINGS), Memory()) > 0


@pytest.mark.parametrize("limit", ["max", str(10**7)])
def test_the_available_memory_is_that_of_the_control_group(monkeypatch, tmp_path, limit):
    (tmp_path / "memory.max").write_text(limit + "\n")
    (tmp_path / "memory.current").write_text("4000000\n")
    monkeypatch.setattr(machine, "GROUP", tmp_path)
    available = machine.available_memory()
    assert available == 6_000_000 if limit != "max" else available > 6_000_000


@pytest.mark.thorough
@pytest.mark.engine
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux resets the peak of a process")
@pytest.mark.parametrize("number", [0, 1])
def test_the_peak_of_a_painting_is_predicted(number):
    """The plan promises 15 %. Times are compared by `python -m benchmarks plan`."""
    from benchmarks.memory import RESET

    try:
        RESET.write_text("5")
    except OSError:
        pytest.skip("this system does not reset the peak of a process")
    program = (
        "import json; from benchmarks.plan import *; "
        f"print(json.dumps(measured(256, 1, 3, {['WHOLE', 'Memory(2, side=128)'][number]})))"
    )
    root = Path(__file__).parents[2]
    output = subprocess.run([sys.executable, "-c", program], stdout=-1, check=True, cwd=root).stdout
    predicted, measured = json.loads(output)["peak"]
    assert predicted == pytest.approx(measured, rel=0.15)
