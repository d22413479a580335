"""The check of an exercise names the errors that are planted into minidl's ops, where a reader can
make the same error."""

import inspect

import numpy as np
import pytest

from minidl.book.exercises import EXERCISES, judge
from tests.planted_errors import PLANTS


def by_name(function, **available):
    """Call a function with those of the arguments that it takes."""
    return function(**{name: available[name] for name in inspect.signature(function).parameters})


def of_convolution(name):
    """Return an adapter of a gradient of a convolution to an exercise with stride and padding."""

    def adapt(op):
        def gradient(dy, other, shape, stride, padding):
            others = {"x": other, "w_shape": shape} if name == "dw" else {"w": other}
            options = {"stride": stride, "padding": padding, "dilation": 1, "groups": 1}
            return by_name(op.gradients[name], dy=dy, x_shape=shape, **others, **options)

        return gradient

    return adapt


def convolution_options(op):
    def forward(x, w, b, stride, padding, dilation, groups):
        options = {"stride": stride, "dilation": dilation, "groups": groups}
        return op.forward(x, w, b, padding=(padding,), **options)

    return forward


def groups_dx(op):
    return lambda dy, w, x_shape, dilation, groups: op.gradients["dx"](
        dy, w, x_shape, 1, 0, dilation, groups
    )


def max_pool(op):
    return lambda x, window, stride, padding: op.forward(x, window, stride=stride, padding=padding)


def max_pool_dx(op):
    def gradient(dy, x, window, stride):
        y = op.forward(x, window, stride=stride)
        return op.gradients["dx"](dy, x, y, window, stride, 0, 1, False)

    return gradient


def batch_norm(op):
    return lambda x, gamma, beta, epsilon: op.forward(x, gamma, beta, None, epsilon)


def batch_norm_gradient(name):
    def adapt(op):
        def of(name, dy, x, gamma, epsilon):
            given = {"given": None, "epsilon": epsilon, "fixed": False}
            return by_name(op.gradients[name], dy=dy, x=x, gamma=gamma, **given)

        if name == "dx":
            return lambda dy, x, gamma, epsilon: of("dx", dy, x, gamma, epsilon)
        return lambda dy, x, epsilon: tuple(
            of(each, dy, x, np.ones(x.shape[-1]), epsilon) for each in ("dgamma", "dbeta")
        )

    return adapt


def softmax_dx(op):
    return lambda dy, y: op.gradients["dx"](dy, y, -1)


def unbroadcast(op):
    return lambda dy, x_shape: op.gradients["db"](dy)


def matmul(op):
    return lambda dy, a, b: (op.gradients["da"](dy, b, a.shape), op.gradients["db"](dy, a, b.shape))


def gram(op):
    return lambda dG, F: op.gradients["dfeatures"](dG[None], F[None, None], "none")[0, 0]


def style(op):
    return lambda dL, F, A: op.gradients["dgenerated"](dL, F[None, None], A[None], "gatys")[0, 0]


def variation(op):
    return lambda dL, x: op.gradients["dimage"](dL, x[..., None], "sum_squares")[..., 0]


def cross_entropy(op):
    return lambda dL, logits, labels: op.gradients["dlogits"](dL, logits, labels, "mean")


def energy(op):
    return lambda a, b, same, q: op.forward(a, b, same, q)


def energy_gradients(op):
    return lambda *arguments: (op.gradients["da"](*arguments), op.gradients["db"](*arguments))


def contrastive(op):
    return lambda *arguments: op.gradients["da"](*arguments)


def triplets(op):
    names = "danchor", "dpositive", "dnegative"
    return lambda dL, a, p, n, margin: tuple(
        op.gradients[name](dL, a, p, n, margin, "sum", True, False) for name in names
    )


def chi_square(op):
    return lambda dy, a, b: op.gradients["da"](dy, a, b, a.shape)


