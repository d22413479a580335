"""Batch normalization: what its gradients do not compute. (The op table has the rest.)"""

import numpy as np

from minidl import ops
from minidl.ops import normalization


def test_dx_is_not_filled_where_nobody_wants_it(monkeypatch):
    x, dy, y = np.random.default_rng(0).standard_normal((3, 8, 5))
    given = (dy, x, np.ones(5), None, 1e-5, False)
    rectified = (dy, y, *given[1:])
    wanted = [ops.batch_norm.gradients[name](*given) for name in ("dgamma", "dbeta")]
    wanted += [ops.batch_norm_relu.gradients[name](*rectified) for name in ("dgamma", "dbeta")]
    monkeypatch.setattr(normalization, "empty", None)
    found = normalization.batch_norm_gradients(*given, wanted=["gamma", "beta"])
    found_rectified = normalization.batch_norm_relu_gradients(*rectified, wanted=["gamma", "beta"])
    np.testing.assert_array_equal([*found.values(), *found_rectified.values()], wanted)
