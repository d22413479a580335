"""What a reader could write, in plain loops."""

CONVOLUTION_DX = """
import numpy as np


def convolution_dx(dy, w, x_shape, stride, padding):
    N, H, W, C = x_shape
    dx = np.zeros(x_shape)
    for p in range(dy.shape[1]):
        for q in range(dy.shape[2]):
            for t in range(w.shape[0]):
                for s in range(w.shape[1]):
                    i, j = p * stride + t - padding, q * stride + s - padding
                    if 0 <= i < H and 0 <= j < W:
                        dx[:, i, j] += dy[:, p, q] @ w[t, s].T
    return dx
"""
