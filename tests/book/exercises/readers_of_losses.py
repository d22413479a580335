"""Solutions of the exercises about softmax and losses, as readers write them."""

LOG_SUM_EXP = """
def log_sum_exp(x):
    y = np.zeros(len(x))
    for n, row in enumerate(x):
        m = row.max()
        total = 0.0
        for number in row:
            total += np.exp(number - m)
        y[n] = m + np.log(total)
    return y
"""

SOFTMAX_DX = """
def softmax_dx(dy, y):
    dx = np.zeros(y.shape)
    for n, i, j in np.ndindex(*y.shape, y.shape[1]):
        dx[n, j] += dy[n, i] * y[n, i] * ((i == j) - y[n, j])
    return dx
"""

CROSS_ENTROPY_DLOGITS = """
def cross_entropy_dlogits(dL, logits, labels):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    for n, label in enumerate(labels):
        p[n, label] -= 1
    return dL * p / len(labels)
"""

CONTENT_GRADIENT = """
def content_gradient(dL, F, P):
    H, W, C = F.shape
    return dL * 2 * (F - P) / (4 * H * W * C)
"""

TOTAL_VARIATION_GRADIENT = """
def total_variation_gradient(dL, x):
    H, W = x.shape
    dx = np.zeros((H, W))
    for i, j in np.ndindex(H, W):
        if i > 0:
            dx[i, j] += 2 * (x[i, j] - x[i - 1, j])
        if i + 1 < H:
            dx[i, j] += 2 * (x[i, j] - x[i + 1, j])
        if j > 0:
            dx[i, j] += 2 * (x[i, j] - x[i, j - 1])
        if j + 1 < W:
            dx[i, j] += 2 * (x[i, j] - x[i, j + 1])
    return dL * dx
"""

TOTAL_VARIATION_BY_SLICES = """
def total_variation_gradient(dL, x):
    dx = np.zeros(x.shape)
    down, right = x[1:] - x[:-1], x[:, 1:] - x[:, :-1]
    dx[1:] += 2 * down
    dx[:-1] -= 2 * down
    dx[:, 1:] += 2 * right
    dx[:, :-1] -= 2 * right
    return dL * dx
"""

GRAM_GRADIENT = """
def gram_gradient(dG, F):
    dF = np.zeros(F.shape)
    for m, c, d in np.ndindex(*F.shape, F.shape[1]):
        dF[m, c] += (dG[c, d] + dG[d, c]) * F[m, d]
    return dF
"""

STYLE_GRADIENT = """
def style_gradient(dL, F, A):
    M, C = F.shape
    G = F.T @ F / M
    dG = 2 * (G - A) / (4 * C ** 2)
    return dL * F @ (dG + dG.T) / M
"""

ENERGY_LOSS = """
def energy_loss(a, b, same, q):
    total = 0.0
    for n in range(len(a)):
        E = np.sqrt(((a[n] - b[n]) ** 2).sum())
        total += 2 / q * E ** 2 if same[n] else 2 * q * np.exp(-2.77 * E / q)
    return total / len(a)
"""

ENERGY_GRADIENTS = """
def energy_gradients(dL, a, b, same, q):
    da, db = np.zeros(a.shape), np.zeros(b.shape)
    for n in range(len(a)):
        d = a[n] - b[n]
        E = np.sqrt((d ** 2).sum())
        slope = 4 / q * E if same[n] else -2 * 2.77 * np.exp(-2.77 * E / q)
        da[n] += dL * slope * d / E / len(a)
        db[n] -= dL * slope * d / E / len(a)
    return da, db
"""

CONTRASTIVE_GRADIENT = """
def contrastive_gradient(dL, a, b, same, margin):
    d = a - b
    E = np.sqrt((d ** 2).sum(axis=1, keepdims=True))
    slope = np.where(same[:, None], E, -np.maximum(0, margin - E))
    return dL * slope * d / E / len(a)
"""

TRIPLET_GRADIENTS = """
def triplet_gradients(dL, a, p, n, margin):
    near = ((a - p) ** 2).sum(axis=1, keepdims=True)
    far = ((a - n) ** 2).sum(axis=1, keepdims=True)
    active = dL * (near - far + margin > 0)
    return active * 2 * (n - p), active * 2 * (p - a), active * 2 * (a - n)
"""

CHI_SQUARE_GRADIENT = """
def chi_square_gradient(dy, a, b):
    s = np.where(a + b == 0, 1, a + b)
    d = a - b
    return dy * (2 * d / s - d ** 2 / s ** 2)
"""

STYLE_NORMALIZATION = """
def style_normalization(H, W, C):
    M = H * W
    return M ** 2 / (4 * C ** 2 * M ** 2), M ** 2 / (2 * M * C), M ** 2 / (M * C) ** 2
"""
