"""The face networks, written directly from their descriptions, for one picture in float64.

Nothing of minidl is used. `w` is {name: array} with the names of the original files. Depthwise
filters are (3, 3, C, 1).
"""

import json

import numpy as np

RECOGNITION_MEANS, DETECTION_MEANS = (122.782, 117.001, 104.298), (117.001, 114.697, 97.404)
ANCHORS = (
    (1.603231, 2.094468),
    (6.041143, 7.080126),
    (2.882459, 3.518061),
    (4.266906, 5.178857),
    (9.041765, 10.66308),
)
BLOCKS = (
    "32_1 32_2 32_3 64_down 64_1 64_2 64_3 128_down 128_1 128_2 256_down 256_1 256_2 256_down_out"
)


def originals(folder, name):
    """Return {name: array} of the files NAME-weights_manifest.json and NAME.bin."""
    [group] = json.loads((folder / f"{name}-weights_manifest.json").read_text())
    arrays, raw = {}, (folder / f"{name}.bin").read_bytes()
    for entry in group["weights"]:
        shape, quantization = entry["shape"], entry.get("quantization")
        count = int(np.prod(shape))
        if quantization:
            stored, raw = raw[:count], raw[count:]
            numbers = [quantization["scale"] * q + quantization["min"] for q in stored]
        else:
            stored, raw = raw[: 4 * count], raw[4 * count :]
            numbers = memoryview(stored).cast("f").tolist()
        arrays[entry["name"]] = np.array(numbers, np.float32).astype(float).reshape(shape)
    assert not raw
    return arrays


def square(picture, centred):
    """Return a picture (H, W, 3) padded with zeros to a square, centred or at the upper left."""
    height, width = picture.shape[:2]
    side = max(height, width)
    y, x = ((side - height) // 2, (side - width) // 2) if centred else (0, 0)
    padded = np.zeros((side, side, 3))
    padded[y : y + height, x : x + width] = picture
    return padded


def resized(picture, side):
    """Return a square picture, scaled bilinearly. Pixel i is at i·in / out: neither are corners
    aligned, nor have pixels half-pixel centres."""
    n, y = len(picture), np.empty((side, side, 3))
    for i in range(side):
        for j in range(side):
            (r, a), (c, b) = (divmod(k * n / side, 1) for k in (i, j))
            rows, columns = ((int(k), min(int(k) + 1, n - 1)) for k in (r, c))
            upper, lower = (
                (1 - b) * picture[row, columns[0]] + b * picture[row, columns[1]] for row in rows
            )
            y[i, j] = (1 - a) * upper + a * lower
    return y


def windows(x, size, stride, before, after, value=0.0):
    """Yield (row of a tap, column of the tap, the numbers of all windows at this tap)."""
    x = np.pad(x, [(before, after), (before, after), (0, 0)], constant_values=value)
    rows, columns = ((length - size) // stride + 1 for length in x.shape[:2])
    for i in range(size):
        for j in range(size):
            down = slice(i, i + (rows - 1) * stride + 1, stride)
            across = slice(j, j + (columns - 1) * stride + 1, stride)
            yield i, j, x[down, across]


def convolution(x, filters, stride=1, before=0, after=0):
    taps = windows(x, len(filters), stride, before, after)
    return sum(numbers @ filters[i, j] for i, j, numbers in taps)


def separable(x, w, name, stride=1, before=1):
    filters = w[f"{name}/depthwise_filter"]
    taps = windows(x, 3, stride, before, 1)
    depthwise = sum(numbers * filters[i, j, :, 0] for i, j, numbers in taps)
    return convolution(depthwise, w[f"{name}/pointwise_filter"]) + w[f"{name}/bias"]


def relu(x, slope=0.0):
    return np.where(x > 0, x, slope * x)


def max_pool(x, size, stride, after=0):
    taps = windows(x, size, stride, 0, after, -np.inf)
    return np.max([numbers for _, _, numbers in taps], axis=0)


def detection(w, picture):
    """(S, S, 3) -> (n, n, 25), S a multiple of 32"""
    x = (picture - DETECTION_MEANS) / 255
    x = relu(convolution(x, w["conv0/filters"]) + w["conv0/bias"], 0.1)
    for number in range(1, 6):
        x = max_pool(x, 2, 2, after=len(x) % 2)
        x = relu(separable(x, w, f"conv{number}"), 0.1)
    x = max_pool(x, 2, 1, after=1)
    return convolution(x, w["conv8/filters"]) + w["conv8/bias"]


def boxes(numbers):
    """(n, n, 25) -> (5 n², 5): x, y of the upper left corner, width, height, as fractions of the
    padded square, and score"""
    n, rows = len(numbers), []

    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    for row in range(n):
        for column in range(n):
            for anchor, (anchor_w, anchor_h) in enumerate(ANCHORS):
                x, y, w, h, score = numbers[row, column, 5 * anchor : 5 * anchor + 5]
                width, height = np.exp(w) * anchor_w / n, np.exp(h) * anchor_h / n
                left = (column + sigmoid(x)) / n - width / 2
                upper = (row + sigmoid(y)) / n - height / 2
                rows.append([left, upper, width, height, sigmoid(score)])
    return np.array(rows)


def landmarks(w, picture, blocks=3, convolutions=3):
    """(112, 112, 3) -> (68, 2)"""
    x = (picture - RECOGNITION_MEANS) / 255
    for block in range(blocks):
        name = f"dense{block}/conv"
        if block == 0:
            a = relu(convolution(x, w[f"{name}0/filters"], 2, 0, 1) + w[f"{name}0/bias"])
        else:
            a = relu(separable(x, w, f"{name}0", 2, before=0))
        parts = [a, separable(a, w, f"{name}1")]
        for number in range(2, convolutions):
            parts.append(separable(relu(sum(parts)), w, f"{name}{number}"))
        x = relu(sum(parts))
    return (x.mean(axis=(0, 1)) @ w["fc/weights"] + w["fc/bias"]).reshape(68, 2)


def recognition(w, picture):
    """(150, 150, 3) -> (128,)"""

    def conv(x, name, stride=1, padding=0):
        y = convolution(x, w[f"{name}/conv/filters"], stride, padding, padding)
        y = y + w[f"{name}/conv/bias"]
        return w[f"{name}/scale/weights"] * y + w[f"{name}/scale/biases"]

    x = (picture - RECOGNITION_MEANS) / 255
    x = max_pool(relu(conv(x, "conv32_down", 2)), 3, 2)
    for block in BLOCKS.split():
        name = f"conv{block}"
        if "down" not in block:
            x = relu(conv(relu(conv(x, f"{name}/conv1", 1, 1)), f"{name}/conv2", 1, 1) + x)
            continue
        branch = conv(relu(conv(x, f"{name}/conv1", 2)), f"{name}/conv2", 1, 1)
        shortcut = np.mean([numbers for _, _, numbers in windows(x, 2, 2, 0, 0)], axis=0)
        shortcut = np.pad(shortcut, [(0, 0), (0, 0), (0, branch.shape[2] - shortcut.shape[2])])
        short = len(shortcut) - len(branch)
        x = relu(np.pad(branch, [(0, short), (0, short), (0, 0)]) + shortcut)
    return x.mean(axis=(0, 1)) @ w["fc"]
