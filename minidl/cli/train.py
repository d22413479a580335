"""`minidl train`: the siamese network on MNIST, VGG19 on CIFAR-10."""

import json
import sys
from pathlib import Path

from tqdm import tqdm

from minidl.backend import device
from minidl.cli.options import add_device, add_tf32
from minidl.errors import ArgumentError
from minidl.files import replacing
from minidl.training import cifar10, siamese, train
from minidl.training.loop import CHECKPOINT, Moment

NETWORKS = {"siamese": siamese, "cifar10": cifar10}
HELP = {
    "siamese": "points of the plane for MNIST's digits, from pairs that are told same or different",
    "cifar10": "VGG19 with batch normalization on CIFAR-10",
}
MEANINGS = {
    "epochs": "how often each picture is seen", "learning_rate": "at its highest", "schedule": "of the learning rate",
    "keep": "share of numbers that dropout keeps", "pairs": "of a step", "batch": "pictures of a step",
    "head": "widths of the dense layers, such as 4096-4096-10", "width": "factor on all channels", "weight_decay": "of kernels",
    "imagenet": "begin with ImageNet's kernels",
}  # fmt: skip
RESULT = "result.json"
SCHEDULES = {"siamese": ("constant", "one-cycle"), "cifar10": ("steps", "one-cycle")}


def register(commands):
    parser = commands.add_parser("train", help="train a network: siamese (MNIST) or cifar10")
    networks = parser.add_subparsers(title="networks", metavar="NETWORK", required=True)
    for name, recipe in NETWORKS.items():
        command = networks.add_parser(name, help=HELP[name], description=HELP[name] + ".")
        command.set_defaults(run=run, network=name)
        files = command.add_argument_group("files")
        files.add_argument(
            "--folder", type=Path, metavar="FOLDER", help="for checkpoint, log and curves (default: runs/NETWORK)"
        )
        files.add_argument(
            "--data", type=Path, metavar="FOLDER", help="of the data set (default: MINIDL_DATA, then your cache)"
        )
        files.add_argument("--resume", action="store_true", help="go on from the folder's checkpoint")
        files.add_argument("--tensorboard", action="store_true", help="log for TensorBoard, in the folder")
        files.add_argument("-q", "--quiet", action="store_true", help="print nothing but errors and the result")
        the_run = command.add_argument_group("the run")
        the_run.add_argument("--preset", choices=recipe.PRESETS, default="fast", help="the settings (default: fast)")
        the_run.add_argument("--seed", type=int, default=0, metavar="N", help="of everything random (default: 0)")
        the_run.add_argument("--limit", type=int, metavar="N", help="train on the first N pictures alone")
        add_device(the_run)
        add_tf32(the_run)
        for setting in recipe.PRESETS["fast"]:
            _add_setting(the_run, name, setting, {preset: chosen[setting] for preset, chosen in recipe.PRESETS.items()})


def _add_setting(group, network, name, by_preset):
    told = ", ".join(f"{preset}: {value}" for preset, value in by_preset.items())
    kind = type(next(iter(by_preset.values())))
    options = {"type": kind, "metavar": "N" if kind is int else "X"}
    if kind is bool:
        options = {"type": _yes_or_no, "metavar": "yes|no"}
    if name == "schedule":
        options = {"choices": SCHEDULES[network]}
    group.add_argument("--" + name.replace("_", "-"), help=f"{MEANINGS[name]} ({told})", **options)


def _yes_or_no(text):
    return {"yes": True, "no": False}[text]


def run(arguments):
    recipe, folder = NETWORKS[arguments.network], arguments.folder or Path("runs") / arguments.network
    preset = recipe.PRESETS[arguments.preset]
    settings = {name: value if (given := getattr(arguments, name)) is None else given for name, value in preset.items()}
    for name in ("epochs", "limit", "batch", "pairs"):
        value = getattr(arguments, name, None)
        if value is not None and value < 1:
            raise ArgumentError(f"--{name} is {value}; wanted at least 1")
    with device(arguments.device, arguments.tf32):
        task = recipe.task(arguments.data, seed=arguments.seed, limit=arguments.limit, **settings)
        say = (lambda text: None) if arguments.quiet else print
        for line in task.model.summary(task.batches.arrays[0].shape[1:]):
            say(
                f"{line.name:24}{'x'.join(map(str, line.shape)):>12}{line.parameters:12,} parameters{line.multiply_adds:14,} x+"
            )
        with _Watch(arguments.quiet) as watch:
            outcome = train(
                task, settings["epochs"], folder, resume=arguments.resume, watch=watch, tensorboard=arguments.tensorboard
            )
        if outcome.stopped:
            print(f"stopped after {len(outcome.rows)} whole epochs; --resume goes on from {folder / CHECKPOINT}")
            return 130
        found = recipe.report(task.model, arguments.data)
    with replacing(folder / RESULT) as beside:
        seconds = outcome.rows[-1]["seconds"]
        beside.write_text(
            json.dumps({"test": found, "baselines": task.baselines, "seconds": seconds, "settings": task.settings})
        )
    told = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in found.items())
    beside = "".join(f"; {name}: {loss:.4f}" for name, loss in task.baselines.items())
    print(f"on the test set: {told} (a loss of{beside[1:]}); everything is in {folder}")
    return 0


class _Watch:
    """A bar for each epoch, and a line when it is done."""

    def __init__(self, quiet):
        self._quiet, self._bar = quiet, None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._bar is not None:
            self._bar.close()

    def __call__(self, told):
        if self._quiet:
            return
        if isinstance(told, Moment):
            if self._bar is None:
                interval = 0.5 if sys.stderr and sys.stderr.isatty() else 30
                self._bar = tqdm(total=told.batches, unit="batch", leave=False, mininterval=interval, disable=not sys.stderr)
            words = ", ".join(f"{name} {value:.4g}" for name, value in told.means.items())
            self._bar.set_description(f"epoch {told.epoch}", refresh=False)
            self._bar.set_postfix_str(f"{words}, rate {told.learning_rate:.3g}", refresh=False)
            self._bar.update(told.batch - self._bar.n)
            return
        self._bar.close()
        self._bar = None
        print(
            ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in told.items() if name != "remark"), flush=True
        )
        if "remark" in told:
            print(told["remark"])
