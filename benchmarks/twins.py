"""The same maps in PyTorch, in two layouts of memory: "contiguous" with the channels first, as it
takes them by default, and "channels-last". Tensors have the shapes of minidl's arrays in both;
PyTorch sees its own through `movedim`, a view."""

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
    return [
        device
        for device in wanted
        if is_installed() and (device == "cpu" or pytorch().cuda.is_available())
    ]


def rival(device, layout):
    """Its name in the results."""
    return f"PyTorch {layout}" if device == "cpu" else f"PyTorch {device} {layout}"


def pytorch():
    """The module, with as many threads as minidl has."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(minidl.get_threads())
    return torch


def choose_arithmetic(tf32):
    """Of products of float32 on a GPU: TF32, or float32. PyTorch may try which of cuDNN's
    algorithms is the fastest."""
    backends = pytorch().backends
    backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = tf32
    backends.cudnn.benchmark = True


def tensor(array, device):
    return pytorch().tensor(array, device=PLACES[device])


def maps(twin, gradients, layout, arrays, device):
    """{"forward": call, "dx": call, ..}: twin(torch.nn.functional, **tensors) and some gradients of
    it, each alone; dy is y."""
    torch = pytorch()
    tensors = {
        name: LAID_OUT.get(name, _activations)(tensor(array, device), layout)
        for name, array in arrays.items()
    }
    leaves = {name: tensors[name].detach().requires_grad_() for name in gradients}
    y = twin(torch.nn.functional, **tensors | leaves)
    dy = y.detach().clone()

    def gradient(leaf):
        return torch.autograd.grad(y, leaf, dy, retain_graph=True)[0]

    forward = torch.no_grad()(partial(twin, torch.nn.functional, **tensors))
    return {"forward": forward} | {
        f"d{name}": partial(gradient, leaf) for name, leaf in leaves.items()
    }


def vgg19_features(model, layout, device):
    """features(image (N, H, W, 3), names) -> {"conv4_2": (N, H, W, C), ..}: a VGG19's weights,
    frozen, and average pooling."""
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
            x = (
                functional.avg_pool2d(x, 2)
                if kernel is None
                else functional.conv2d(x, kernel, bias, padding=1).relu_()
            )
            if name in names:
                found[name] = x.movedim(1, -1)
        return found

    return features


def pictures(array, layout, device):
    """A batch (N, H, W, C) as PyTorch takes it, (N, C, H, W), in the layout; anything else as it
    is."""
    return (
        _activations(tensor(array, device), layout).movedim(-1, 1)
        if array.ndim == 4
        else tensor(array, device)
    )


def sequential(model, layout, device):
    """A Sequential of minidl as one of PyTorch, with the same weights, without dropout."""
    nn, made, is_flat = pytorch().nn, [], False
    for layer in model.layers.values():
        kind = type(layer).__name__
        if kind == "Convolution":
            made += _convolution(nn, layer, layout)
        elif kind == "BatchNorm":
            norm = nn.BatchNorm1d if is_flat else nn.BatchNorm2d
            made.append(norm(len(layer.mean), layer.epsilon, 1 - layer.momentum))
        elif kind == "Dense":
            made.append(nn.Linear(*layer.kernel.shape))
            made[-1].weight.data, made[-1].bias.data = (
                tensor(layer.kernel.data.T.copy(), "cpu"),
                tensor(layer.bias.data, "cpu"),
            )
        elif kind == "Flatten":
            made.append(_flatten(nn))
            is_flat = True
        elif kind in ("MaxPool", "ReLU"):
            made.append(
                nn.ReLU()
                if kind == "ReLU"
                else nn.MaxPool2d(layer.size, layer.options.get("stride"))
            )
    return nn.Sequential(*made).to(PLACES[device])


def _convolution(nn, layer, layout):
    """With its padding as a layer of its own, since "same" pads one side more than the other where
    the stride is 2"""
    *taps, inputs, outputs = layer.kernel.shape
    stride, padding = layer.options["stride"], layer.options["padding"]
    before, after = (1 if stride == 1 else 0, 1) if padding == "same" else (padding, padding)
    convolution = nn.Conv2d(inputs, outputs, taps, stride, padding=before if before == after else 0)
    convolution.weight.data = _kernel(tensor(layer.kernel.data, "cpu"), layout).movedim(
        (-1, -2), (0, 1)
    )
    convolution.bias.data = tensor(layer.bias.data, "cpu")
    return (
        [convolution]
        if before == after
        else [nn.ZeroPad2d((before, after, before, after)), convolution]
    )


def _flatten(nn):
    """As minidl does, channels last."""

    class Flatten(nn.Module):
        def forward(self, x):
            return x.movedim(1, -1).flatten(1)

    return Flatten()


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
