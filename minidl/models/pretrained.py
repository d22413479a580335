"""The common parts of networks with pretrained weights: preprocessing, and layers made from named
arrays."""

from collections.abc import Callable
from typing import Any, TypeVar

from minidl.autograd import Tensor, no_grad
from minidl.backend import array_module, current_device
from minidl.checkpoints import Architecture, Preprocessing, load, shipped
from minidl.errors import ShapeError
from minidl.layers import Convolution, Module, SeparableConvolution
from minidl.typing import Operand, Path, Shape

Network = TypeVar("Network", bound="Pretrained")

# of face-api.js' networks for the picture of one face
FACE = Preprocessing("RGB", mean=(122.782, 117.001, 104.298), std=(255.0, 255.0, 255.0))


class Pretrained(Module):
    """A network whose weights expect a certain preprocessing of the picture.

    A subclass defines `_of(image)`, which takes and returns Tensors.
    """

    def __init__(self, preprocessing: Preprocessing) -> None:
        self.preprocessing = preprocessing
        self._constants: dict[tuple, list] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Return the state without the cache, whose keys cannot be pickled."""
        return vars(self) | {"_constants": {}}

    def __call__(self, image: Operand) -> Operand:
        """Return the output for pictures (H, W, 3) or (N, H, W, 3), RGB, 0..255.

        A Tensor gives a Tensor, and an array gives an array.
        """
        if isinstance(image, Tensor):
            return self._of(image)
        with no_grad():
            return self._of(Tensor(image)).data

    def _of(self, image):
        raise NotImplementedError(f"{type(self).__name__} does not define _of")

    def preprocess(self, image: Operand) -> Operand:
        """Return pictures as the weights expect them: a Tensor (N, H, W, 3).

        It is (image - mean) / std, with the colours in the order of the weights. image: a Tensor
        (H, W, 3) or (N, H, W, 3), RGB, 0..255. Raise ShapeError for other shapes.
        """
        if image.ndim not in (3, 4) or image.shape[-1] != 3:
            raise ShapeError(
                f"the image has shape {image.shape}; wanted (H, W, 3) or (N, H, W, 3), RGB"
            )
        if image.dtype.kind != "f":
            image = Tensor(image.data.astype("float32"))
        xp = array_module(image.data)
        if image.ndim == 3:
            image = image.reshape(1, *image.shape)
        if self.preprocessing.channels == "BGR":
            image = image[..., ::-1]
        mean, std = self._mean_and_std(xp, image.dtype)
        return (image - mean) / std

    def _mean_and_std(self, xp, dtype):
        """Return the mean and std as arrays. They are cached, because a copy to a GPU waits until
        the GPU has finished its work."""
        if (xp, dtype) not in self._constants:
            constants = self.preprocessing.mean, self.preprocessing.std
            self._constants[xp, dtype] = [xp.asarray(values, dtype) for values in constants]
        return self._constants[xp, dtype]


def restored(
    network: Callable[..., Network], architecture: Architecture, weights: Path | None = None
) -> Network:
    """Return a network with its weights, frozen, on the current device.

    network: a subclass of Pretrained. weights: the path of a file in minidl's form, or None for the
    shipped one. Raise FileError if the file is missing, damaged, or of another network.
    """
    checkpoint = load(weights or shipped(architecture.name), architecture)
    return network(checkpoint.arrays, checkpoint.preprocessing).freeze().to(current_device())


def must_be_square(x: Operand, side: int) -> None:
    """Raise ShapeError unless pictures (N, H, W, C) have this height and width."""
    if x.shape[1:3] != (side, side):
        raise ShapeError(f"the picture is {x.shape[2]}x{x.shape[1]}; wanted {side}x{side}")


def convolution(arrays: dict, name: str, **options: Any) -> Module:
    """Return the convolution layer with the arrays of this name.

    It is a SeparableConvolution if there is an array NAME/depthwise. options: of the layer.
    """
    bias = arrays[f"{name}/bias"]
    if f"{name}/depthwise" in arrays:
        kernels = arrays[f"{name}/depthwise"], arrays[f"{name}/pointwise"]
        return SeparableConvolution(*kernels, bias, **options)
    return Convolution(arrays[f"{name}/kernel"], bias, **options)


def convolution_shapes(name: str, side: int, inputs: int, outputs: int) -> dict[str, Shape]:
    """Return {name of an array: its shape} for a convolution."""
    return {f"{name}/kernel": (side, side, inputs, outputs), f"{name}/bias": (outputs,)}


def separable_shapes(name: str, side: int, inputs: int, outputs: int) -> dict[str, Shape]:
    """Return {name of an array: its shape} for a separable convolution."""
    return {
        f"{name}/depthwise": (side, side, 1, inputs),
        f"{name}/pointwise": (1, 1, inputs, outputs),
        f"{name}/bias": (outputs,),
    }
