"""The same computations in PyTorch, in two memory layouts: "contiguous" and "channels-last".

"contiguous" stores the channels first, which is PyTorch's default. In both layouts the tensors have
the shapes of minidl's arrays. `movedim` gives PyTorch a view in its own order of axes.
"""

import importlib
import importlib.util
from functools import partial

import minidl
from minidl.backend import to_numpy

LAYOUTS = ("contiguous", "channels-last")
PLACES = {"cpu": "cpu", "gpu": "cuda"}  # PyTorch's names of minidl's devices


def is_installed():
    return importlib.util.find_spec("torch") is not None


def devices(wanted):
    """Return those of the wanted devices that PyTorch can use."""
    if not is_installed():
        return []
    return [device for device in wanted if device == "cpu" or pytorch().cuda.is_available()]


def rival(device, layout):
    """Return the name of PyTorch on a device, in a layout, as it is in the results."""
    return f"PyTorch {layout}" if device == "cpu" else f"PyTorch {device} {layout}"


def pytorch():
    """Return the module torch, set to minidl's number of threads."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(minidl.get_threads())
    return torch


def choose_arithmetic(tf32):
    """Let PyTorch multiply float32 in TF32, or in float32, on a GPU.

    Also let it try which of cuDNN's algorithms is the fastest.
    """
    backends = pytorch().backends
    backends.cuda.matmul.allow_tf32 = backends.cudnn.allow_tf32 = tf32
    backends.cudnn.benchmark = True


def tensor(array, device):
    return pytorch().tensor(array, device=PLACES[device])


def maps(twin, gradients, layout, arrays, device):
    """Return {"forward": call, "dx": call, ..}: a function, and each named gradient with dy = y.

    The function is twin(torch.nn.functional, **tensors).
    """
    torch = pytorch()
    tensors = {
        name: LAYOUT_OF.get(name, _activations)(tensor(array, device), layout)
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


def module(make, parameters, device):
    """Return the module make(torch.nn) with the numbers of minidl's parameters, in their order."""
    made = make(pytorch().nn).to(PLACES[device])
    for theirs, ours in zip(made.parameters(), parameters, strict=True):
        theirs.data = _kernel_first(tensor(to_numpy(ours.data), device)).contiguous()
    return made


def of_channels_last(module):
    """Return the function of x (N, *spatial, C) that a module of channels first computes."""
    return lambda x: module(x.movedim(-1, 1)).movedim(1, -1)


def step(function, parameters, layout, arrays, device, moves):
    """Return the call of a training step of function(x, *others), with dy = y².

    Its result is [y, the gradients of x and of the parameters]; integers have none. arrays: x and
    the others. moves: whether the layout concerns x.
    """
    x, *others = (tensor(array, device) for array in arrays.values())
    x = _activations(x, layout) if moves else x
    x = x.detach().requires_grad_(x.is_floating_point())
    leaves = [leaf for leaf in (x, *parameters) if leaf.requires_grad]
    dy = function(x, *others).detach() ** 2

    def call():
        for leaf in leaves:
            leaf.grad = None
        y = function(x, *others)
        y.backward(dy)
        gradients = (leaf.grad if leaf is x else _kernel_last(leaf.grad) for leaf in leaves)
        return [y.detach(), *gradients]

    return call


def vgg19_features(model, layout, device, pooling="avg"):
    """Return features(image (N, H, W, 3), names) -> {"conv4_2": (N, H, W, C), ..}.

    It has the weights of the model, which are frozen. pooling: "avg" or "max".
    """
    functional = pytorch().nn.functional
    pool = {"avg": functional.avg_pool2d, "max": functional.max_pool2d}[pooling]
    mean, layers = tensor(model.preprocessing.mean, device), []
    for name, layer in model.layers.items():
        if "conv" in name:
            kernel = _kernel(tensor(layer.kernel.data, device), layout).movedim((-1, -2), (0, 1))
            layers.append((f"conv{name[5]}_{name[-1]}", kernel, tensor(layer.bias.data, device)))
        else:
            layers.append((name, None, None))

    def features(image, names):
        x, activations = _activations(image.flip(-1) - mean, layout).movedim(-1, 1), {}
        for name, kernel, bias in layers:
            if len(activations) == len(names):
                break
            if kernel is None:
                x = pool(x, 2)
            else:
                x = functional.conv2d(x, kernel, bias, padding=1).relu_()
            if name in names:
                activations[name] = x.movedim(1, -1)
        return activations

    return features


