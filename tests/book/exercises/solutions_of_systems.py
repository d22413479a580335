"""Right solutions of the exercises about the systems and the engine, written differently from
minidl: with plain loops, or in another form."""

import numpy as np


def project_gradient(x, g):
    projected = np.array(g)
    for index, number in np.ndenumerate(x):
        if (number == 0 and g[index] > 0) or (number == 255 and g[index] < 0):
            projected[index] = 0
    return projected


def identify(faces, known, threshold):
    found = []
    for face in faces:
        best, index = np.inf, -1
        for n, other in enumerate(known):
            distance = np.linalg.norm(face - other)
            if distance < best:
                best, index = distance, n
        found.append(index if best <= threshold else -1)
    return np.array(found)


def siamese_gradient(dy, a, b, w):
    """As one batch of both inputs."""
    x, dh = np.concatenate([a, b]), np.concatenate([dy, -dy])
    return np.einsum("nc,nk->ck", x, dh / np.cosh(x @ w) ** 2)


def group_distance(a, b):
    total = 0.0
    for face in a:
        for other in b:
            total += ((face - other) ** 2).sum()
    return total / (len(a) * len(b))


def one_cycle(t, rate, length, rise, first, last):
    """By cos² of half the angle."""
    top = rise * length
    begin, s = (first, 1 - t / top) if t < top else (last, (t - top) / (length - top))
    return rate * (begin + (1 - begin) * np.cos(np.pi * s / 2) ** 2)


def grad_cam(A, dA):
    H, W, K = A.shape
    M = np.zeros((H, W))
    for k in range(K):
        M += A[:, :, k] * dA[:, :, k].sum() / (H * W)
    return np.where(M > 0, M, 0.0)


def occlusion_map(D, window, stride):
    """Each pixel looks for its squares."""
    height, width = ((n - 1) * stride + window for n in D.shape)
    found = np.zeros((height, width))
    for y, x in np.ndindex(height, width):
        rows = [r for r in range(len(D)) if r * stride <= y < r * stride + window]
        columns = [c for c in range(len(D[0])) if c * stride <= x < c * stride + window]
        found[y, x] = D[np.ix_(rows, columns)].mean()
    return found


def equal_parts(length, most, threads):
    n = 1
    while n * most < length or (n > 1 and n % threads and n < length):
        n += 1
    parts, begin = [], 0
    for p in range(1, n + 1):
        end = begin
        while (end + 1) * n <= length * p:
            end += 1
        parts.append([begin, end])
        begin = end
    return np.array(parts)
