"""The same maps in PyTorch, in two layouts of memory: "contiguous" with the channels first, as it takes them by default, and
"channels-last". Tensors have the shapes of minidl's arrays in both; PyTorch sees its own through `movedim`, a view."""

import importlib
import importlib.util
from functools import partial

import minidl

LAYOUTS = ("contiguous", "channels-last")
PLACES = {"cpu": "cpu", "gpu": "cuda"}  # PyTorch's words for minidl's devices


def is_installed():
    return importlib.util.find_spec("torch") is not None


def devices(wanted):
    """Those of the devices that PyTorch can use."""
    return [device for device in wanted if is_installed() and (device == "cpu" or pytorch().cuda.is_available())]


def rival(device, layout):
    """Its name in the results."""
    return f"PyTorch {layout}" if device == "cpu" else f"PyTorch {device} {layout}"


def pytorch():
    """The module, with as many threads as minidl has."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(minidl.get_threads())
    return torch


def choose_arithmetic(tf32):
    """Of products of float32 on a GPU: TF32, or float32. PyTorch may try which of cuDNN's algorithms is the fastest."""
    backends = pytorch().backends
    backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = tf32
    backends.cudnn.benchmark = True


def tensor(array, device):
    return pytorch().tensor(array, device=PLACES[device])


def maps(twin, gradients, layout, arrays, device):
    """{"forward": call, "dx": call, ..}: twin(torch.nn.functional, **tensors) and some gradients of it, each alone; dy is y."""
    torch = pytorch()
    tensors = {name: LAID_OUT.get(name, _activations)(tensor(array, device), layout) for name, array in arrays.items()}
    leaves = {name: tensors[name].detach().requires_grad_() for name in gradients}
    y = twin(torch.nn.functional, **tensors | leaves)
    dy = y.detach().clone()

    def gradient(leaf):
        return torch.autograd.grad(y, leaf, dy, retain_graph=True)[0]

    forward = torch.no_grad()(partial(twin, torch.nn.functional, **tensors))
    return {"forward": forward} | {f"d{name}": partial(gradient, leaf) for name, leaf in leaves.items()}


def vgg19_features(model, layout, device):
    """features(image (N, H, W, 3), names) -> {"conv4_2": (N, H, W, C), ..}: a VGG19's weights, frozen, and average pooling."""
    functional, mean, layers = pytorch().nn.functional, tensor(model.preprocessing.mean, device), []
    for name, layer in model.layers.items():
        if "conv" in name:
            kernel = _kernel(tensor(layer.kernel.data, device), layout).movedim((-1, -2), (0, 1))
            layers.append((f"conv{name[5]}_{name[-1]}", kernel, tensor(layer.bias.data, device)))
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
