"""What networks with others' weights have in common: they are fed as their weights want it, and
made from arrays by name."""

from minidl.autograd import Tensor, no_grad
from minidl.backend import array_module, current_device
from minidl.checkpoints import load, shipped
from minidl.errors import ShapeError
from minidl.layers import Convolution, Module, SeparableConvolution


class Pretrained(Module):
    """preprocessing: a checkpoints.Preprocessing, what the weights want to see. A subclass defines
    `_of(image)` for Tensors."""

    def __init__(self, preprocessing):
        self.preprocessing, self._constants = preprocessing, {}

    def __getstate__(self):
        return vars(self) | {"_constants": {}}  # the keys of the cache cannot be pickled

    def __call__(self, image):
        """What the network makes of pictures (H, W, 3) or (N, H, W, 3), RGB, 0..255. A Tensor gives
        a Tensor, an array an array."""
        if isinstance(image, Tensor):
            return self._of(image)
        with no_grad():
            return self._of(Tensor(image)).data

    def preprocess(self, image):
        """RGB 0..255, (H, W, 3) or (N, H, W, 3) -> (N, H, W, 3): (image, in the weights' order of
        colours, - mean) / std"""
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
        """As arrays, made once: what goes to a GPU waits for the GPU."""
        if (xp, dtype) not in self._constants:
            self._constants[xp, dtype] = [
                xp.asarray(v, dtype) for v in (self.preprocessing.mean, self.preprocessing.std)
            ]
        return self._constants[xp, dtype]


def restored(network, architecture, weights=None):
    """A Pretrained class with its weights, frozen, on the current device. weights: the path of a
    file in minidl's form; None: the shipped one."""
    checkpoint = load(weights or shipped(architecture.name), architecture)
    return network(checkpoint.arrays, checkpoint.preprocessing).freeze().to(current_device())


def must_be_square(x, side):
    if x.shape[1:3] != (side, side):
        raise ShapeError(f"the picture is {x.shape[2]}x{x.shape[1]}; wanted {side}x{side}")


def convolution(arrays, name, **options):
    """The layer of that name: a separable convolution where its arrays are those of one, else a
    plain one."""
    if f"{name}/depthwise" in arrays:
        return SeparableConvolution(
            arrays[f"{name}/depthwise"],
            arrays[f"{name}/pointwise"],
            arrays[f"{name}/bias"],
            **options,
        )
    return Convolution(arrays[f"{name}/kernel"], arrays[f"{name}/bias"], **options)


def convolution_shapes(name, side, inputs, outputs):
    """{name of an array: its shape} of a plain convolution"""
    return {f"{name}/kernel": (side, side, inputs, outputs), f"{name}/bias": (outputs,)}


def separable_shapes(name, side, inputs, outputs):
    """{name of an array: its shape} of a separable convolution"""
    return {
        f"{name}/depthwise": (side, side, 1, inputs),
        f"{name}/pointwise": (1, 1, inputs, outputs),
        f"{name}/bias": (outputs,),
    }
