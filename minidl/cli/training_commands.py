"""The command lines of `minidl train` that its messages name."""

import shlex

from minidl.cli.options import flag
from minidl.cli.training_options import defaults, typed
from minidl.recipes import faces


def command(arguments, *words):
    """Return the command line `minidl train` with the same data and device, followed by `words`."""
    line = ["minidl", "train", arguments.network]
    if arguments.data is not None:
        is_faces = arguments.network == faces.NETWORK
        line += [arguments.data] if is_faces else ["--data", arguments.data]
    line += [] if arguments.device == "cpu" else ["--device", arguments.device]
    line += ["--textbook"] * arguments.textbook
    line += ["--tf32"] * arguments.tf32 + ["--tensorboard"] * arguments.tensorboard
    return shlex.join(map(str, [*line, *words]))


def command_with_lower_rate(arguments, recipe, folder, settings):
    """Return the command that starts the run again in a new folder, with a tenth of the learning
    rate."""
    usual = defaults(recipe) | recipe.PRESETS[settings["preset"]]
    changed = settings | {"learning_rate": float(f"{settings['learning_rate'] / 10:g}")}
    differing = [name for name in changed if name == "preset" or changed[name] != usual[name]]
    options = [word for name in differing for word in (flag(name), typed(changed[name]))]
    for name in ("accumulate", "patience"):
        if getattr(arguments, name):
            options += [flag(name), getattr(arguments, name)]
    candidates = (folder.with_name(f"{folder.name}-{number}") for number in range(2, 10**6))
    new_folder = next(path for path in candidates if not path.exists())
    return command(arguments, "--folder", new_folder, *options)