VARIATION = "total_variation[sum_squares]"
NAMED = {  # (row, error): (exercise, adapter, words of the sentence that names the error)
    ("convolution", "kernel flipped in dx"):
        ("convolution-dx", of_convolution("dx"), "kernel is flipped"),
    ("convolution", "stride ignored"):
        ("convolution-options", convolution_options, "stride is ignored"),
    ("convolution", "dilation ignored"):
        ("convolution-options", convolution_options, "dilation is ignored"),
    ("convolution", "padding off by one"):
        ("convolution-options", convolution_options, "one position too long"),
    ("convolution", "padding before and after swapped"):
        ("convolution-options", convolution_options, "before and after are exchanged"),
    ("convolution", "leftovers dropped from dx"):
        ("convolution-dx", of_convolution("dx"), "no window reads are missing"),
    ("convolution", "groups mixed up"):
        ("convolution-groups-dx", groups_dx, "groups are interleaved"),
    ("convolution", "overlaps overwritten in dx"):
        ("convolution-dx", of_convolution("dx"), "terms overwrite each other"),
    ("convolution", "batch not summed in dw"):
        ("convolution-dw", of_convolution("dw"), "Only the first image"),
    ("convolution", "bias gradient sums the wrong axes"):
        ("convolution-db", lambda op: op.gradients["db"], "Only the first image"),
    ("max_pool", "zeros as max-pool padding"): ("max-pool", max_pool, "The padding is 0"),
    ("max_pool", "dy to all of a tie"): ("max-pool-dx", max_pool_dx, "counted twice"),
    ("max_pool", "dy to the last of a tie"): ("max-pool-dx", max_pool_dx, "to the last maximum"),
    ("batch_norm", "variance over M - 1"): ("batch-norm", batch_norm, "divided by M - 1"),
    ("batch_norm", "ε outside of the root"): ("batch-norm", batch_norm, "outside of the root"),
    ("batch_norm", "dβ/M left out of dx"):
        ("batch-norm-dx", batch_norm_gradient("dx"), "term dβ/M is missing"),
    ("batch_norm", "x̂ dγ/M left out of dx"):
        ("batch-norm-dx", batch_norm_gradient("dx"), "variance is treated as constant"),
    ("batch_norm", "γ left out of dx"):
        ("batch-norm-dx", batch_norm_gradient("dx"), "γ is missing"),
    ("batch_norm", "ε left out of dx"):
        ("batch-norm-dx", batch_norm_gradient("dx"), "ε is forgotten"),
    ("batch_norm", "dγ not divided by σ"):
        ("batch-norm-dgamma", batch_norm_gradient("dgamma"), "not divided by √(σ² + ε)"),
    ("batch_norm", "dβ sums over the batch only"):
        ("batch-norm-dgamma", batch_norm_gradient("dbeta"), "first axis only"),
    ("softmax", "softmax without its sum"): ("softmax-dx", softmax_dx, "The sum is missing"),
    ("add", "unbroadcast missing"): ("unbroadcast", unbroadcast, "Nothing is summed"),
    ("matmul", "matmul's batch not summed"): ("matmul-gradients", matmul, "Only the first batch"),
    ("gram_matrix", "missing transpose"): ("gram-gradient", gram, "transpose is missing"),
    ("gram_matrix", "factor 2 missing"): ("gram-gradient", gram, "halved"),
    ("style_loss", "1/M missing in the gradient"):
        ("style-gradient", style, "division of G by M is missing"),
    (VARIATION, "sign of the border"):
        ("total-variation-gradient", variation, "Only signs are wrong"),
    (VARIATION, "one pixel of a difference forgotten"):
        ("total-variation-gradient", variation, "begins are forgotten"),
    ("softmax_cross_entropy", "gradient's label off by one"):
        ("cross-entropy-dlogits", cross_entropy, "labels are off by one"),
    ("softmax_cross_entropy", "1/N missing in the gradient"):
        ("cross-entropy-dlogits", cross_entropy, "1/N is missing"),
    ("softmax_cross_entropy", "p instead of p - 1"):
        ("cross-entropy-dlogits", cross_entropy, "1 is not subtracted"),
    ("siamese_energy_loss", "E² instead of E"): ("energy-loss", energy, "exponent contains E²"),
    ("siamese_energy_loss", "same and different swapped"):
        ("energy-loss", energy, "are exchanged"),
    ("siamese_energy_loss", "root forgotten in the gradient"):
        ("energy-gradients", energy_gradients, "root is forgotten"),
    ("siamese_energy_loss", "minus missing for b"):
        ("energy-gradients", energy_gradients, "minus of db is missing"),
    ("contrastive_loss", "hinge missing in the gradient"):
        ("contrastive-gradient", contrastive, "hinge is missing"),
    ("contrastive_loss", "pairs summed, not averaged"):
        ("contrastive-gradient", contrastive, "pairs are summed"),
    ("triplet_loss", "hinge missing in the gradient"):
        ("triplet-gradients", triplets, "dn: The hinge is missing"),
    ("triplet_loss", "positive forgotten"):
        ("triplet-gradients", triplets, "positive is forgotten in da"),
    ("chi_square", "divisor treated as constant"):
        ("chi-square-gradient", chi_square, "denominator is treated as constant"),
    ("chi_square", "0/0 in the gradient"): ("chi-square-gradient", chi_square, "0 is divided by 0"),
}  # fmt: skip
BY_ERROR = {(plant.row, plant.error): plant.op for plant in PLANTS}


@pytest.mark.parametrize("error", NAMED, ids=lambda error: f"{error[0]}: {error[1]}")
def test_the_planted_error_is_named(error):
    name, adapt, words = NAMED[error]
    with np.errstate(all="ignore"):
        verdict = judge(EXERCISES[name], adapt(BY_ERROR[error]))
    assert not verdict.passed and any(words in line for line in verdict.lines), verdict.lines


# Errors that no exercise about the same op lets a reader make: the forward or an option is not
# asked for, or they concern the tape.
ELSEWHERE = {
    ("convolution", "x kept for dx"),
    ("batch_norm", "mask missing in dβ"),
    ("style_loss", "minus missing in the gradient of style"),
    ("softmax_cross_entropy", "label off by one"),
    ("softmax_cross_entropy", "smoothing ignored"),
    ("contrastive_loss", "hinge missing"),
    ("triplet_loss", "hinge missing"),
    ("triplet_loss", "positive and negative swapped"),
    ("triplet_loss", "all triplets counted"),
    ("triplet_loss", "triplets summed, not averaged"),
    ("triplet_loss", "soft form with the gradient of the hinge"),
}


def test_no_planted_error_is_left_out():
    rows = {row for row, _ in NAMED}
    errors = {(plant.row, plant.error) for plant in PLANTS if plant.row in rows}
    assert errors - NAMED.keys() - ELSEWHERE == set()
