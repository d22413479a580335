"""The options of `minidl stylize`. Those of the Settings are in setting_options.py."""

import argparse
from fractions import Fraction

from minidl.cli.lists import Listed
from minidl.cli.options import add_device, add_tf32
from minidl.cli.stylize.setting_options import add_objective, add_optimization, add_setting
from minidl.cli.words import is_number
from minidl.errors import printable
from minidl.style_transfer.guides import WAYS

EVERY = 10  # default of --every: steps between previews and frames
NO_MASK = "none"  # in place of a mask: the whole picture
MOST_FPS = 100  # a GIF stores hundredths of a second


def add_options(parser):
    parser.add_argument(
        "pictures",
        nargs="*",
        metavar="CONTENT STYLE",
        help="a photograph or a folder of photographs, then one or more paintings",
    )
    _add_files(parser.add_argument_group("files"))
    _add_many(parser.add_argument_group("many pictures"))
    _add_masks(parser.add_argument_group("masks"))
    _add_computation(parser.add_argument_group("computation"))
    add_optimization(parser.add_argument_group("optimization"))
    add_objective(parser.add_argument_group("objective"))


def _add_files(group):
    group.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help="file for the painting: .png, .jpg, .webp or .tif; of many pictures, the folder "
        "(default: CONTENT-as-STYLE.png or CONTENT-as-STYLE in the current folder)",
    )
    group.add_argument(
        "--preview",
        metavar="FILE",
        help="write the best painting so far to this file every --every steps",
    )
    group.add_argument(
        "--frames",
        metavar="FOLDER",
        help="write the current painting to a new file in this folder every --every steps",
    )
    group.add_argument(
        "--every",
        type=int,
        default=argparse.SUPPRESS,
        metavar="N",
        help=f"number of steps between previews, frames and checkpoints (default: {EVERY})",
    )
    group.add_argument(
        "--log", metavar="FILE", help="write the losses of each step to this CSV file"
    )
    group.add_argument("--plot", metavar="FILE", help="plot the losses to this picture file")
    group.add_argument(
        "--film",
        metavar="FILE",
        help="show how the painting forms in this file: .gif, .webp, or .mp4 with ffmpeg",
    )
    group.add_argument(
        "--live",
        action="store_true",
        help="show the painting while it forms on a page of this computer, in the browser",
    )
    group.add_argument(
        "--checkpoint",
        metavar="FILE",
        help="store the painting in progress in this file every --every steps",
    )
    group.add_argument(
        "--resume",
        metavar="FILE",
        help="continue a painting from its checkpoint: the result has the same bytes as without "
        "the interruption",
    )


def _add_many(group):
    group.add_argument(
        "--more",
        action="append",
        metavar="FILE",
        help="a further photograph, or folder of photographs, to paint in the same style; may be "
        "given several times",
    )
    group.add_argument(
        "--grid",
        action="append",
        type=Listed(str, "SETTING=VALUE,VALUE,...", is_number),
        metavar="SETTING=V,V,...",
        help="paint CONTENT once for each of these values, such as balance=0.005,0.01,0.03 or "
        "pooling=avg,max, and show the paintings side by side; given twice, once for each pair of "
        "values",
    )
    group.add_argument(
        "--sheet",
        metavar="FILE",
        help="file for the paintings of --grid (default: CONTENT-as-STYLE-sheet.png)",
    )
    group.add_argument(
        "--sequence",
        action="store_true",
        help="paint the frames of a film, a folder of pictures or an animated GIF or WebP: each "
        "begins with the painting of the one before, so that a camera that stands still gives a "
        "film that flickers less; OUT is a folder, or a film: .gif, .webp, or .mp4 with ffmpeg",
    )
    group.add_argument(
        "--fps",
        type=_fps,
        metavar="N",
        help="frames per second of the film of --sequence (default: as CONTENT, 24 for a folder)",
    )


def _add_masks(group):
    group.add_argument(
        "--content-mask",
        metavar="FILE",
        help="grey picture, white where the painting keeps to the photograph",
    )
    group.add_argument(
        "--mask",
        action="append",
        metavar="FILE",
        help="grey picture of the size of the photograph, white where a STYLE is painted; once for "
        f"each STYLE, {NO_MASK} for everywhere",
    )
    group.add_argument(
        "--style-mask",
        action="append",
        metavar="FILE",
        help="grey picture of the size of a STYLE, white in the part that is used; once for each "
        f"STYLE, {NO_MASK} for all of it",
    )
    group.add_argument(
        "--content-map",
        metavar="FILE",
        help="semantic map of the photograph: a flat colour for each region",
    )
    group.add_argument(
        "--style-map",
        metavar="FILE",
        help="semantic map of the STYLE: each region is painted in the style of the region of the "
        "same colour",
    )
    group.add_argument(
        "--feather",
        type=int,
        default=argparse.SUPPRESS,
        metavar="PIXELS",
        help="radius by which regions get soft edges (default: 0)",
    )
    add_setting(
        group,
        "mask_way",
        "positions of a layer that belong to a region: by the centre (simple), by any part of what "
        "they see (all), or only by all of it (inside)",
        choices=WAYS,
    )


def _add_computation(group):
    add_device(group)
    add_tf32(group)
    group.add_argument(
        "--weights",
        metavar="FILE",
        help="weight file of VGG19 in minidl's format (default: the shipped weights)",
    )
    group.add_argument(
        "--plan",
        action="store_true",
        help="print the memory, the arithmetic and the time that the painting will take, and the "
        "ways in which memory is saved if it does not fit; paint nothing",
    )
    group.add_argument("-q", "--quiet", action="store_true", help="print only errors")


def _fps(text):
    """Return a number of frames per second, such as 24 or 24000/1001."""
    try:
        fps = Fraction(text)
    except (ValueError, ZeroDivisionError):
        fps = Fraction(0)
    if not 0 < fps <= MOST_FPS:
        raise argparse.ArgumentTypeError(
            f"found {printable(text, 80)!r}; wanted a number above 0, at most {MOST_FPS}"
        )
    return fps
