"""There are three ways to compute the losses of a picture and their gradient. They differ in memory
and time.

whole      There is one forward and one backward pass. The tape keeps the activations of all layers.
by_blocks  Forward, only the inputs of the blocks of VGG19 are kept. Backward, the activations of
           one block at a time are computed again (Chen, Xu, Zhang, Guestrin 2016, "Training Deep
           Nets with Sublinear Memory Cost").
by_tiles   Both passes compute one tile at a time. The activations need the memory of one tile. The
           picture, the pairs of L-BFGS and the features of the photograph remain whole.

The loss of a term depends on the features F only through their means m (see measures.py). The means
are added up first. Then the slopes ∂L/∂m are known, and the gradient of the loss is that of

    Σ ∂L/∂m · m(F)

with the slopes as constants. This sum is linear in the means, so that it can be computed block by
block or tile by tile. With the same sums in another order, the three ways differ by rounding only.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from minidl import ops
from minidl.autograd import Tensor
from minidl.backend import array_module
from minidl.style_transfer.measures import Means, Part, joined, merged, total
from minidl.style_transfer.objective import Objective, Term
from minidl.style_transfer.tiles import Tile
from minidl.typing import Array, Operand

PICTURE = "picture"  # what the first block reads


def losses_and_gradient(
    objective: Objective, image: Tensor, variation: bool = True
) -> tuple[Operand, dict[str, Any]]:
    """Return the total loss of an image (H, W, 3) and its parts, as the objective does.

    If the image requires a gradient, store it in image.grad. Tape and activations are released. The
    way is chosen by objective.memory. variation: whether to include the total variation.
    """
    memory = objective.memory
    if memory.has_tape or not objective.terms:
        whole, parts = objective(image, variation)
        if image.requires_grad:
            whole.backward(release=True)
        return whole, parts
    way = by_tiles if memory.side else by_blocks
    parts, gradient = way(objective, image.data, image.requires_grad)
    if variation and objective.settings.tv_weight:
        pixels = Tensor(image.data, requires_grad=image.requires_grad)
        parts["total_variation"] = loss = objective.total_variation(pixels)
        if image.requires_grad:
            gradient += _pulled(loss, pixels)
    image.grad = gradient
    return total(parts.values()), parts


def by_tiles(
    objective: Objective, image: Array, wants_gradient: bool = True
) -> tuple[dict[str, Any], Any]:
    """Return the parts of the loss of an image (H, W, 3) by name, without the total variation, and
    the gradient of their sum, or None."""
    tiles, xp = objective.tiles(image.shape, objective.layers), array_module(image)
    found: dict[str, list[Part]] = {name: [] for name in objective.terms}
    for tile in tiles:
        for name, part in _parts_of(objective, tile, image[tile.outer]):
            found[name].append(part)
    means = {name: merged(parts) for name, parts in found.items()}
    parts, slopes = _losses_and_slopes(objective, means, wants_gradient)
    if not wants_gradient:
        return parts, None
    amounts = {name: sum(part.amount for part in parts) for name, parts in found.items()}
    gradient = xp.zeros_like(image)
    for tile in tiles:
        pixels = Tensor(image[tile.outer], requires_grad=True)
        products = [
            _product(slopes[name], part.means) * (part.amount / amounts[name])
            for name, part in _parts_of(objective, tile, pixels)
        ]
        if products:
            gradient[tile.outer] += _pulled(total(products), pixels)
    return parts, gradient


def _parts_of(objective, tile: Tile, pixels: Operand) -> Iterator[tuple[str, Part]]:
    """Yield (name, the means of a tile) of the terms that count there. pixels: the outer pixels of
    the tile."""
    features = objective.own_features(tile, pixels, objective.layers)
    for name, term in objective.terms.items():
        stride, _ = objective.model.reach(term.layers)
        measure = term.measure.within(tile.positions(stride))
        F = joined([features[layer] for layer in term.layers])
        if amount := measure.amount(F.shape, measure.guide):
            yield name, Part(measure.means(F), amount)


def by_blocks(
    objective: Objective, image: Array, wants_gradient: bool = True
) -> tuple[dict[str, Any], Any]:
    """Return the same as `by_tiles`."""
    blocks, read = _blocks(objective), {PICTURE: image}
    inputs: list[dict[str, Array]] = []
    means: dict[str, Means] = {}
    for block in blocks:
        inputs.append(read)
        features = block.features(objective.model, read)
        means |= {name: block.means(name, features) for name in block.terms}
        read = {layer: features[layer] for layer in block.passed_on}
        del features
    parts, slopes = _losses_and_slopes(objective, means, wants_gradient)
    if not wants_gradient:
        return parts, None
    gradients: dict[str, Any] = {}  # of what the block passes on
    for block in reversed(blocks):
        leaves = {layer: Tensor(a, requires_grad=True) for layer, a in inputs.pop().items()}
        features = block.features(objective.model, leaves)
        products = [_product(slopes[name], block.means(name, features)) for name in block.terms]
        products += [ops.sum(features[layer] * gradients[layer]) for layer in block.passed_on]
        del features
        total(products).backward(release=True)
        gradients = {layer: leaf.grad for layer, leaf in leaves.items()}
    return parts, gradients[PICTURE]


class Block(NamedTuple):
    """A block of VGG19. start: the layer that it continues, or PICTURE. layers: those that it
    computes. terms: the terms whose deepest layer it computes. passed_on: the layers that later
    blocks read, of this block and of earlier ones."""

    start: str
    layers: list[str]
    terms: dict[str, Term]
    passed_on: list[str]

    def features(self, model: Any, read: Mapping[str, Operand]) -> dict[str, Operand]:
        """Return the layers of this block and those that it reads, which earlier blocks passed
        on."""
        after = None if self.start == PICTURE else self.start
        return {**read, **model.features(read[self.start], self.layers, after)}

    def means(self, name: str, features: Mapping[str, Operand]) -> Means:
        """Return the means of a term."""
        _, _, measure = term = self.terms[name]
        return measure.means(joined([features[layer] for layer in term.layers]))


def _blocks(objective):
    """Return the Blocks of VGG19, up to the deepest that a term reads."""
    number = {layer: _number(objective, layer) for layer in objective.layers}
    deepest, blocks = max(number.values()), []
    for own in range(1, deepest + 1):
        pool = [f"block{own}_pool"] if own < deepest else []
        terms = {
            name: term for name, term in objective.terms.items() if number[term.layers[-1]] == own
        }
        later = [
            layer
            for term in objective.terms.values()
            if number[term.layers[-1]] > own
            for layer in term.layers
            if number[layer] <= own
        ]
        start = f"block{own - 1}_pool" if own > 1 else PICTURE
        layers = [layer for layer in number if number[layer] == own] + pool
        blocks.append(Block(start, layers, terms, [*dict.fromkeys([*later, *pool])]))
    return blocks


def _number(objective, layer):
    """Return the number of the block of a layer."""
    return int(objective.model.canonical(layer)[len("block")])


def _losses_and_slopes(objective, means, wants_slopes):
    """Return the parts of the loss by name, and by name the slopes of their sum: an array for each
    of the means."""
    leaves = {
        name: tuple(Tensor(mean, requires_grad=wants_slopes) for mean in of_term)
        for name, of_term in means.items()
    }
    parts = {
        name: weight * measure.loss(leaves[name], objective.shape_at(layers))
        for name, (layers, weight, measure) in objective.terms.items()
    }
    slopes = {}
    if wants_slopes:
        total(parts.values()).backward(release=True)
        slopes = {name: [leaf.grad for leaf in of_term] for name, of_term in leaves.items()}
    return parts, slopes


def _product(slopes, means):
    """Return Σ ∂L/∂m · m."""
    return total([ops.sum(mean * slope) for mean, slope in zip(means, slopes, strict=True)])


def _pulled(loss, leaf):
    """Return the gradient of a leaf."""
    loss.backward(release=True)
    return leaf.grad
