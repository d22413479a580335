"""Right solutions that are written differently from minidl: with plain loops, einsum, views, or
another order of the sums."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def window_outputs(length, window, stride, padding, dilation):
    count, first = 0, -padding
    while first + dilation * (window - 1) < length + padding:
        count, first = count + 1, first + stride
    return count


def unroll(features):
    return np.stack([np.stack([c.ravel() for c in image], axis=-1) for image in features])


def central_difference(f, x, u, h):
    return f(x + h * u) / (2 * h) - f(x - h * u) / (2 * h)


def complex_step(f, x, u):
    return np.imag(f(x + u * 1e-100j)) * 1e100


def tape_backward(reads, slopes, output):
    """The sum over all ways from the output to a node."""
    g = np.zeros(len(reads))

    def walk(node, product):
        g[node] += product
        for earlier, slope in zip(reads[node], slopes[node], strict=True):
            walk(earlier, product * slope)

    walk(output, 1.0)
    return g


def residual_gradients(dy, x, w):
    dx, dw = dy.copy(), np.zeros_like(w)
    for row, (x_row, dy_row) in enumerate(zip(x, dy, strict=True)):
        dz = dy_row / np.cosh(x_row @ w) ** 2
        dx[row] += w @ dz
        dw += np.outer(x_row, dz)
    return dx, dw


def unbroadcast(dy, x_shape):
    dx = np.zeros(x_shape)
    for index in np.ndindex(dy.shape):
        inner = index[dy.ndim - len(x_shape) :]
        dx[tuple(i if n > 1 else 0 for i, n in zip(inner, x_shape, strict=True))] += dy[index]
    return dx


def divide_gradients(dy, a, b):
    a_full, b_full = np.broadcast_arrays(a, b)
    y = a_full / b_full
    return unbroadcast(dy / b_full, a.shape), -unbroadcast(y * (dy / b_full), b.shape)


def cumsum_dx(dy):
    return np.einsum("ni,ik->nk", dy, np.tri(dy.shape[1]))


def variance_dx(dy, x):
    dx = np.zeros(x.shape)
    for n, row in enumerate(x):
        for k, number in enumerate(row):
            dx[n, k] = dy[n] * 2 / len(row) * (number - row.sum() / len(row))
    return dx


def dense_gradients(dy, x, w):
    return np.einsum("nk,ck->nc", dy, w), np.einsum("nc,nk->ck", x, dy), np.ones(len(x)) @ dy


def matmul_gradients(dy, a, b):
    da = np.einsum("...mn,...kn->...mk", dy, np.broadcast_to(b, (*dy.shape[:-2], *b.shape[-2:])))
    db = np.einsum("...mk,...mn->...kn", np.broadcast_to(a, (*dy.shape[:-2], *a.shape[-2:])), dy)
    return unbroadcast(da, a.shape), unbroadcast(db, b.shape)


def softplus(x):
    return np.logaddexp(0, x)


def prelu_gradients(dy, x, slope):
    is_negative = np.heaviside(-x, 1)
    return dy * slope**is_negative, np.einsum("nc,nc,nc->c", dy, x, is_negative)


def convolution_1d(x, w, padding):
    x = np.pad(x, ((0, 0), (padding, padding), (0, 0)))
    return np.einsum("npct,tck->npk", sliding_window_view(x, len(w), axis=1), w)


def convolution_options(x, w, b, stride, padding, dilation, groups):
    x = np.pad(x, ((0, 0), padding, (0, 0)))
    reach = dilation * (len(w) - 1) + 1
    windows = sliding_window_view(x, reach, axis=1)[:, ::stride, :, ::dilation]
    parts = zip(np.split(windows, groups, axis=2), np.split(w, groups, axis=2), strict=True)
    return np.concatenate([np.einsum("npct,tck->npk", *part) for part in parts], axis=-1) + b


def im2col(x, window, stride, padding):
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    windows = sliding_window_view(x, window, axis=(1, 2))[:, ::stride, ::stride]
    return np.moveaxis(windows, 3, -1).reshape(-1, window[0] * window[1] * x.shape[-1])


def convolution_db(dy):
    return np.array([dy[..., k].sum() for k in range(dy.shape[-1])])


def convolution_dx(dy, w, x_shape, stride, padding):
    """A convolution of the spread dy with the turned kernel."""
    (T, S), (N, H, W, _) = w.shape[:2], x_shape
    spread = np.zeros((N, H + 2 * padding + T - 1, W + 2 * padding + S - 1, dy.shape[-1]))
    rows = slice(T - 1, T - 1 + dy.shape[1] * stride, stride)
    columns = slice(S - 1, S - 1 + dy.shape[2] * stride, stride)
    spread[:, rows, columns] = dy
    windows = sliding_window_view(spread, (T, S), axis=(1, 2))
    dx = np.einsum("nijkts,tsck->nijc", windows, w[::-1, ::-1])
    return dx[:, padding : padding + H, padding : padding + W]


def convolution_dw(dy, x, w_shape, stride, padding):
    dw = np.zeros(w_shape)
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    for p in range(dy.shape[1]):
        for q in range(dy.shape[2]):
            i, j = p * stride, q * stride
            part = x[:, i : i + w_shape[0], j : j + w_shape[1]]
            dw += np.tensordot(part, dy[:, p, q], axes=([0], [0]))
    return dw


def convolution_groups_dx(dy, w, x_shape, dilation, groups):
    dx = np.zeros(x_shape)
    outputs, inputs = dy.shape[-1] // groups, x_shape[-1] // groups
    for k in range(dy.shape[-1]):
        first = k // outputs * inputs
        for t in range(len(w)):
            for c in range(inputs):
                begin = t * dilation
                dx[:, begin : begin + dy.shape[1], first + c] += dy[:, :, k] * w[t, c, k]
    return dx


def winograd_matrices():
    """As they are usually printed, with other signs."""
    Bt = [[1.0, 0.0, -1.0, 0.0], [0.0, 1.0, 1.0, 0.0], [0.0, -1.0, 1.0, 0.0], [0.0, 1.0, 0.0, -1.0]]
    G = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]]
    At = [[1.0, 1.0, 1.0, 0.0], [0.0, 1.0, -1.0, -1.0]]
    return np.array(At).T, np.array(Bt).T, np.array(G)


def winograd_dg(dy, d, A, B, G):
    return sum(G.T @ ((B.T @ tile) * (A @ dtile)) for tile, dtile in zip(d, dy, strict=True))


def max_pool(x, window, stride, padding):
    p = (padding, padding)
    x = np.pad(x, ((0, 0), p, p, (0, 0)), constant_values=-np.inf)
    windows = sliding_window_view(x, (window, window), axis=(1, 2))[:, ::stride, ::stride]
    return windows.max(axis=(4, 5))


def max_pool_dx(dy, x, window, stride):
    dx = np.zeros(x.shape)
    for n, p, q, c in np.ndindex(dy.shape):
        i, j = p * stride, q * stride
        first = np.argmax(x[n, i : i + window, j : j + window, c])
        dx[n, i + first // window, j + first % window, c] += dy[n, p, q, c]
    return dx


def avg_pool_dx(dy, x_shape, window, stride, padding):
    dx = np.zeros(x_shape)
    for p in range(dy.shape[1]):
        for q in range(dy.shape[2]):
            i, j = p * stride - padding, q * stride - padding
            part = dx[:, max(i, 0) : i + window, max(j, 0) : j + window]
            part += dy[:, p, q][:, None, None] / (part.shape[1] * part.shape[2])
    return dx


def batch_norm(x, gamma, beta, epsilon):
    rows = x.reshape(-1, x.shape[-1])
    variance = (rows**2).mean(axis=0) - rows.mean(axis=0) ** 2
    scale = gamma * (variance + epsilon) ** -0.5
    return x * scale + (beta - rows.mean(axis=0) * scale)


def batch_norm_dx(dy, x, gamma, epsilon):
    """By the gradients of the variance and the mean, one after the other."""
    axes, M = tuple(range(x.ndim - 1)), x.size // x.shape[-1]
    centred, variance, dnormalized = x - x.mean(axes), x.var(axes) + epsilon, dy * gamma
    dvariance = -0.5 * (dnormalized * centred).sum(axes) * variance**-1.5
    dmean = -dnormalized.sum(axes) * variance**-0.5
    return dnormalized * variance**-0.5 + dvariance * 2 * centred / M + dmean / M


def batch_norm_dgamma(dy, x, epsilon):
    rows, drows = x.reshape(-1, x.shape[-1]), dy.reshape(-1, x.shape[-1])
    normalized = (rows - rows.mean(0)) / np.sqrt(rows.var(0) + epsilon)
    return np.einsum("mc,mc->c", drows, normalized), np.ones(len(rows)) @ drows


def log_sum_exp(x):
    return np.logaddexp.reduce(x, axis=1)


def softmax_dx(dy, y):
    jacobians = y[:, :, None] * (np.eye(y.shape[1]) - y[:, None, :])
    return np.einsum("ni,nij->nj", dy, jacobians)


def cross_entropy_dlogits(dL, logits, labels):
    p = np.exp(logits - np.logaddexp.reduce(logits, axis=1)[:, None])
    p[np.arange(len(labels)), labels] -= 1
    return p * dL / len(labels)


def content_gradient(dL, F, P):
    return (dL * F - dL * P) / (2 * F.size)


def gram_gradient(dG, F):
    return F @ dG + F @ dG.T


def style_normalization(H, W, C):
    return 0.25 / C / C, H * W / C / 2, C**-2.0


def style_gradient(dL, F, A):
    M, C = F.shape
    return dL * (F @ (F.T @ F) / M - F @ (A + A.T) / 2) / (M * C * C)


def total_variation_gradient(dL, x):
    dx = np.zeros_like(x)
    for i, j in np.ndindex(x.shape):
        for k, m in ((i - 1, j), (i + 1, j), (i, j - 1), (i, j + 1)):
            if 0 <= k < x.shape[0] and 0 <= m < x.shape[1]:
                dx[i, j] += 2 * dL * (x[i, j] - x[k, m])
    return dx


def energy_loss(a, b, same, q):
    total = 0.0
    for one, other, is_same in zip(a, b, same, strict=True):
        E = float(np.sqrt(sum((one - other) ** 2)))
        total += 2 * E * E / q if is_same else 2 * q * float(np.exp(-2.77 * E / q))
    return total / len(a)


def energy_gradients(dL, a, b, same, q):
    da = np.zeros_like(a)
    for n, d in enumerate(a - b):
        E = np.sqrt(d @ d)
        slope = 4 * E / q if same[n] else -5.54 * np.exp(-2.77 * E / q)
        da[n] = dL * slope * d / E / len(a)
    return da, -da


def contrastive_gradient(dL, a, b, same, margin):
    E = np.sqrt(((a - b) ** 2).sum(axis=1, keepdims=True))
    slope = np.where(same[:, None], E, np.minimum(E - margin, 0))
    return dL / len(a) * slope * (a - b) / E


def triplet_gradients(dL, a, p, n, margin):
    da, dp, dn = np.zeros_like(a), np.zeros_like(a), np.zeros_like(a)
    for i in range(len(a)):
        near, far = a[i] - p[i], a[i] - n[i]
        if near @ near - far @ far + margin > 0:
            dp[i], dn[i] = -2 * dL * near, 2 * dL * far
            da[i] = -dp[i] - dn[i]
    return da, dp, dn


def chi_square_gradient(dy, a, b):
    da = np.zeros_like(a)
    x, y = a[there := a + b > 0], b[there]
    da[there] = dy[there] * (1 - 4 * y**2 / (x + y) ** 2)
    return da


def momentum_step(x, g, v, rate, momentum):
    return x - rate * momentum * v - rate * g, g + v * momentum


def adam_step(x, g, m, v, t, rate, beta1, beta2, epsilon):
    m, v = m + (1 - beta1) * (g - m), v + (1 - beta2) * (g * g - v)
    root = np.sqrt(v) / np.sqrt(1 - beta2**t)
    return x - rate / (1 - beta1**t) * m / (root + epsilon), m, v


def lbfgs_direction(g, s, y):
    """By the matrix H, updated pair by pair."""
    size = len(g)
    H = np.eye(size) * ((s[-1] @ y[-1]) / (y[-1] @ y[-1]) if len(s) else 1.0)
    for si, yi in zip(s, y, strict=True):
        V = np.eye(size) - np.outer(yi, si) / (yi @ si)
        H = V.T @ H @ V + np.outer(si, si) / (yi @ si)
    return -H @ g


def adjoint_test(A, A_star, u, v):
    left, right = A(u) * v, A_star(v) * u
    return abs(v @ A(u) - u @ A_star(v)) / max(np.abs(left).sum(), np.abs(right).sum())


def four_point(f, x, u, h):
    weights = ((-2, 1), (-1, -8), (1, 8), (2, -1))
    return sum(weight * f(x + k * h * u) for k, weight in weights) / (12 * h)
