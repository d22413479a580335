"""Optimiser steps in place, in strips of all parameters, on all threads.

The rules are those of the textbook, without temporary arrays. Each is a function change(new, x, g,
*histories, **options) that writes x' to `new` and updates the histories.
"""

from math import fsum

import numpy as np

from minidl.backend import array_module, read_numbers
from minidl.engine.memory import empty, scratch
from minidl.engine.strips import GPU_STRIP, LEAST, equal_parts
from minidl.engine.threads import parallel_map
from minidl.half import HALF
from minidl.optim.adagrad import adagrad
from minidl.optim.adam import adam
from minidl.optim.nadam import nadam
from minidl.optim.rmsprop import centred_rmsprop, rmsprop
from minidl.optim.sgd import descent, momentum_descent

# numbers; an operation on so many takes longer than a thread waits for the global interpreter lock
STRIP = 1 << 18


def apply_rule(rule, updates):
    """Return (x', *histories') for each Update. x' is a new array; the histories are overwritten.

    rule: a function of the textbook that has an in-place form; updates: list of Update.
    """
    data, gradients = [u.x for u in updates], [u.g for u in updates]
    xp, change = array_module(*data, *gradients), _in_float32(IN_PLACE[rule])
    results, strips = [empty(xp, x.shape, x.dtype) for x in data], []
    for new, (x, g, histories, options) in zip(results, updates, strict=True):
        rows = [array.reshape(-1) for array in (new, x, g, *histories)]
        for part in equal_parts(new.size, STRIP if xp is np else GPU_STRIP, threads=1):
            strips.append(([row[part] for row in rows], options))
    if sum(x.size for x in data) < LEAST:
        for arrays, options in strips:
            change(*arrays, **options)
    else:
        parallel_map(xp, lambda strip: change(*strip[0], **strip[1]), strips)
    return [(new, *u.histories) for new, u in zip(results, updates, strict=True)]


def applies(rule, updates):
    """Return whether the rule has an in-place form."""
    return rule in IN_PLACE


# The in-place forms of the rules in optim/. They have the same options.


def _descent(new, x, g, *, rate, decay):
    array_module(x).multiply(_decayed(g, x, decay), -rate, out=new)
    new += x


def _momentum_descent(new, x, g, v, *, rate, decay, momentum, form, nesterov):
    xp, g = array_module(x), _decayed(g, x, decay)
    if form == "keras":
        g, rate = xp.multiply(g, rate, out=_buffer(x)), 1.0
    v *= momentum
    v += g
    if nesterov:
        xp.multiply(v, momentum, out=new)
        new += g
        new *= -rate
    else:
        xp.multiply(v, -rate, out=new)
    new += x


def _adam(new, x, g, m, v, *, rate, decay, t, beta1, beta2, epsilon, form, decoupled):
    xp, m_bias, v_bias = array_module(x), 1 - beta1**t, 1 - beta2**t
    if form == "pytorch":
        step_rate, v_scale = rate / m_bias, v_bias**-0.5
    else:
        step_rate, v_scale = rate * v_bias**0.5 / m_bias, 1.0
    if not decoupled:
        g = _decayed(g, x, decay)
    part = _scratch(x)
    _average(m, g, beta1, part)
    _average_squares(v, g, beta2, part)
    xp.sqrt(v, out=part)
    part *= v_scale
    part += epsilon
    xp.multiply(m, step_rate, out=new)
    new /= part
    if decoupled and decay:
        x = xp.multiply(x, 1 - rate * decay, out=part)
    xp.subtract(x, new, out=new)


def _nadam(
    new, x, g, m, v, *, rate, decay, t, momentum, next_momentum, product, beta1, beta2, epsilon,
    decoupled,
):  # fmt: skip
    xp, part = array_module(x), _scratch(x)
    if not decoupled:
        g = _decayed(g, x, decay)
    _average(m, g, beta1, part)
    _average_squares(v, g, beta2, part)
    xp.multiply(m, rate * next_momentum / (1 - product * next_momentum), out=new)
    new += xp.multiply(g, rate * (1 - momentum) / (1 - product), out=part)
    xp.sqrt(v, out=part)
    part *= (1 - beta2**t) ** -0.5
    part += epsilon
    new /= part
    if decoupled and decay:
        x = xp.multiply(x, 1 - rate * decay, out=part)
    xp.subtract(x, new, out=new)


