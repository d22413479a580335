"""This file contains Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019)."""

from typing import Literal

from minidl.backend import array_module
from minidl.errors import one_of
from minidl.optim.counting import CountingOptimizer, must_be_shares
from minidl.optim.optimizer import GroupedParameters

EPSILON_FORMS = ("pytorch", "tensorflow")


def adam(x, g, m, v, *, rate, decay, t, beta1, beta2, epsilon, form, decoupled):
    """Return x', m', v', with m' = β1 m + (1 - β1) g and v' = β2 v + (1 - β2) g². `Adam` documents
    the forms of x'.

    x, g, m, v: arrays of one shape. t: the number of this step, from 1.
    """
    sqrt = array_module(x).sqrt
    if not decoupled:
        g = g + decay * x
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    if form == "pytorch":
        step = rate * (m / (1 - beta1**t)) / (sqrt(v / (1 - beta2**t)) + epsilon)
    else:
        step = rate * (1 - beta2**t) ** 0.5 / (1 - beta1**t) * m / (sqrt(v) + epsilon)
    if decoupled:
        x = (1 - rate * decay) * x
    return x - step, m, v


class Adam(CountingOptimizer):
    """Adam keeps moving averages m of the gradient g and v of its square, element by element:

    m ← β1 m + (1 - β1) g,      v ← β2 v + (1 - β2) g²

    and, in step t with the learning rate α, in one of two forms (epsilon_form):

    "pytorch"      x ← x - α · m / (1 - β1^t) / (√(v / (1 - β2^t)) + ε)     Algorithm 1 of the paper
    "tensorflow"   x ← x - α · √(1 - β2^t) / (1 - β1^t) · m / (√v + ε)      its section 2, "ε hat"

    The second form is the first with ε / √(1 - β2^t) in place of ε. This is larger than ε in the
    first steps, which matters if gradients are as small as ε.

    learning_rate, beta1, beta2, epsilon: α, β1, β2, ε. weight_decay: λ. It adds λ x to g. g is then
    divided by √v, so that parameters with large gradients decay less. decoupled: whether g stays as
    it is, and x is multiplied by 1 - α λ before the step instead (AdamW). This λ is PyTorch's; the
    paper's is α λ. parameters: see Optimizer.

    Raises ArgumentError for a beta below 0 or not below 1, or an unknown form.

    >>> from minidl import Tensor
    >>> x = Tensor(np.array([1.]), requires_grad=True)
    >>> x.grad = np.array([3.])
    >>> Adam([x], learning_rate=0.5).step()         # the first step: 0.5 g / |g|, up to ε
    >>> x.data.round(6)
    array([0.5])
    """

    SETTINGS = ("beta1", "beta2", "epsilon", "epsilon_form", "decoupled")

    def __init__(
        self,
        parameters: GroupedParameters,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        epsilon_form: Literal["pytorch", "tensorflow"] = "pytorch",
        weight_decay: float = 0.0,
        decoupled: bool = False,
    ) -> None:
        super().__init__(parameters, learning_rate, weight_decay, ["m", "v"])
        must_be_shares("Adam", beta1=beta1, beta2=beta2)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.epsilon_form = one_of("epsilon_form", epsilon_form, EPSILON_FORMS)
        self.decoupled = decoupled

    def step(self, loss: float | None = None) -> None:
        """Change the parameters by one step. `loss` is not used."""
        indices = self._to_move()
        options = {
            "beta1": self.beta1, "beta2": self.beta2, "epsilon": self.epsilon,
            "form": self.epsilon_form, "decoupled": self.decoupled,
        }  # fmt: skip
        self._move(adam, indices, options=options, each={"t": self._count(indices)})
