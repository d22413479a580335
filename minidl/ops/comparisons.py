"""Element-wise comparisons of Tensors and logical operators for their results: == != < <= > >= & |
^ ~.

The result is a Tensor of bools, with the methods `all` and `any`. It never requires a gradient,
because it is constant almost everywhere.

>>> x = Tensor([1., 2., 3.])
>>> (x > 1) & (x != 3)
Tensor(array([False,  True, False]))
"""

import operator

from minidl.autograd import Tensor
from minidl.backend import array_module, is_array
from minidl.ops.arithmetic import must_broadcast


def _comparison(compare):
    """The method of Tensor for one of Python's operators.

    It returns NotImplemented for an operand that is no array or number, for which == is then False.
    """

    def method(a, b):
        b = b.data if isinstance(b, Tensor) else b
        if isinstance(b, (list, tuple)):
            b = array_module(a.data).asarray(b)
        if not is_array(b) and not isinstance(b, (bool, int, float, complex)):
            return NotImplemented
        must_broadcast(a.data, b)
        return Tensor(compare(a.data, b))

    return method


for _name in ("eq", "ne", "lt", "le", "gt", "ge", "and", "or", "xor"):
    setattr(Tensor, f"__{_name}__", _comparison(getattr(operator, f"__{_name}__")))
for _name in ("and", "or", "xor"):
    setattr(Tensor, f"__r{_name}__", getattr(Tensor, f"__{_name}__"))
Tensor.__invert__ = lambda x: Tensor(~x.data)
Tensor.all = lambda x, axis=None, keepdims=False: Tensor(x.data.all(axis=axis, keepdims=keepdims))
Tensor.any = lambda x, axis=None, keepdims=False: Tensor(x.data.any(axis=axis, keepdims=keepdims))