def pictures(array, layout, device):
    """Return a batch (N, H, W, C) as (N, C, H, W) in the layout, or another array as a tensor."""
    batch = tensor(array, device)
    return _activations(batch, layout).movedim(-1, 1) if array.ndim == 4 else batch


def sequential(model, layout, device):
    """Return PyTorch's Sequential with the weights of minidl's, without dropout."""
    nn, layers, is_flat = pytorch().nn, [], False
    for layer in model.layers.values():
        kind = type(layer).__name__
        if kind == "Convolution":
            layers += _convolution(nn, layer, layout)
        elif kind == "BatchNorm":
            norm = nn.BatchNorm1d if is_flat else nn.BatchNorm2d
            layers.append(norm(len(layer.mean), layer.epsilon, 1 - layer.momentum))
        elif kind == "Dense":
            layers.append(_linear(nn, layer))
        elif kind == "Flatten":
            layers.append(_flatten(nn))
            is_flat = True
        elif kind == "MaxPool":
            layers.append(nn.MaxPool2d(layer.size, layer.options.get("stride")))
        elif kind == "ReLU":
            layers.append(nn.ReLU())
    return nn.Sequential(*layers).to(PLACES[device])


def _linear(nn, layer):
    linear = nn.Linear(*layer.kernel.shape)
    linear.weight.data = tensor(layer.kernel.data.T.copy(), "cpu")
    linear.bias.data = tensor(layer.bias.data, "cpu")
    return linear


def _convolution(nn, layer, layout):
    """A convolution, after a layer that pads if both sides of an axis are padded differently.

    "same" does so with a stride of 2.
    """
    *taps, inputs, outputs = layer.kernel.shape
    stride, padding = layer.options["stride"], layer.options["padding"]
    before, after = (1 if stride == 1 else 0, 1) if padding == "same" else (padding, padding)
    convolution = nn.Conv2d(inputs, outputs, taps, stride, padding=before if before == after else 0)
    kernel = _kernel(tensor(layer.kernel.data, "cpu"), layout)
    convolution.weight.data = kernel.movedim((-1, -2), (0, 1))
    convolution.bias.data = tensor(layer.bias.data, "cpu")
    if before == after:
        return [convolution]
    return [nn.ZeroPad2d((before, after, before, after)), convolution]


def _flatten(nn):
    """A layer that flattens with the channels last, as minidl does."""

    class Flatten(nn.Module):
        def forward(self, x):
            return x.movedim(1, -1).flatten(1)

    return Flatten()


def _activations(tensor, layout):
    """A tensor (N, *spatial, C), stored as (N, C, *spatial) if the layout is contiguous."""
    return tensor.movedim(-1, 1).contiguous().movedim(1, -1) if layout == "contiguous" else tensor


def _kernel(tensor, layout):
    """A tensor (*kernel, C, K), stored as (K, C, *kernel) or (K, *kernel, C)."""
    if layout == "contiguous":
        return tensor.movedim((-1, -2), (0, 1)).contiguous().movedim((0, 1), (-1, -2))
    return tensor.movedim(-1, 0).contiguous().movedim(0, -1)


def _kernel_first(tensor):
    """A kernel (*kernel, K, C) as (C, K, *kernel), or another parameter as it is."""
    return tensor.movedim((-1, -2), (0, 1)) if tensor.ndim > 2 else tensor


def _kernel_last(tensor):
    """A kernel (C, K, *kernel) as (*kernel, K, C), or another parameter as it is."""
    return tensor.movedim((0, 1), (-1, -2)) if tensor.ndim > 2 else tensor


def _unchanged(tensor, layout):
    return tensor


LAYOUT_OF = {"w": _kernel, "b": _unchanged, "style": _unchanged}  # other inputs: _activations
