"""Solutions as readers write them, mostly in plain loops. The tests plant mistakes into them."""

WINDOW_OUTPUTS = """
def window_outputs(length, window, stride, padding, dilation):
    return (length + 2 * padding - dilation * (window - 1) - 1) // stride + 1
"""

UNROLL = """
def unroll(features):
    N, C, H, W = features.shape
    y = np.zeros((N, H * W, C))
    for n, c, h, w in np.ndindex(N, C, H, W):
        y[n, h * W + w, c] = features[n, c, h, w]
    return y
"""

UNBROADCAST = """
def unbroadcast(dy, x_shape):
    dx = np.zeros(x_shape)
    added = dy.ndim - len(x_shape)
    for index in np.ndindex(dy.shape):
        dx[tuple(0 if n == 1 else i for i, n in zip(index[added:], x_shape))] += dy[index]
    return dx
"""

UNBROADCAST_BY_SUMS = """
def unbroadcast(dy, x_shape):
    added = dy.ndim - len(x_shape)
    dx = dy.sum(axis=tuple(range(added)))
    ones = tuple(i for i, n in enumerate(x_shape) if n == 1)
    return dx.sum(axis=ones, keepdims=True)
"""

DIVIDE_GRADIENTS = """
def divide_gradients(dy, a, b):
    def total(dy, like):
        while dy.ndim > like.ndim:
            dy = dy.sum(axis=0)
        ones = tuple(i for i, n in enumerate(like.shape) if n == 1)
        return dy.sum(axis=ones, keepdims=True)

    return total(dy / b, a), total(-dy * a / b ** 2, b)
"""

DENSE_GRADIENTS = """
def dense_gradients(dy, x, w):
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(w.shape[1])
    for n, c, k in np.ndindex(len(x), *w.shape):
        dx[n, c] += dy[n, k] * w[c, k]
        dw[c, k] += dy[n, k] * x[n, c]
    for n, k in np.ndindex(dy.shape):
        db[k] += dy[n, k]
    return dx, dw, db
"""

MATMUL_GRADIENTS = """
def matmul_gradients(dy, a, b):
    def total(dy, like):
        while dy.ndim > like.ndim:
            dy = dy.sum(axis=0)
        ones = tuple(i for i, n in enumerate(like.shape[:-2]) if n == 1)
        return dy.sum(axis=ones, keepdims=True)

    return total(dy @ b.mT, a), total(a.mT @ dy, b)
"""

MAX_POOL = """
def max_pool(x, window, stride, padding):
    N, H, W, C = x.shape
    P = (H + 2 * padding - window) // stride + 1
    Q = (W + 2 * padding - window) // stride + 1
    y = np.full((N, P, Q, C), -np.inf)
    for n, p, q, c, t, s in np.ndindex(N, P, Q, C, window, window):
        i = p * stride + t - padding
        j = q * stride + s - padding
        if 0 <= i < H and 0 <= j < W:
            y[n, p, q, c] = max(y[n, p, q, c], x[n, i, j, c])
    return y
"""

MAX_POOL_DX = """
def max_pool_dx(dy, x, window, stride):
    dx = np.zeros(x.shape)
    for n, p, q, c in np.ndindex(dy.shape):
        i = p * stride
        j = q * stride
        part = x[n, i : i + window, j : j + window, c]
        t, s = divmod(int(np.argmax(part)), window)
        dx[n, i + t, j + s, c] += dy[n, p, q, c]
    return dx
"""

AVG_POOL_DX = """
def avg_pool_dx(dy, x_shape, window, stride, padding):
    N, H, W, C = x_shape
    dx = np.zeros(x_shape)
    for n, p, q, c in np.ndindex(dy.shape):
        rows = [i for i in range(p * stride - padding, p * stride - padding + window) if 0 <= i < H]
        columns = [j for j in range(q * stride - padding, q * stride - padding + window)
                   if 0 <= j < W]
        for i in rows:
            for j in columns:
                dx[n, i, j, c] += dy[n, p, q, c] / (len(rows) * len(columns))
    return dx
"""

