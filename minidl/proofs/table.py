"""The table of proofs: one row for each op, with its kind of function in each argument."""

import functools
from collections.abc import Callable, Mapping
from contextlib import ContextDecorator
from dataclasses import dataclass, field
from typing import Any

from minidl import losses, ops
from minidl.autograd import Op, differentiable, plain
from minidl.backend import current_device, is_array, to_device
from minidl.engine import ConvolutionAlgorithm, batch_norm_relu, convolution_relu, using
from minidl.gradcheck import Proof, prove
from minidl.losses.total_variation import FORMS
from minidl.ops.example_normalization import group_moments
from minidl.proofs import array_geometry as arrays
from minidl.proofs import geometry
from minidl.proofs.geometry import Arguments, Chooser, RandomChooser
from minidl.proofs.numbers import fill


@dataclass(frozen=True)
class Row:
    """An op and what is proven of it.

    op: an Op, or a function of its arguments that calls one. draw: function that chooses the
    geometry. kinds: {argument: key of `gradcheck.KINDS`}. data: {argument: key of `numbers.DATA`};
    by default "spaced" if the op is piecewise linear in the argument, and "normal" otherwise.
    """

    name: str
    op: Callable[..., Any]
    draw: Callable[[Chooser], Arguments]
    kinds: Mapping[str, str]
    data: Mapping[str, str] = field(default_factory=dict)


def run(row: Row, cases: int = 20, seed: int = 0) -> dict[str, Proof]:
    """Prove a row on random geometries, on the current device. Return {argument: the Proof with the
    largest error}.

    cases: the number of geometries.
    """
    worst: dict[str, Proof] = {}
    for case in range(cases):
        filled = fill(row, row.draw(RandomChooser((seed, case))), (seed, case, 1))
        arguments = {name: _on_device(value) for name, value in filled.items()}
        for proof in prove(row.op, arguments, row.kinds, seed=(seed, case, 2)):
            if proof.argument not in worst or not proof.error <= worst[proof.argument].error:
                worst[proof.argument] = proof
    return worst


def _on_device(value):
    return to_device(value, current_device()) if is_array(value) else value


def _concatenate_two(a, b, axis):
    return ops.concatenate([a, b], axis)


def _stack_two(a, b, axis):
    return ops.stack([a, b], axis)


def _parts_in_reverse(x, sections, axis):
    return ops.concatenate(ops.split(x, sections, axis)[::-1], axis)


def _einsum_of_one(a, subscripts):
    return ops.einsum(subscripts, a)


def _einsum_of_two(a, b, subscripts):
    return ops.einsum(subscripts, a, b)


def _power_of_number(x, number):
    return ops.power(x, number)


def _clip_to_numbers(x, bounds):
    return ops.clip(x, *bounds)


def _fixed_batch_norm(x, gamma, beta, epsilon, mean, variance):
    return ops.batch_norm(x, gamma, beta, (mean, variance), epsilon, fixed=True)


def _group_norm_with_moments(x, gamma, beta, groups, epsilon):
    moments = group_moments(plain(x), groups)
    return ops.group_norm(x, gamma, beta, groups=groups, epsilon=epsilon, given=moments)


def by_algorithm(name: ConvolutionAlgorithm, op: Any) -> Op:
    """Return the op with its forward and gradients computed by one algorithm of the engine."""
    return within(using(convolution=name), op)


def within(block: ContextDecorator, op: Any) -> Op:
    """Return the op with its forward and gradients computed within a block.

    block: such as `using(convolution="im2col")` or `textbook()`.
    """
    gradients: dict[str, Any] = {of: block(gradient) for of, gradient in op.gradients.items()}
    return differentiable(block(op.forward), check=op.check, **gradients)


_VARIATION_KINDS = {"sum_absolute": "piecewise linear", "power": "analytic"}
_VARIATION_DATA = {"power": {"image": "spaced"}}  # not smooth where both differences are 0
_TRIPLET_KINDS: dict[str, str] = dict.fromkeys(("anchor", "positive", "negative"), "analytic")

_CONVOLUTIONS: dict[ConvolutionAlgorithm, Callable[[Chooser], Arguments]] = {
    "im2col": geometry.convolution,
    "runs": geometry.convolution_of_runs,
    "winograd": geometry.convolution_of_threes,
    "winograd_runs": functools.partial(geometry.convolution_of_threes, least_axes=2),
    "depthwise": geometry.convolution_of_each_channel,
}
# The sums keep a distance of 5000 from the kink.
_RELU_DATA = {"x": "hundreds", "w": "hundreds", "b": "odd thousands"}

