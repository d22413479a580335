"""Ops with one error each, of the kinds that people make, and the check that must find it."""

from tests.planted_errors.activations import ACTIVATIONS
from tests.planted_errors.arrays import ARRAYS
from tests.planted_errors.convolution import CONVOLUTIONS, RECTIFIED, RUNS, TRANSPOSED, WINOGRADS
from tests.planted_errors.distances import DISTANCES
from tests.planted_errors.elementwise import RESAMPLINGS, SIMPLE
from tests.planted_errors.examples import EXAMPLES
from tests.planted_errors.layers import NORMALIZATIONS, POOLINGS
from tests.planted_errors.losses import LOSSES
from tests.planted_errors.padding import PADDINGS
from tests.planted_errors.resizing import ADAPTIVE, UPSAMPLINGS
from tests.planted_errors.styles import STYLES

PLANTS = [
    *CONVOLUTIONS, *WINOGRADS, *RUNS, *RECTIFIED, *POOLINGS, *NORMALIZATIONS, *SIMPLE,
    *ACTIVATIONS, *RESAMPLINGS, *LOSSES, *STYLES, *DISTANCES, *TRANSPOSED, *PADDINGS, *EXAMPLES,
    *ARRAYS, *ADAPTIVE, *UPSAMPLINGS,
]  # fmt: skip
