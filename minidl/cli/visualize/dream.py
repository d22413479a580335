"""`minidl visualize dream`: what a network sees in a picture, painted into it."""

import sys
import time
from pathlib import Path

from tqdm import tqdm

import minidl
from minidl.backend import current_device, device, to_device
from minidl.cli.output import warn
from minidl.cli.saying import say
from minidl.cli.visualize.common import add_common, short
from minidl.data.images import picture_form, write_image
from minidl.errors import ArgumentError
from minidl.files import must_be_writable, must_differ, must_exist
from minidl.visualize.choosing import deepest_layer
from minidl.visualize.dream import dream, measure, octave_sizes
from minidl.visualize.opening import open_network, read_for
from minidl.visualize.units import Unit, parse_unit

LAYERS = ("block4_conv2", "block5_conv1")  # of VGG19; of another network its deepest


def register(actions):
    parser = actions.add_parser(
        "dream",
        help="paint into a picture what the network sees in it",
        description="DeepDream: make what fires in PICTURE fire more, from large forms to small ones.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("picture", metavar="PICTURE", type=Path)
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--layers", metavar="LAYER,...", help=f"whatever fires there (default: {','.join(LAYERS)}, or the network's deepest)"
    )
    what.add_argument("--unit", metavar="LAYER:CHANNEL", help="one channel alone, or a class of a trained network")
    parser.add_argument("--octaves", type=int, default=5, metavar="N", help="sizes, each 1.4 times the one before (default: 5)")
    parser.add_argument("--steps", type=int, default=10, metavar="N", help="steps uphill in each octave (default: 10)")
    parser.add_argument("--rate", type=float, default=0.8, metavar="R", help="by which a pixel moves a step (default: 0.8)")
    parser.add_argument(
        "--size", type=int, default=512, metavar="PIXELS", help="longer side; nothing is enlarged (default: 512)"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the jitter (default: 0)")
    add_common(parser, "dream.png")


def run(arguments):
    _check(arguments)
    with device(arguments.device, arguments.tf32):
        network = open_network(arguments.model)
        picture = to_device(_read(network, arguments), current_device())
        units = _units(network, picture, arguments)
        before, begun = measure(network, picture, units), time.perf_counter()
        sizes = octave_sizes(picture.shape[:2], arguments.octaves)
        with tqdm(total=len(sizes) * arguments.steps, unit="step", disable=not sys.stderr, delay=0.1) as bar:
            for step in dream(network, picture, units, arguments.octaves, arguments.steps, arguments.rate, arguments.seed):
                bar.set_description(f"octave {step.octave} of {len(sizes)}", refresh=False)
                bar.update()
        after = measure(network, step.picture, units)
    settings = {name: getattr(arguments, name) for name in ("octaves", "steps", "rate", "size", "seed")}
    strengths = {str(unit): (before[unit], after[unit]) for unit in units}
    record = {"command": arguments.command, "minidl": minidl.__version__, "settings": settings, "strengths": strengths}
    write_image(arguments.output, step.picture, record)
    for unit in units:
        _tell(unit, before[unit], after[unit])
    say(f"{bar.total} steps in {time.perf_counter() - begun:.0f} s; the dream is {arguments.output}")


def _check(arguments):
    """Find out now what would fail after a long run."""
    for name in ("octaves", "steps", "size"):
        if getattr(arguments, name) < 1:
            raise ArgumentError(f"--{name} is {getattr(arguments, name)}; wanted a whole number of at least 1")
    if not 0 < arguments.rate < float("inf"):
        raise ArgumentError(f"--rate is {arguments.rate}; wanted a number above 0")
    if arguments.seed < 0:
        raise ArgumentError(f"--seed is {arguments.seed}; wanted a whole number from 0 on")
    must_exist(arguments.picture, "picture")
    picture_form(must_be_writable(arguments.output))
    must_differ({"--output": arguments.output}, {"PICTURE": arguments.picture, "--model": arguments.model})


def _read(network, arguments):
    """(H, W, 3)"""
    picture = read_for(network, arguments.picture, arguments.size)
    if picture.ndim != 3 or picture.shape[-1] != 3:
        raise ArgumentError(f"{arguments.picture} holds an array {picture.shape}; wanted a picture (H, W, 3), to dream on")
    return picture


def _units(network, picture, arguments):
    if arguments.unit:
        unit = parse_unit(network, arguments.unit)
        if unit.channel is None:
            raise ArgumentError(f"the unit is {arguments.unit!r}; wanted LAYER:CHANNEL, or --layers {arguments.unit}")
        return [unit]
    if arguments.layers:
        return [Unit(network.canonical(name.strip())) for name in arguments.layers.split(",")]
    known = {step.name for step in network.steps}
    return [Unit(name) for name in (LAYERS if known.issuperset(LAYERS) else [deepest_layer(network, picture)])]


def _tell(unit, before, after):
    what = "mean a²" if unit.channel is None else "mean"
    say(f"{unit}: {what} {short(before)} -> {short(after)}")
    if after <= before:
        warn(f"{unit} did not rise: nothing that it sees in this picture excites it; try another layer or unit")