BATCH_NORM = """
def batch_norm(x, gamma, beta, epsilon):
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axis=axes)
    variance = ((x - mean) ** 2).mean(axis=axes)
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
"""

BATCH_NORM_DX = """
def batch_norm_dx(dy, x, gamma, epsilon):
    axes = tuple(range(x.ndim - 1))
    root = np.sqrt(x.var(axis=axes) + epsilon)
    normalized = (x - x.mean(axis=axes)) / root
    first = dy.mean(axis=axes)
    second = (dy * normalized).mean(axis=axes)
    return gamma / root * (dy - first - normalized * second)
"""

BATCH_NORM_DGAMMA = """
def batch_norm_dgamma(dy, x, epsilon):
    axes = tuple(range(x.ndim - 1))
    root = np.sqrt(x.var(axis=axes) + epsilon)
    normalized = (x - x.mean(axis=axes)) / root
    dgamma, dbeta = np.zeros(x.shape[-1]), np.zeros(x.shape[-1])
    for index in np.ndindex(x.shape):
        c = index[-1]
        dgamma[c] += dy[index] * normalized[index]
        dbeta[c] += dy[index]
    return dgamma, dbeta
"""

WINOGRAD_DG = """
def winograd_dg(dy, d, A, B, G):
    dg = np.zeros(3)
    for m in range(len(d)):
        dg += G.T @ ((B.T @ d[m]) * (A @ dy[m]))
    return dg
"""

TAPE_BACKWARD = """
def tape_backward(reads, slopes, output):
    order = []

    def visit(i):
        for j in reads[i]:
            visit(j)
        if i not in order:
            order.append(i)

    visit(output)
    g = np.zeros(len(reads))
    g[output] = 1
    for i in reversed(order):
        for j, slope in zip(reads[i], slopes[i]):
            g[j] += slope * g[i]
    return g
"""

RESIDUAL_GRADIENTS = """
def residual_gradients(dy, x, w):
    h = np.tanh(x @ w)
    dz = dy * (1 - h ** 2)
    return dy + dz @ w.T, x.T @ dz
"""

CENTRAL_DIFFERENCE = """
def central_difference(f, x, u, h):
    return (f(x + h * u) - f(x - h * u)) / (2 * h)
"""

COMPLEX_STEP = """
def complex_step(f, x, u):
    h = 1e-30
    return f(x + 1j * h * u).imag / h
"""

ADJOINT_TEST = """
def adjoint_test(A, A_star, u, v):
    left = v * A(u)
    right = u * A_star(v)
    return abs(left.sum() - right.sum()) / max(abs(left).sum(), abs(right).sum())
"""

FOUR_POINT = """
def four_point(f, x, u, h):
    near = f(x + h * u) - f(x - h * u)
    far = f(x + 2 * h * u) - f(x - 2 * h * u)
    return (8 * near - far) / (12 * h)
"""

MOMENTUM_STEP = """
def momentum_step(x, g, v, rate, momentum):
    v = momentum * v + g
    return x - rate * v, v
"""

ADAM_STEP = """
def adam_step(x, g, m, v, t, rate, beta1, beta2, epsilon):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g ** 2
    step = m / (1 - beta1 ** t) / (np.sqrt(v / (1 - beta2 ** t)) + epsilon)
    return x - rate * step, m, v
"""

LBFGS_DIRECTION = """
def lbfgs_direction(g, s, y):
    q, k = g, len(s)
    alpha = np.zeros(k)
    for i in range(k - 1, -1, -1):
        alpha[i] = s[i] @ q / (y[i] @ s[i])
        q = q - alpha[i] * y[i]
    if k:
        q = q * (s[-1] @ y[-1]) / (y[-1] @ y[-1])
    for i in range(k):
        beta = y[i] @ q / (y[i] @ s[i])
        q = q + (alpha[i] - beta) * s[i]
    return -q
"""
