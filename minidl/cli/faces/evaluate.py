"""`minidl faces evaluate`: error rates on the user's own pictures."""

from pathlib import Path

from minidl import faces
from minidl.backend import device
from minidl.cli.faces.evaluate_pairs import evaluate_pairs
from minidl.cli.faces.options import (
    SKIPS,
    add_action,
    add_cache,
    add_forms,
    add_looking,
    add_network,
    add_threshold,
    looking,
    reader_of,
    threshold_of,
)
from minidl.cli.faces.pictures import album_of
from minidl.cli.options import add_device
from minidl.cli.output import Output, shown
from minidl.errors import ArgumentError
from minidl.faces.evaluation import must_be_few
from minidl.plots import must_be_drawable


def register(actions):
    action = add_action(
        actions,
        "evaluate",
        run,
        "measure error rates on your own pictures",
        "Measure, in a folder that has a subfolder of pictures for each person: the verification "
        "of all pairs, identification with one enrolled picture of each person, and the rejection "
        "of strangers. Compare the results with those of a comparison of pixels. The largest of "
        "several faces in a picture is used.",
        "With --pairs, the accuracy of verification is measured by the protocol of Labeled Faces "
        "in the Wild, View 2: for each of ten folds, the threshold is chosen on the other nine. "
        "The face nearest to the centre of a picture is used. A pair without a face counts as two "
        "people. The list is LFW's pairs.txt, or a CSV table with the columns a and b (paths in "
        "FOLDER), same (1 or 0) and, if wanted, fold.",
        SKIPS,
    )
    action.add_argument(
        "folder",
        metavar="FOLDER",
        type=Path,
        help="folder with a subfolder of pictures for each person",
    )
    add_threshold(action)
    add_network(action)
    add_looking(action)
    action.add_argument(
        "--pairs", type=Path, metavar="FILE", help="list of the pairs to compare, by LFW's protocol"
    )
    add_cache(action)
    action.add_argument(
        "--plot",
        metavar="FILE",
        help="plot the ROC curve and the distances of all pairs to this file",
    )
    add_forms(action, "json")
    add_device(action)


def run(arguments):
    if arguments.plot:
        must_be_drawable(arguments.plot)
    if arguments.pairs is not None:
        return evaluate_pairs(arguments)
    if arguments.cache or arguments.no_cache:
        raise ArgumentError("--cache and --no-cache change nothing without --pairs; leave them out")
    must_be_few(arguments.folder)
    with device(arguments.device):
        reader = reader_of(arguments)
        album = album_of(arguments.folder, reader, **looking(arguments))
    evaluation, pairs = faces.evaluate(album, threshold_of(arguments, reader))
    result = evaluation._asdict()
    result["faceless"] = list(map(str, album.faceless))
    result["several_faces"] = list(map(str, album.several))
    output = Output(arguments.form)
    output.put(result, lines=_lines(evaluation))
    if arguments.plot:
        faces.plot_evaluation(arguments.plot, evaluation, pairs)
        if not arguments.form:
            output.put(lines=[f"the plot is in {shown(arguments.plot)}"])
    return 2 if album.unreadable else 0


def _lines(rates):
    """Return an Evaluation in words."""
    return [
        f"{rates.people} people, {rates.pictures} pictures, a face found in {rates.faces_found}",
        f"pairs: equal error rate {rates.equal_error_rate:.2%} at the distance "
        f"{rates.equal_threshold:.3f} (pixels alone: {rates.pixel_equal_error_rate:.2%})",
        f"at the threshold {rates.threshold:.3f}: {rates.false_accept:.2%} of "
        f"{rates.different_pairs:,} pairs of different people accepted, {rates.false_reject:.2%} "
        f"of {rates.same_pairs:,} pairs of the same person rejected",
        "one enrolled picture of each person: the nearest is the right person for "
        f"{rates.one_shot:.2%} of the pictures (pixels alone: {rates.pixel_one_shot:.2%})",
        f"half of the people enrolled in this way: {rates.known_named:.2%} of their pictures named "
        f"correctly, {rates.known_misnamed:.2%} wrongly, {rates.known_rejected:.2%} unknown; of "
        f"the pictures of the other half, {rates.strangers_accepted:.2%} named as an enrolled "
        "person",
    ]
