"""`minidl visualize invert`: a picture reconstructed from the activations of layers."""

import time
from dataclasses import asdict

from tqdm import tqdm

from minidl.backend import current_device, device, to_device
from minidl.cli.lists import word_list
from minidl.cli.options import add_list_layers
from minidl.cli.output import counted, say
from minidl.cli.progress import progress_bar
from minidl.cli.stopping import stoppable
from minidl.cli.visualize.common import (
    add_common,
    add_number,
    add_picture,
    add_seed,
    add_size,
    check_files,
    check_numbers,
    read_picture,
    record,
)
from minidl.cli.visualize.effort import add_long, announced, must_fit
from minidl.cli.visualize.naming import add_layers, layers_of
from minidl.data.images import save_image
from minidl.grids import grid
from minidl.visualize.choosing import preferred_layers
from minidl.visualize.effort import WITH_GRADIENT, multiply_adds
from minidl.visualize.inversion import MATCHES, Descent, Settings
from minidl.visualize.opening import open_network

# of VGG19, as in Gatys' figure; in other networks the deepest layer
LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))
SIZE = 192


def register(actions):
    parser = actions.add_parser(
        "invert",
        help="reconstruct a picture from the activations of layers",
        description="Reconstruct PICTURE, from noise, from the activations of layers: its content "
        "from each layer alone, or its style from each layer together with the layers named before "
        "it.",
    )
    parser.set_defaults(run=run)
    add_picture(parser)
    add_layers(
        parser,
        "layers, such as block3_conv1 or conv3_1, one column each (default: the first convolution "
        "of each block; in other networks the deepest layer)",
    )
    add_list_layers(parser)
    parser.add_argument(
        "--match",
        type=word_list(MATCHES),
        metavar="MATCH,...",
        default=["content"],
        help=f"what to reconstruct, one row each: {', '.join(MATCHES)} (default: content)",
    )
    add_number(parser, "--steps", Settings.steps, "N", "number of steps for each picture")
    add_number(parser, "--smoothness", Settings.smoothness, "W", "weight of the total variation")
    add_size(parser, SIZE)
    add_seed(parser, "the noise")
    add_long(parser)
    add_common(parser, "invert.png")


def run(arguments):
    _check(arguments)
    settings = Settings(arguments.steps, arguments.smoothness, arguments.seed)
    matches = list(dict.fromkeys(arguments.match))
    with device(arguments.device, arguments.tf32), stoppable() as work:
        network = open_network(arguments.model)
        # the total variation compares neighbouring pixels
        example = read_picture(network, arguments, SIZE, least=2)
        picture = to_device(example, current_device())
        layers = layers_of(network, arguments.layers or preferred_layers(network, picture, LAYERS))
        total = len(matches) * len(layers) * settings.steps
        _announce(arguments, network, picture, layers, total)
        start, rows, captions = time.perf_counter(), [], []
        with progress_bar(total, "step", delay=0.1) as bar:
            for match in matches:
                row, texts = [example], ["the picture"]
                for inversion, text in _inversions(
                    network, picture, layers, match, settings, work, bar
                ):
                    row.append(inversion.image)
                    texts.append(text)
                rows.append(row)
                captions.append(texts)
                if work.stopped:
                    break
    done = sum(len(row) - 1 for row in rows)
    work.must_have(done)
    stopped = {"stopped_after": done} if work.stopped else {}
    metadata = record(
        arguments,
        settings=asdict(settings),
        size=max(example.shape[:2]),
        layers=layers,
        match=matches,
        **stopped,
    )
    drawing = grid(rows, captions, labels=matches[: len(rows)], side=160)
    save_image(arguments.output, drawing, metadata)
    seconds = f"{time.perf_counter() - start:.0f} s"
    if work.stopped:
        seconds = f"stopped in picture {done} of {len(matches) * len(layers)} after {seconds}"
    say(f"{seconds}; the pictures are in {arguments.output}")
    return work.code


def _check(arguments):
    check_numbers(arguments, 1, "steps", "size")
    check_numbers(arguments, 0, "smoothness", "seed")
    check_files(arguments)


def _announce(arguments, network, picture, layers, total):
    """Say how long all steps will take, and refuse what does not fit into the memory."""
    height, width, _ = picture.shape
    extent = height, width
    must_fit(network, extent, layers)
    costs = [multiply_adds(network, extent, [layer]) for layer in layers]
    announced(
        arguments,
        lambda: network.activations(picture[None], layers),
        WITH_GRADIENT * total / len(layers) * sum(costs) / max(costs),
        f"{counted(total, 'step')} for {width}x{height}",
        "take fewer --layers or --steps, or a smaller --size",
    )


def _inversions(network, picture, layers, match, settings, work, bar):
    """Yield (Inversion, caption) of each layer, the last one as far as it came."""
    for number, layer in enumerate(layers):
        bar.set_description(f"{match} of {layer}", refresh=False)
        matched = [layer] if match == "content" else layers[: number + 1]
        descent = Descent(network, picture, matched, match, settings)
        for _ in work.steps(descent):
            bar.update()
        if not descent.losses:
            return
        bar.update(0 if work.stopped else settings.steps - len(descent.losses))
        inversion, steps = descent.result(), counted(len(descent.losses), "step")
        first, best = inversion.losses[0], min(inversion.losses)
        with tqdm.external_write_mode():
            say(
                f"{match} of {layer}: loss {first:.4g} -> {best:.4g} in {steps}, "
                f"{_error(inversion)}"
            )
        prefix = "up to " if match == "style" else ""
        yield inversion, f"{prefix}{layer}\n{_error(inversion)}"
        if work.stopped:
            return


def _error(inversion):
    return f"{inversion.distance:.2%} off"
