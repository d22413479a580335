"""Module: something with parameters, by name."""

from minidl.autograd import Tensor
from minidl.backend import to_device
from minidl.frozen import frozen_copy, is_frozen


class Module:
    """A function with parameters. A subclass keeps Tensors, Modules and dicts of Modules as attributes and defines
    __call__; the names of parameters are the paths to them, such as "block1_conv1/kernel"."""

    def named_parameters(self):
        """name -> Tensor, in the order in which they were set."""
        found = {}
        for name, value in vars(self).items():
            if isinstance(value, Tensor):
                found[name] = value
            elif isinstance(value, (Module, dict)):
                # The members of a dict go by their own keys: {"block1_conv1": layer} is named block1_conv1/...
                members = {name: value} if isinstance(value, Module) else value
                for key, member in members.items():
                    if isinstance(member, Module):
                        found |= {f"{key}/{path}": tensor for path, tensor in member.named_parameters().items()}
        return found

    def parameters(self):
        """All parameters as a list of Tensors."""
        return list(self.named_parameters().values())

    def freeze(self, frozen=True):
        """Want no gradients of the parameters from here on (or want them again): their share of backward is left out.

        Frozen parameters are copies that cannot be written to, so that ops may keep what they compute from them alone.
        """
        for parameter in self.parameters():
            parameter.requires_grad = not frozen
            if is_frozen(parameter.data) != frozen:
                parameter.data = frozen_copy(parameter.data) if frozen else parameter.data.copy()
        return self

    def to(self, device):
        """Move all parameters to the device "cpu", "gpu" or "auto"; returns the module itself."""
        for parameter in self.parameters():
            moved = to_device(parameter.data, device)
            if moved is not parameter.data:
                parameter.data = frozen_copy(moved) if is_frozen(parameter.data) else moved
        return self