def _rmsprop(new, x, g, v, velocity=None, *, rate, decay, beta, epsilon, momentum):
    xp, part, g = array_module(x), _scratch(x), _decayed(g, x, decay)
    _average_squares(v, g, beta, part)
    xp.sqrt(v, out=part)
    _divide_and_move(new, x, g, part, velocity, rate, epsilon, momentum)


def _centred_rmsprop(new, x, g, v, mean, velocity=None, *, rate, decay, beta, epsilon, momentum):
    xp, part, g = array_module(x), _scratch(x), _decayed(g, x, decay)
    _average_squares(v, g, beta, part)
    _average(mean, g, beta, part)
    xp.multiply(mean, mean, out=part)
    xp.subtract(v, part, out=part)
    xp.maximum(part, 0, out=part)
    xp.sqrt(part, out=part)
    _divide_and_move(new, x, g, part, velocity, rate, epsilon, momentum)


def _adagrad(new, x, g, s, *, rate, decay, epsilon):
    xp, part, g = array_module(x), _scratch(x), _decayed(g, x, decay)
    s += xp.multiply(g, g, out=part)
    xp.sqrt(s, out=part)
    _divide_and_move(new, x, g, part, None, rate, epsilon, 0.0)


IN_PLACE = {
    descent: _descent,
    momentum_descent: _momentum_descent,
    adam: _adam,
    nadam: _nadam,
    rmsprop: _rmsprop,
    centred_rmsprop: _centred_rmsprop,
    adagrad: _adagrad,
}


def _average(m, g, beta, part):
    """m ← β m + (1 - β) g.  part: scratch memory"""
    m *= beta
    m += array_module(m).multiply(g, 1 - beta, out=part)


def _average_squares(v, g, beta, part):
    """v ← β v + (1 - β) g².  part: scratch memory"""
    v *= beta
    array_module(v).multiply(g, g, out=part)
    part *= 1 - beta
    v += part


def _divide_and_move(new, x, g, part, velocity, rate, epsilon, momentum):
    """x' = x - rate·step, where step = g / (part + ε), or the velocity that adds up such steps.
    part is overwritten."""
    xp = array_module(x)
    part += epsilon
    xp.divide(g, part, out=part)
    if velocity is not None:
        velocity *= momentum
        velocity += part
        part = velocity
    xp.multiply(part, -rate, out=new)
    new += x


def _decayed(g, x, decay):
    """Return g + λ x, in scratch memory if λ is not 0."""
    if not decay:
        return g
    total = array_module(x).multiply(x, decay, out=_buffer(x))
    total += g
    return total


def _buffer(x):
    return scratch(array_module(x), "gradient", x.shape, x.dtype)


def _scratch(x):
    return scratch(array_module(x), "step", x.shape, x.dtype)


def _in_float32(change):
    """Return the change, computed in float32 and rounded if the parameter is float16."""

    def changed(new, x, g, *histories, **options):
        if new.dtype != HALF:
            change(new, x, g, *histories, **options)
        else:
            wide = array_module(new).empty(new.shape, np.float32)
            change(wide, x.astype(np.float32), g.astype(np.float32), *histories, **options)
            new[...] = wide

    return changed


def gradient_length(gradients):
    """Return √Σ g² over all numbers of all gradients: a float, summed in float64."""
    xp = array_module(*gradients)
    most = STRIP if xp is np else GPU_STRIP
    rows = [g.reshape(-1) for g in gradients]
    strips = [row[part] for row in rows for part in equal_parts(row.size, most, threads=1)]
    sums = parallel_map(xp, lambda strip: xp.multiply(strip, strip, dtype="float64").sum(), strips)
    return fsum(read_numbers(*sums)) ** 0.5 if sums else 0.0
