"""Solutions of the exercises about convolution, as readers write them."""

CONVOLUTION_1D = """
def convolution_1d(x, w, padding):
    (N, L, C), (T, C, K) = x.shape, w.shape
    P = L + 2 * padding - T + 1
    y = np.zeros((N, P, K))
    for n, o, k, t, c in np.ndindex(N, P, K, T, C):
        i = o + t - padding
        if 0 <= i < L:
            y[n, o, k] += x[n, i, c] * w[t, c, k]
    return y
"""

CONVOLUTION_1D_BY_SLICES = """
def convolution_1d(x, w, padding):
    x = np.pad(x, ((0, 0), (padding, padding), (0, 0)))
    P = x.shape[1] - len(w) + 1
    y = np.zeros((len(x), P, w.shape[2]))
    for t in range(len(w)):
        y += x[:, t : t + P] @ w[t]
    return y
"""

CONVOLUTION_OPTIONS = """
def convolution_options(x, w, b, stride, padding, dilation, groups):
    (N, L, C), (T, inputs, K), (before, after) = x.shape, w.shape, padding
    P = (L + before + after - dilation * (T - 1) - 1) // stride + 1
    y = np.zeros((N, P, K))
    for n, o, k in np.ndindex(N, P, K):
        s = 0.0
        for t, c in np.ndindex(T, inputs):
            g = k // (K // groups)
            i = o * stride + t * dilation - before
            if 0 <= i < L:
                s += x[n, i, g * inputs + c] * w[t, c, k]
        y[n, o, k] = b[k] + s
    return y
"""

CONVOLUTION_DB = """
def convolution_db(dy):
    db = np.zeros(dy.shape[-1])
    for n, p, q, k in np.ndindex(dy.shape):
        db[k] += dy[n, p, q, k]
    return db
"""

CONVOLUTION_DX = """
def convolution_dx(dy, w, x_shape, stride, padding):
    (N, P, Q, K), (T, S, C, K), (N, H, W, C) = dy.shape, w.shape, x_shape
    dx = np.zeros(x_shape)
    for n, p, q, t, s, c, k in np.ndindex(N, P, Q, T, S, C, K):
        i = p * stride + t - padding
        j = q * stride + s - padding
        if 0 <= i < H and 0 <= j < W:
            dx[n, i, j, c] += dy[n, p, q, k] * w[t, s, c, k]
    return dx
"""

CONVOLUTION_DX_BY_SLICES = """
def convolution_dx(dy, w, x_shape, stride, padding):
    (N, P, Q, K), (T, S, C, K), (N, H, W, C) = dy.shape, w.shape, x_shape
    dx = np.zeros((N, H + 2 * padding, W + 2 * padding, C))
    for t, s in np.ndindex(T, S):
        rows = slice(t, t + P * stride, stride)
        columns = slice(s, s + Q * stride, stride)
        dx[:, rows, columns] += dy @ w[t, s].T
    return dx[:, padding:H + padding, padding:W + padding]
"""

CONVOLUTION_DW = """
def convolution_dw(dy, x, w_shape, stride, padding):
    (N, P, Q, K), (T, S, C, K), (N, H, W, C) = dy.shape, w_shape, x.shape
    dw = np.zeros(w_shape)
    for n, p, q, t, s, c, k in np.ndindex(N, P, Q, T, S, C, K):
        i = p * stride + t - padding
        j = q * stride + s - padding
        if 0 <= i < H and 0 <= j < W:
            dw[t, s, c, k] += dy[n, p, q, k] * x[n, i, j, c]
    return dw
"""

IM2COL = """
def im2col(x, window, stride, padding):
    (N, H, W, C), (T, S) = x.shape, window
    P = (H + 2 * padding - T) // stride + 1
    Q = (W + 2 * padding - S) // stride + 1
    rows = []
    for n, p, q in np.ndindex(N, P, Q):
        row = []
        for t, s, c in np.ndindex(T, S, C):
            i = p * stride + t - padding
            j = q * stride + s - padding
            row.append(x[n, i, j, c] if 0 <= i < H and 0 <= j < W else 0.0)
        rows.append(row)
    return np.array(rows)
"""

IM2COL_BY_SLICES = """
def im2col(x, window, stride, padding):
    (N, H, W, C), (T, S) = x.shape, window
    P = (H + 2 * padding - T) // stride + 1
    Q = (W + 2 * padding - S) // stride + 1
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    rows = []
    for n, p, q in np.ndindex(N, P, Q):
        i, j = p * stride, q * stride
        rows.append(x[n, i : i + T, j : j + S].ravel())
    return np.array(rows)
"""

CONVOLUTION_GROUPS_DX = """
def convolution_groups_dx(dy, w, x_shape, dilation, groups):
    (N, P, K), (T, inputs, K) = dy.shape, w.shape
    dx = np.zeros(x_shape)
    for n, o, k, t, c in np.ndindex(N, P, K, T, inputs):
        g = k // (K // groups)
        dx[n, o + t * dilation, g * inputs + c] += dy[n, o, k] * w[t, c, k]
    return dx
"""
