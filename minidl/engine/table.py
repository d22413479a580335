"""This table says which fast implementation replaces which function of the textbook, and when.

`import minidl` calls `install`, which registers the table. To add an implementation, write a
function with the same parameters in a file of this package and add a row here.
tests/engine/test_table.py compares the implementation of every row with its definition, for all
ops.
"""

from collections.abc import Callable
from typing import NamedTuple

from minidl import dispatch, losses, ops
from minidl.autograd import tape
from minidl.engine import (
    activations,
    adaptive_pooling,
    bands,
    contraction,
    convolution,
    cross_entropy,
    distances,
    elementwise_losses,
    embedding,
    fused,
    layer_normalization,
    masks,
    matrices,
    normalization,
    pooling,
    pooling_gpu,
    reductions,
    resampling,
    scans,
    softmax,
    threads,
    updates,
)
from minidl.engine.elementwise import are_floats
from minidl.losses.wasserstein import eigenvectors
from minidl.ops.distances import pairwise_distances_gradients
from minidl.ops.einsum import summed
from minidl.ops.embedding import rows_added
from minidl.ops.example_normalization import (
    group_moments,
    group_norm_gradients,
    layer_norm_gradients,
)
from minidl.ops.masks import masked
from minidl.ops.normalization import batch_norm_gradients, moments
from minidl.optim.clipping import gradient_length
from minidl.optim.optimizer import apply_rule


class Row(NamedTuple):
    """One fast implementation.

    definition: the function of the textbook
    implementation: its replacement, a function of the same arguments
    applies: function of the same arguments that returns whether the implementation can take them,
        or None if it takes all
    """

    definition: Callable
    implementation: Callable
    applies: Callable | None = None


def _rows(op, module, *names, applies=None):
    """Yield a row for each name: "forward" for the forward of an op, "dx" and so on for its
    gradients. The implementation is the function of the module with the name of the definition."""
    for name in names:
        definition = op.forward if name == "forward" else op.gradients[name]
        yield Row(definition, getattr(module, definition.__name__), applies)


TABLE = (
    *_rows(ops.convolution, convolution, "forward", "dx", "dw", "db"),
    *_rows(fused.convolution_relu, convolution, "forward", "dx", "dw", "db"),
    *_rows(ops.transposed_convolution, convolution, "forward", "dx", "dw"),
    *_rows(ops.max_pool, pooling, "forward", "dx"),
    *_rows(ops.avg_pool, pooling, "forward", "dx"),
    *_rows(ops.max_pool, pooling_gpu, "forward", "dx", applies=pooling_gpu.applies),
    *_rows(ops.avg_pool, pooling_gpu, "forward", "dx", applies=pooling_gpu.applies),
    *_rows(ops.matmul, matrices, "forward", "da", "db"),
    Row(summed, contraction.summed, contraction.applies),
    *_rows(losses.gram_matrix, matrices, "forward", "dfeatures"),
    Row(eigenvectors, matrices.eigenvectors),
    *(
        row
        for op in (ops.leaky_relu, ops.sigmoid, ops.softplus, ops.elu, ops.silu, ops.erf, ops.gelu)
        for row in _rows(op, activations, "forward", "dx", applies=are_floats)
    ),
    *_rows(
        losses.softmax_cross_entropy, cross_entropy, "forward", applies=cross_entropy.has_labels
    ),
    *_rows(
        losses.softmax_cross_entropy,
        cross_entropy,
        "dlogits",
        applies=cross_entropy.is_gradient_of_labels,
    ),
    *_rows(
        losses.sigmoid_cross_entropy,
        elementwise_losses,
        "forward",
        applies=elementwise_losses.is_plain,
    ),
    *_rows(
        losses.sigmoid_cross_entropy,
        elementwise_losses,
        "dlogits",
        applies=elementwise_losses.is_plain_gradient,
    ),
    *_rows(
        losses.sigmoid_cross_entropy,
        elementwise_losses,
        "dtargets",
        applies=elementwise_losses.is_plain_gradient_of_targets,
    ),
    *_rows(losses.huber_loss, elementwise_losses, "forward", "dpredictions", applies=are_floats),
    *_rows(ops.batch_norm, normalization, "forward"),
    *_rows(fused.batch_norm_relu, normalization, "forward"),
    Row(batch_norm_gradients, normalization.batch_norm_gradients),
    Row(fused.batch_norm_relu_gradients, normalization.batch_norm_relu_gradients),
    Row(moments, normalization.moments),
    *_rows(ops.group_norm, normalization, "forward"),
    Row(group_norm_gradients, normalization.group_norm_gradients),
    Row(group_moments, normalization.group_moments),
    *_rows(ops.layer_norm, layer_normalization, "forward"),
    Row(layer_norm_gradients, layer_normalization.layer_norm_gradients),
    Row(rows_added, embedding.rows_added, embedding.applies),
    *_rows(ops.softmax, softmax, "forward", applies=softmax.applies),
    *_rows(ops.softmax, softmax, "dx", applies=softmax.gradient_applies),
    *_rows(ops.log_softmax, softmax, "forward", applies=softmax.applies),
    *_rows(ops.log_softmax, softmax, "dx", applies=softmax.gradient_applies),
    *_rows(ops.logsumexp, softmax, "forward", applies=softmax.logsumexp_applies),
    *_rows(ops.logsumexp, softmax, "dx", applies=softmax.logsumexp_gradient_applies),
    *_rows(ops.cumsum, scans, "forward", applies=scans.applies),
    *_rows(ops.cumsum, scans, "dx", applies=scans.gradient_applies),
    *_rows(ops.prod, scans, "dx", applies=scans.prod_gradient_applies),
    *_rows(ops.pairwise_distances, distances, "forward"),
    Row(pairwise_distances_gradients, distances.pairwise_distances_gradients),
    *_rows(ops.max, reductions, "forward", applies=reductions.joins),
    *_rows(ops.max, reductions, "dx", applies=reductions.joins_back),
    *_rows(
        ops.adaptive_max_pool,
        adaptive_pooling,
        "forward",
        applies=adaptive_pooling.has_several_bins,
    ),
    *_rows(
        ops.adaptive_max_pool, adaptive_pooling, "dx", applies=adaptive_pooling.has_bins_to_compare
    ),
    *_rows(ops.adaptive_avg_pool, bands, "forward", applies=adaptive_pooling.has_several_bins),
    *_rows(ops.adaptive_avg_pool, bands, "dx", applies=bands.averages_several),
    *_rows(ops.upsample, bands, "forward", "dx"),
    *_rows(ops.resample, resampling, "forward", "dx"),
    Row(masked, masks.masked),
    Row(apply_rule, updates.apply_rule, updates.applies),
    Row(gradient_length, updates.gradient_length),
    Row(tape.propagate, threads.propagate),
)


def install() -> None:
    """Register all implementations. If several rows have the same definition, the last row whose
    implementation applies is used."""
    for row in TABLE:
        dispatch.replace(*row)
