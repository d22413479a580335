"""The accuracy of verification by the protocol of "Labeled Faces in the Wild", View 2.

The pairs are divided into n folds. For each fold, the threshold with the highest accuracy is chosen
on the pairs of the other folds, and the accuracy p_i is measured on those of the fold. The result
is (Huang et al. 2007)

    μ = 1/n Σ_i p_i,      S = σ / √n,      σ² = 1/(n - 1) Σ_i (p_i - μ)²

the estimated mean accuracy, and the standard error of the mean.
"""

from typing import NamedTuple

import numpy as np

from minidl.errors import ShapeError
from minidl.evaluation import error_rates
from minidl.typing import Array


class FoldsEvaluation(NamedTuple):
    """The accuracy of n folds, and error rates of all pairs, as fractions."""

    accuracy: float  # μ
    standard_error: float  # S
    accuracies: tuple[float, ...]  # of each fold
    thresholds: tuple[float, ...]  # of each fold, chosen on the others
    pairs: int
    same_pairs: int
    different_pairs: int
    equal_error_rate: float
    threshold: float  # a given one, for the rates below
    accuracy_at_threshold: float
    false_accept: float  # of pairs of different people
    false_reject: float  # of pairs of one person


def evaluate_folds(
    distances: Array, same: Array, folds: Array, threshold: float
) -> FoldsEvaluation:
    """Return the evaluation of P pairs.

    distances: (P,); an infinite one counts as that of two people at every threshold. same: (P,),
    bool. folds: (P,), the number of each pair's fold. threshold: for the error rates at a fixed
    threshold. Raise ShapeError for other shapes or fewer than two folds, NonFiniteError for NaN,
    and ArgumentError if the other folds of a fold lack pairs of one person or of two people.

    >>> distances, same = np.array([0.1, 0.9, 0.2, 0.8]), np.array([True, False, True, False])
    >>> result = evaluate_folds(distances, same, np.array([0, 0, 1, 1]), 0.5)
    >>> result.accuracy, result.standard_error, result.thresholds
    (1.0, 0.0, (0.5, 0.5))
    """
    numbers = np.unique(folds)
    if not distances.shape == same.shape == folds.shape or distances.ndim != 1 or len(numbers) < 2:
        raise ShapeError(
            f"evaluate_folds of distances {distances.shape}, same {same.shape} and folds "
            f"{folds.shape}; wanted (P,) three times, in at least two folds"
        )
    thresholds, accuracies = [], []
    for number in numbers:
        test = folds == number
        chosen = error_rates(distances[~test], same[~test]).most_accurate((same[~test]).mean())
        thresholds.append(chosen)
        accuracies.append(float(((distances[test] <= chosen) == same[test]).mean()))
    rates = error_rates(distances, same)
    false_accept, false_reject = rates.at(threshold)
    return FoldsEvaluation(
        accuracy=float(np.mean(accuracies)),
        standard_error=float(np.std(accuracies, ddof=1) / len(accuracies) ** 0.5),
        accuracies=tuple(accuracies),
        thresholds=tuple(thresholds),
        pairs=len(same),
        same_pairs=int(same.sum()),
        different_pairs=int((~same).sum()),
        equal_error_rate=rates.equal[0],
        threshold=threshold,
        accuracy_at_threshold=float(((distances <= threshold) == same).mean()),
        false_accept=false_accept,
        false_reject=false_reject,
    )
