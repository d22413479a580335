"""Grad-CAM (Selvaraju et al. 2017): the maps of a layer, each weighted by how much a deeper number
wants more of it.

    w_k = 1/Z Σ_p ∂F/∂A_pk,      M_p = max(Σ_k w_k A_pk, 0)

A: the layer's activations at its Z positions p; F: a number of what follows. (Their equations 1 and
2.) Where F is the mean of the maps' own weighted sum, Σ_k v_k A_pk, the weights are v_k / Z: the
class activation map of Zhou et al. 2016.
"""

from minidl import ops
from minidl.errors import ArgumentError
from minidl.visualize.receptive_fields import receptive_fields
from minidl.visualize.scalars import value_and_gradient


def grad_cam(scalar, picture, layer):
    """(*spatial, C) -> (*the layer's positions). scalar: a Scalar. Raises ArgumentError as
    `must_weigh` does."""
    must_weigh(scalar, picture.shape[:-1], layer)
    network = scalar.network
    [activations] = network.activations(picture[None], [layer]).values()
    following = [step.name for step in network.steps].index(network.canonical(layer)) + 1
    rest = network._replace(
        steps=network.steps[following:], prepare=lambda activations: activations
    )
    _, gradients = value_and_gradient(scalar._replace(network=rest), activations)
    weights = gradients[0].mean(axis=tuple(range(gradients.ndim - 2)))
    return ops.relu(activations[0] @ weights)


def must_weigh(scalar, extent, layer):
    """Raise ArgumentError for a layer that is not before the scalar's unit, or that has no
    positions in a picture of (H, W)."""
    network = scalar.network
    names = [step.name for step in network.steps]
    if names.index(network.canonical(layer)) >= names.index(network.canonical(scalar.unit.layer)):
        raise ArgumentError(
            f"Grad-CAM of {layer} for {scalar.unit}, which is not behind it; name a layer before it"
        )
    if not receptive_fields(network, extent, [layer])[layer].out:
        raise ArgumentError(
            f"Grad-CAM of {layer}, whose numbers are at no positions; name a layer before it"
        )
