"""Three ways back through a ReLU, y = max(x, 0), for pictures of what excites a unit.

The way forward is always the same. The way back says what a part of the picture must do to be shown
(dy: what comes from above; the loss is a unit's activation, so that dy > 0 means "more of this
excites it"):

    "gradient"    dx = dy [x > 0]             what the derivative is: more and less, through all units that fired
    "deconvnet"   dx = dy [dy > 0]            a ReLU on the way back too, whatever fired on the way there
                                              (Zeiler & Fergus 2014, section 2.1)
    "guided"      dx = dy [x > 0] [dy > 0]    both: only what fired, and only what excites
                                              (Springenberg et al. 2015, equation in figure 1c)

The last two are no derivatives of anything: they leave out what inhibits. Max-pooling needs no such
choice: its gradient sends dy to where the maximum was, which is what Zeiler and Fergus' switches
do.
"""

from minidl.autograd import differentiable
from minidl.ops import relu
from minidl.ops.activations import relu_dx


def deconvnet_dx(dy):
    """dy [dy > 0]"""
    return relu(dy)


def guided_dx(dy, y):
    """dy [x > 0] [dy > 0], as y > 0 where x > 0"""
    return relu_dx(relu(dy), y)


def _forward(x):
    return relu(x)


RECTIFIERS = {
    "gradient": relu,
    "deconvnet": differentiable(_forward, dx=deconvnet_dx),
    "guided": differentiable(_forward, dx=guided_dx),
}
