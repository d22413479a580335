"""The same maps in PyTorch, in two layouts of memory: "contiguous" with the channels first, as it takes them by default, and
"channels-last". Tensors have the shapes of minidl's arrays in both; PyTorch sees its own through `movedim`, a view."""

import importlib
import importlib.util
from functools import partial

import minidl

LAYOUTS = ("contiguous", "channels-last")


def is_installed():
    return importlib.util.find_spec("torch") is not None


def pytorch():
    """The module, with as many threads as minidl has."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(minidl.get_threads())
    return torch


def maps(twin, gradients, layout, arrays):
    """{"forward": call, "dx": call, ..}: twin(torch.nn.functional, **tensors) and some gradients of it, each alone; dy is y."""
    torch = pytorch()
    tensors = {name: LAID_OUT.get(name, _activations)(torch.tensor(array), layout) for name, array in arrays.items()}
    leaves = {name: tensors[name].detach().requires_grad_() for name in gradients}
    y = twin(torch.nn.functional, **tensors | leaves)
    dy = y.detach().clone()

    def gradient(leaf):
        return torch.autograd.grad(y, leaf, dy, retain_graph=True)[0]

    forward = torch.no_grad()(partial(twin, torch.nn.functional, **tensors))
    return {"forward": forward} | {f"d{name}": partial(gradient, leaf) for name, leaf in leaves.items()}


def vgg19_features(model, layout):
    """features(image (N, H, W, 3), names) -> {"conv4_2": (N, H, W, C), ..}: a VGG19's weights, frozen, and average pooling."""
    torch = pytorch()
    functional, mean, layers = torch.nn.functional, torch.tensor(model.preprocessing.mean), []
    for name, layer in model.layers.items():
        if "conv" in name:
            kernel = _kernel(torch.tensor(layer.kernel.data), layout).movedim((-1, -2), (0, 1))
            layers.append((f"conv{name[5]}_{name[-1]}", kernel, torch.tensor(layer.bias.data)))
        else:
            layers.append((name, None, None))

    def features(image, names):
        x, found = _activations(image.flip(-1) - mean, layout).movedim(-1, 1), {}
        for name, kernel, bias in layers:
            if len(found) == len(names):
                break
            x = functional.avg_pool2d(x, 2) if kernel is None else functional.conv2d(x, kernel, bias, padding=1).relu_()
            if name in names:
                found[name] = x.movedim(1, -1)
        return found

    return features


def _activations(tensor, layout):
    """(N, *spatial, C), in memory (N, C, *spatial) where the layout is contiguous"""
    return tensor.movedim(-1, 1).contiguous().movedim(1, -1) if layout == "contiguous" else tensor


def _kernel(tensor, layout):
    """(*kernel, C, K), in memory (K, C, *kernel) or (K, *kernel, C)"""
    if layout == "contiguous":
        return tensor.movedim((-1, -2), (0, 1)).contiguous().movedim((0, 1), (-1, -2))
    return tensor.movedim(-1, 0).contiguous().movedim(0, -1)


def _as_it_is(tensor, layout):
    return tensor


LAID_OUT = {"w": _kernel, "b": _as_it_is, "style": _as_it_is}
