"""The operators and methods of a Tensor that compute. Each calls an op of `minidl.ops`."""

from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from minidl.typing import Axes, Operand, PerAxis

if TYPE_CHECKING:
    from minidl.autograd.tensor import Tensor


class Operators:
    """The operators and methods of a Tensor that compute. A method has the parameters of the op of
    the same name.

    arithmetic   +, -, *, /, **, @, abs, clip
    reductions   sum, mean, var, std, max, min, prod, argmax, argmin, cumsum
    shape        reshape, flatten, squeeze, transpose, T, repeat, x[key]
    comparisons  ==, !=, <, <=, >, >=, and on bools &, |, ^
    """

    __slots__ = ()

    ops: ClassVar[ModuleType]  # set by minidl.ops, because autograd/ does not import any op

    # ---- arithmetic -----------------------------------------------------------------------------

    def __add__(self, other: Operand) -> "Tensor":
        """self + other, see `ops.add`"""
        return self.ops.add(self, other)

    def __radd__(self, other: Operand) -> "Tensor":
        """other + self"""
        return self.ops.add(other, self)

    def __sub__(self, other: Operand) -> "Tensor":
        """self - other, see `ops.subtract`"""
        return self.ops.subtract(self, other)

    def __rsub__(self, other: Operand) -> "Tensor":
        """other - self"""
        return self.ops.subtract(other, self)

    def __mul__(self, other: Operand) -> "Tensor":
        """self · other, element by element, see `ops.multiply`"""
        return self.ops.multiply(self, other)

    def __rmul__(self, other: Operand) -> "Tensor":
        """other · self, element by element"""
        return self.ops.multiply(other, self)

    def __truediv__(self, other: Operand) -> "Tensor":
        """self / other, see `ops.divide`"""
        return self.ops.divide(self, other)

    def __rtruediv__(self, other: Operand) -> "Tensor":
        """other / self"""
        return self.ops.divide(other, self)

    def __matmul__(self, other: Operand) -> "Tensor":
        """The matrix product of self and other, see `ops.matmul`"""
        return self.ops.matmul(self, other)

    def __rmatmul__(self, other: Operand) -> "Tensor":
        """The matrix product of other and self"""
        return self.ops.matmul(other, self)

    def __pow__(self, exponent: Operand) -> "Tensor":
        """self^exponent, see `ops.power`"""
        return self.ops.power(self, exponent)

    def __rpow__(self, base: Operand) -> "Tensor":
        """base^self"""
        return self.ops.power(base, self)

    def __neg__(self) -> "Tensor":
        """-self"""
        return self.ops.negative(self)

    def __abs__(self) -> "Tensor":
        """|self|, see `ops.absolute`"""
        return self.ops.absolute(self)

    def clip(self, min: Operand = None, max: Operand = None) -> "Tensor":
        """The numbers, moved to the nearest bound if they are outside, see `ops.clip`"""
        return self.ops.clip(self, min, max)

    # ---- reductions: axis is an axis, several axes, or None for all ------------------------------

    def sum(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """The sum over the axes, see `ops.sum`"""
        return self.ops.sum(self, axis, keepdims)

    def mean(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """The mean over the axes, see `ops.mean`"""
        return self.ops.mean(self, axis, keepdims)

    def var(self, axis: Axes = None, keepdims: bool = False, *, correction: float = 0) -> "Tensor":
        """The variance over the axes, see `ops.var`"""
        return self.ops.var(self, axis, keepdims, correction=correction)

    def std(self, axis: Axes = None, keepdims: bool = False, *, correction: float = 0) -> "Tensor":
        """The standard deviation over the axes, see `ops.std`"""
        return self.ops.std(self, axis, keepdims, correction=correction)

    def max(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """The largest number over the axes, see `ops.max`"""
        return self.ops.max(self, axis, keepdims)

    def min(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """The smallest number over the axes, see `ops.min`"""
        return self.ops.min(self, axis, keepdims)

    def prod(self, axis: Axes = None, keepdims: bool = False) -> "Tensor":
        """The product over the axes, see `ops.prod`"""
        return self.ops.prod(self, axis, keepdims)

    def argmax(self, axis: int | None = None, keepdims: bool = False) -> "Tensor":
        """The place of the largest number along an axis, see `ops.argmax`"""
        return self.ops.argmax(self, axis, keepdims)

    def argmin(self, axis: int | None = None, keepdims: bool = False) -> "Tensor":
        """The place of the smallest number along an axis, see `ops.argmin`"""
        return self.ops.argmin(self, axis, keepdims)

    def cumsum(self, axis: int | None = None) -> "Tensor":
        """The sums up to each place along an axis, see `ops.cumsum`"""
        return self.ops.cumsum(self, axis)

    # ---- shape ----------------------------------------------------------------------------------

    def reshape(self, *shape: Any) -> "Tensor":
        """The same numbers in another shape, given as ints or as one tuple, see `ops.reshape`"""
        return self.ops.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> "Tensor":
        """The axes in another order, given as ints or as one tuple, see `ops.transpose`"""
        return self.ops.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def flatten(self, start: int = 0, end: int = -1) -> "Tensor":
        """The axes from `start` to `end` merged into one, see `ops.flatten`"""
        return self.ops.flatten(self, start, end)

    def squeeze(self, axis: Axes = None) -> "Tensor":
        """The numbers without axes of length 1, see `ops.squeeze`"""
        return self.ops.squeeze(self, axis)

    def repeat(self, repeats: PerAxis, axis: int | None = None) -> "Tensor":
        """Each number several times, one after the other, see `ops.repeat`"""
        return self.ops.repeat(self, repeats, axis)

    @property
    def T(self) -> "Tensor":  # noqa: N802
        """The axes in reversed order"""
        return self.ops.transpose(self)

    def __getitem__(self, key: Any) -> "Tensor":
        """self[key] with NumPy's rules, see `ops.index`"""
        return self.ops.index(self, key)

    # ---- comparisons and logic: Tensors of bools without a gradient, see `ops.compare` -----------

    def __eq__(self, other: Operand) -> Any:
        return self.ops.compare("eq", self, other)

    def __ne__(self, other: Operand) -> Any:
        return self.ops.compare("ne", self, other)

    def __lt__(self, other: Operand) -> "Tensor":
        return self.ops.compare("lt", self, other)

    def __le__(self, other: Operand) -> "Tensor":
        return self.ops.compare("le", self, other)

    def __gt__(self, other: Operand) -> "Tensor":
        return self.ops.compare("gt", self, other)

    def __ge__(self, other: Operand) -> "Tensor":
        return self.ops.compare("ge", self, other)

    def __and__(self, other: Operand) -> "Tensor":
        return self.ops.compare("and", self, other)

    def __or__(self, other: Operand) -> "Tensor":
        return self.ops.compare("or", self, other)

    def __xor__(self, other: Operand) -> "Tensor":
        return self.ops.compare("xor", self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__