ROWS = [
    Row("convolution", ops.convolution, geometry.convolution, dict.fromkeys("xwb", "linear")),
    *(
        Row(f"convolution[{name}]", by_algorithm(name, ops.convolution), draw,
            dict.fromkeys("xwb", "linear"))
        for name, draw in _CONVOLUTIONS.items()
    ),
    *(
        Row(f"convolution_relu[{name}]", by_algorithm(name, convolution_relu), draw,
            dict.fromkeys("xwb", "piecewise linear"), _RELU_DATA)
        for name, draw in _CONVOLUTIONS.items()
    ),
    Row("convolution_relu", convolution_relu, geometry.convolution,
        dict.fromkeys("xwb", "piecewise linear"), _RELU_DATA),
    Row("transposed_convolution", ops.transposed_convolution, geometry.transposed_convolution,
        dict.fromkeys("xwb", "linear")),
    Row("max_pool", ops.max_pool, geometry.max_pool, {"x": "piecewise linear"}),
    Row("avg_pool", ops.avg_pool, geometry.avg_pool, {"x": "linear"}),
    Row("adaptive_max_pool", ops.adaptive_max_pool, geometry.adaptive_pool,
        {"x": "piecewise linear"}),
    Row("adaptive_avg_pool", ops.adaptive_avg_pool, geometry.adaptive_pool, {"x": "linear"}),
    Row("upsample", ops.upsample, geometry.upsample, {"x": "linear"}),
    Row("batch_norm", ops.batch_norm, geometry.batch_norm,
        {"x": "analytic", "gamma": "linear", "beta": "linear"}, {"x": "spaced"}),
    Row("batch_norm[fixed]", _fixed_batch_norm, geometry.batch_norm_with_fixed_moments,
        {"x": "linear", "gamma": "linear", "beta": "linear"}),
    Row("batch_norm[plain]", ops.batch_norm, geometry.batch_norm_without_parameters,
        {"x": "analytic"}, {"x": "spaced"}),
    Row("batch_norm_relu", batch_norm_relu, geometry.batch_norm,
        {"x": "analytic", "gamma": "piecewise linear", "beta": "piecewise linear"},
        {"x": "two clusters", "gamma": "hundreds"}),
    Row("group_norm", ops.group_norm, geometry.group_norm,
        {"x": "analytic", "gamma": "linear", "beta": "linear"}, {"x": "spaced"}),
    Row("group_norm[plain]", ops.group_norm, geometry.group_norm_without_parameters,
        {"x": "analytic"}, {"x": "spaced"}),
    Row("group_norm[given]", _group_norm_with_moments, geometry.group_norm,
        {"x": "analytic", "gamma": "linear", "beta": "linear"}, {"x": "spaced"}),
    Row("layer_norm", ops.layer_norm, geometry.layer_norm,
        {"x": "analytic", "gamma": "linear", "beta": "linear"}, {"x": "spaced"}),
    Row("layer_norm[plain]", ops.layer_norm, geometry.layer_norm_without_parameters,
        {"x": "analytic"}, {"x": "spaced"}),
    Row("local_response_norm", ops.local_response_norm, geometry.local_response_norm,
        {"x": "analytic"}),
    Row("embedding", ops.embedding, geometry.embedding, {"w": "linear"}),
    Row("dropout", ops.dropout, geometry.dropout, {"x": "linear"}),
    Row("relu", ops.relu, geometry.elements, {"x": "piecewise linear"}),
    Row("leaky_relu", ops.leaky_relu, geometry.elements, {"x": "piecewise linear"}),
    Row("prelu", ops.prelu, geometry.prelu, {"x": "piecewise linear", "slope": "linear"}),
    Row("sigmoid", ops.sigmoid, geometry.elements, {"x": "analytic"}),
    Row("tanh", ops.tanh, geometry.elements, {"x": "analytic"}),
    Row("erf", ops.erf, geometry.elements, {"x": "analytic"}),
    Row("softplus", ops.softplus, geometry.softplus, {"x": "analytic"}),
    Row("elu", ops.elu, geometry.elu, {"x": "analytic"}),
    Row("silu", ops.silu, geometry.elements, {"x": "analytic"}),
    Row("gelu", ops.gelu, geometry.gelu, {"x": "analytic"}),
    Row("softmax", ops.softmax, geometry.softmax, {"x": "analytic"}),
    Row("log_softmax", ops.log_softmax, geometry.softmax, {"x": "analytic"}),
    Row("logsumexp", ops.logsumexp, geometry.reduction, {"x": "analytic"}),
    Row("add", ops.add, geometry.broadcasting, {"a": "linear", "b": "linear"}),
    Row("subtract", ops.subtract, geometry.broadcasting, {"a": "linear", "b": "linear"}),
    Row("multiply", ops.multiply, geometry.broadcasting, {"a": "linear", "b": "linear"}),
    Row("divide", ops.divide, geometry.broadcasting, {"a": "linear", "b": "analytic"},
        {"b": "nonzero"}),
    Row("negative", ops.negative, geometry.elements, {"x": "linear"}),
    Row("power", ops.power, arrays.power, {"x": "analytic", "exponent": "analytic"},
        {"x": "positive"}),
    Row("power[number]", _power_of_number, arrays.power_of_number, {"x": "analytic"},
        {"x": "positive"}),
    Row("exp", ops.exp, geometry.elements, {"x": "analytic"}),
    Row("log", ops.log, geometry.elements, {"x": "analytic"}, {"x": "positive"}),
    Row("sqrt", ops.sqrt, geometry.elements, {"x": "analytic"}, {"x": "positive"}),
    Row("expm1", ops.expm1, geometry.elements, {"x": "analytic"}),
    Row("log1p", ops.log1p, geometry.elements, {"x": "analytic"}, {"x": "positive"}),
    Row("sin", ops.sin, geometry.elements, {"x": "analytic"}),
    Row("cos", ops.cos, geometry.elements, {"x": "analytic"}),
    Row("absolute", ops.absolute, geometry.elements, {"x": "piecewise linear"}),
    Row("maximum", ops.maximum, geometry.broadcasting,
        {"a": "piecewise linear", "b": "piecewise linear"}),
    Row("minimum", ops.minimum, geometry.broadcasting,
        {"a": "piecewise linear", "b": "piecewise linear"}),
    Row("clip", ops.clip, arrays.clip, dict.fromkeys(("x", "min", "max"), "piecewise linear")),
    Row("clip[numbers]", _clip_to_numbers, arrays.clip_to_numbers, {"x": "piecewise linear"}),
    Row("where", ops.where, arrays.where, {"a": "linear", "b": "linear"}),
    Row("matmul", ops.matmul, geometry.matmul, {"a": "linear", "b": "linear"}),
    Row("einsum", _einsum_of_two, arrays.einsum_of_two, {"a": "linear", "b": "linear"}),
    Row("einsum[one]", _einsum_of_one, arrays.einsum_of_one, {"a": "linear"}),
    Row("sum", ops.sum, geometry.reduction, {"x": "linear"}),
    Row("mean", ops.mean, geometry.reduction, {"x": "linear"}),
    Row("max", ops.max, geometry.reduction, {"x": "piecewise linear"}),
    Row("min", ops.min, geometry.reduction, {"x": "piecewise linear"}),
    Row("prod", ops.prod, geometry.reduction, {"x": "analytic"}),
    Row("prod[zero]", ops.prod, geometry.reduction, {"x": "analytic"}, {"x": "with a zero"}),
    Row("var", ops.var, arrays.statistics, {"x": "quadratic"}),
    Row("std", ops.std, arrays.statistics, {"x": "analytic"}),
    Row("cumsum", ops.cumsum, arrays.cumsum, {"x": "linear"}),
    Row("reshape", ops.reshape, geometry.reshape, {"x": "linear"}),
    Row("flatten", ops.flatten, arrays.flatten, {"x": "linear"}),
    Row("squeeze", ops.squeeze, arrays.squeeze, {"x": "linear"}),
    Row("expand_dims", ops.expand_dims, arrays.expand_dims, {"x": "linear"}),
    Row("transpose", ops.transpose, geometry.transpose, {"x": "linear"}),
    Row("concatenate", _concatenate_two, geometry.concatenate, {"a": "linear", "b": "linear"}),
    Row("stack", _stack_two, arrays.stack, {"a": "linear", "b": "linear"}),
    Row("split", _parts_in_reverse, arrays.split, {"x": "linear"}),
    Row("index", ops.index, geometry.index, {"x": "linear"}),
    Row("repeat", ops.repeat, arrays.repeat, {"x": "linear"}),
    Row("tile", ops.tile, arrays.tile, {"x": "linear"}),
    Row("pad", ops.pad, geometry.pad, {"x": "linear"}),
    Row("broadcast_to", ops.broadcast_to, geometry.broadcast_to, {"x": "linear"}),
    Row("resample", ops.resample, geometry.resample, {"x": "linear"}),
    Row("l2_normalize", ops.l2_normalize, geometry.vectors, {"x": "analytic"},
        {"x": "rows of zeros"}),
    Row("l2_normalize[tiny]", ops.l2_normalize, geometry.vectors, {"x": "analytic"},
        {"x": "tiny rows of zeros"}),
    Row("cosine_similarity", ops.cosine_similarity, geometry.pairs_of_vectors,
        {"a": "analytic", "b": "analytic"}, {"a": "rows of zeros", "b": "rows of zeros"}),
    Row("pairwise_distances", ops.pairwise_distances, geometry.points,
        {"a": "analytic", "b": "analytic"}),
    Row("pairwise_distances[duplicates]", ops.pairwise_distances, geometry.points,
        {"a": "analytic", "b": "analytic"}, {"a": "corners", "b": "corners"}),
    Row("pairwise_distances[one-set]", ops.pairwise_distances, geometry.points_of_one_set,
        {"a": "analytic"}),
    Row("pairwise_distances[one-set,duplicates]", ops.pairwise_distances,
        geometry.points_of_one_set, {"a": "analytic"}, {"a": "corners"}),
    Row("chi_square", ops.chi_square, geometry.broadcasting, {"a": "analytic", "b": "analytic"},
        {"a": "counts", "b": "counts"}),
    Row("chi_square[tiny]", ops.chi_square, geometry.broadcasting,
        {"a": "analytic", "b": "analytic"}, {"a": "tiny counts", "b": "tiny counts"}),
    Row("content_loss", losses.content_loss, geometry.content_loss,
        {"generated": "quadratic", "content": "quadratic"}),
    Row("gram_matrix", losses.gram_matrix, geometry.gram_matrix, {"features": "quadratic"}),
    Row("gram_loss", losses.gram_loss, geometry.gram_loss, {"G": "quadratic", "A": "quadratic"}),
    Row("style_loss", losses.style_loss, geometry.style_loss,
        {"generated": "quartic", "style": "quartic"}),
    Row("guided_gram_matrix", losses.guided_gram_matrix, geometry.guided_gram_matrix,
        {"features": "quadratic"}),
    Row("deviation_loss", losses.deviation_loss, geometry.deviation_loss,
        {"m": "analytic", "q": "analytic"}, {"q": "positive", "target_deviation": "positive"}),
    Row("moments_loss", losses.moments_loss, geometry.features_and_style_by((0.1, 1.0)),
        {"generated": "analytic"}),
    Row("gaussian_loss", losses.gaussian_loss, geometry.gaussian_loss,
        {"m": "smooth", "G": "smooth"},
        {"m": "nonzero", "G": "positive definite", "target_root": "positive definite"}),
    Row("wasserstein_loss", losses.wasserstein_loss, geometry.features_and_style_by((0.3, 1.0)),
        {"generated": "smooth"}),
    Row("histogram_loss", losses.histogram_loss, geometry.features_and_style,
        {"generated": "analytic"}),
    Row("nearest_loss", losses.nearest_loss, geometry.features_and_style,
        {"generated": "analytic"}),
    Row("patch_loss", losses.patch_loss, geometry.patch_loss, {"generated": "analytic"}),
    Row("softmax_cross_entropy", losses.softmax_cross_entropy, geometry.softmax_cross_entropy,
        {"logits": "analytic"}),
    Row("softmax_cross_entropy[weights]", losses.softmax_cross_entropy,
        geometry.softmax_cross_entropy_with_weights, {"logits": "analytic"}),
    Row("softmax_cross_entropy[probabilities]", losses.softmax_cross_entropy,
        geometry.softmax_cross_entropy_of_probabilities,
        {"logits": "analytic", "labels": "linear"}, {"labels": "positive"}),
    Row("mse_loss", losses.mse_loss, geometry.regression,
        {"predictions": "quadratic", "targets": "quadratic"}),
    Row("l1_loss", losses.l1_loss, geometry.regression,
        {"predictions": "piecewise linear", "targets": "piecewise linear"}),
    Row("huber_loss", losses.huber_loss, geometry.huber_loss,
        {"predictions": "analytic", "targets": "analytic"}),
    Row("sigmoid_cross_entropy", losses.sigmoid_cross_entropy, geometry.sigmoid_cross_entropy,
        {"logits": "analytic", "targets": "linear"}),
    Row("sigmoid_cross_entropy[weights]", losses.sigmoid_cross_entropy,
        geometry.sigmoid_cross_entropy_with_weights,
        {"logits": "analytic", "targets": "linear"}),
    Row("siamese_energy_loss", losses.siamese_energy_loss, geometry.pairs("q", (5.0, 0.7)),
        {"a": "analytic", "b": "analytic"}),
    Row("contrastive_loss", losses.contrastive_loss, geometry.pairs("margin", (1.0, 3.0)),
        {"a": "analytic", "b": "analytic"}),
    Row("triplet_loss", losses.triplet_loss, geometry.triplets, _TRIPLET_KINDS),
    Row("triplet_loss[duplicates]", losses.triplet_loss, geometry.triplets, _TRIPLET_KINDS,
        dict.fromkeys(_TRIPLET_KINDS, "corners")),
    *(
        Row(f"total_variation[{form}]", losses.total_variation, geometry.total_variation(form),
            {"image": _VARIATION_KINDS.get(form, "quadratic")}, _VARIATION_DATA.get(form, {}))
        for form in FORMS
    ),
]  # fmt: skip
