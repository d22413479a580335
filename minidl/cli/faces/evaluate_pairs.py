"""`minidl faces evaluate --pairs`: the accuracy of verification by LFW's protocol."""

import numpy as np

from minidl import faces
from minidl.backend import device
from minidl.cli.faces.options import cache_of, looking, reader_of, threshold_of
from minidl.cli.faces.pictures import Pictures
from minidl.cli.output import Output, counted, shown, warn
from minidl.data.images import image_size
from minidl.errors import MinidlError, listed
from minidl.faces import between
from minidl.faces.folds import evaluate_folds
from minidl.faces.pairs import read_pairs
from minidl.faces.portraits import central_face
from minidl.interruption import STOPPED


def evaluate_pairs(arguments):
    """Run the action for parsed arguments, and return the exit code."""
    pairs, cache = read_pairs(arguments.pairs, arguments.folder), cache_of(arguments)
    pictures = Pictures(pairs.pictures, cache, **looking(arguments))
    if cache is not None:
        warn(f"the faces are kept in {cache.path}, so that a stopped run continues")
    embeddings = {}
    with device(arguments.device):
        reader = reader_of(arguments)
        threshold = threshold_of(arguments, reader)
        try:
            for path, found, file in pictures.faces(reader):
                if found:
                    face = central_face(found, *image_size(path, file))
                    embeddings[path] = face.embedding
        except KeyboardInterrupt:
            again = "" if arguments.no_cache else "; the same command continues from there"
            count = counted(len(pictures.paths), "picture")
            warn(f"stopped after {len(embeddings):,} faces in {count}{again}")
            return STOPPED
    if not embeddings:
        raise MinidlError(f"no face was found in the pictures of {arguments.folder}; name another")
    distances = np.array(
        [
            between(embeddings[a], embeddings[b]) if a in embeddings and b in embeddings else np.inf
            for a, b in zip(pairs.first, pairs.second, strict=True)
        ]
    )
    evaluation = evaluate_folds(distances, pairs.same, pairs.folds, threshold)
    faceless = [path for path in pictures.paths if path not in embeddings]
    without = int(np.isinf(distances).sum())
    result = evaluation._asdict() | {
        "pictures": len(pictures.paths),
        "faces_found": len(embeddings),
        "pairs_without_face": without,
        "faceless": list(map(str, faceless)),
    }
    output = Output(arguments.form)
    output.put(result, lines=_lines(evaluation, pictures.paths, faceless, without))
    if arguments.plot:
        faces.plot_evaluation(arguments.plot, evaluation, (distances, pairs.same))
        if not arguments.form:
            output.put(lines=[f"the plot is in {shown(arguments.plot)}"])
    return pictures.exit_code


def _lines(result, paths, faceless, without):
    """Return a FoldsEvaluation in words."""
    lines = [
        f"{counted(result.pairs, 'pair')} of {counted(len(paths), 'picture')} in "
        f"{len(result.accuracies)} folds, {result.same_pairs:,} of them of one person"
    ]
    if faceless:
        names = listed([path.name for path in faceless])
        lines.append(
            f"no face was found in {counted(len(faceless), 'picture')}: {names}; "
            f"{counted(without, 'pair')} with them count as pairs of two people"
        )
    low, high = min(result.thresholds), max(result.thresholds)
    lines += [
        f"accuracy {result.accuracy:.2%}, with a standard error of {result.standard_error:.2%} "
        f"(thresholds {low:.3f} to {high:.3f}, each chosen on the other folds)",
        f"at the threshold {result.threshold:.3f}: accuracy {result.accuracy_at_threshold:.2%}, "
        f"{result.false_accept:.2%} of the pairs of different people accepted, "
        f"{result.false_reject:.2%} of the pairs of the same person rejected",
        f"equal error rate {result.equal_error_rate:.2%}",
    ]
    return lines
