"""Adam (Kingma & Ba 2015)."""

from minidl.backend import array_module
from minidl.errors import one_of
from minidl.optim.optimizer import Optimizer

EPSILON_FORMS = ("pytorch", "tensorflow")


class Adam(Optimizer):
    """m ← β1 m + (1 - β1) g,      v ← β2 v + (1 - β2) g²,      after t steps:

    "pytorch"      x ← x - learning_rate · m / (1 - β1^t) / (√(v / (1 - β2^t)) + ε)           Algorithm 1 of the paper
    "tensorflow"   x ← x - learning_rate · √(1 - β2^t) / (1 - β1^t) · m / (√v + ε)            its section 2, "ε hat"

    In the second form ε is in effect divided by √(1 - β2^t): larger in the first steps, which matters where gradients are as
    small as ε.
    """

    def __init__(self, parameters, learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, epsilon_form="pytorch"):
        super().__init__(parameters, learning_rate)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.epsilon_form = one_of("epsilon_form", epsilon_form, EPSILON_FORMS)
        self.steps = 0
        self.m = [p.data * 0 for p in self.parameters]
        self.v = [p.data * 0 for p in self.parameters]

    def step(self, loss=None):
        self.steps += 1
        m_bias, v_bias = 1 - self.beta1**self.steps, 1 - self.beta2**self.steps
        if self.epsilon_form == "tensorflow":
            rate, v_scale = self.learning_rate * v_bias**0.5 / m_bias, 1.0
        else:
            rate, v_scale = self.learning_rate / m_bias, v_bias**-0.5
        for i, (p, g) in enumerate(zip(self.parameters, self._gradients(), strict=True)):
            m = self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            v = self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * (g * g)
            p.data = p.data - rate * m / (array_module(v).sqrt(v) * v_scale + self.epsilon)
