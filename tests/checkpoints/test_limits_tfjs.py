"""Malicious and malformed TensorFlow.js manifests are refused in one sentence, and with little
memory."""

import json

import pytest

from tests.checkpoints.malformed import manifest, refused

SCALAR = {"name": "a", "shape": [], "dtype": "float32"}
NESTED = json.loads("[" * 500 + "]" * 500)


def quantized(scale, minimum):
    return SCALAR | {"quantization": {"dtype": "uint8", "scale": scale, "min": minimum}}


MANIFESTS = {
    "33 axes": {"weights": [SCALAR | {"shape": [1] * 33}]},
    "a hundred thousand axes": {"weights": [SCALAR | {"shape": [9] * 10**5}]},
    "axes that multiply to more than any file": {"weights": [SCALAR | {"shape": [2**31, 2**31]}]},
    "a length of thousands of digits": {"weights": [SCALAR | {"shape": [int("9" * 4000)]}]},
    "a float of thousands of digits": {"weights": [SCALAR | {"shape": [1e300]}]},
    "nested lists as a shape": {"weights": [SCALAR | {"shape": NESTED}]},
    "a list as a name": {"weights": [SCALAR | {"name": [1] * 10**5}]},
    "an immense scale": {"weights": [quantized(10**400, 0)]},
    "an infinite minimum": {"weights": [quantized(1, float("-inf"))]},
    "a list as quantization": {"weights": [SCALAR | {"quantization": [1, 2, 3]}]},
    "a text as quantization": {"weights": [SCALAR | {"quantization": "abc"}]},
    "a dtype without end": {"weights": [SCALAR | {"dtype": "f" * 10**6}]},
    "a dtype with control characters": {"weights": [SCALAR | {"dtype": "\x1b[31mfloat32"}]},
    "one file a thousand times": {
        "weights": [SCALAR | {"shape": [250_000_000]}],
        "numbers": bytes(10**6),
        "paths": ["n.bin"] * 1000,
    },
    "one file in each of many groups": {"weights": [SCALAR], "numbers": bytes(4), "groups": 3},
    "twenty thousand arrays": {
        "weights": [SCALAR | {"name": str(n), "shape": [0]} for n in range(20_000)]
    },
    "twenty thousand files": {"weights": [], "paths": [f"{n}.bin" for n in range(20_000)]},
    "a path up": {"weights": [], "paths": ["../n.bin"]},
    "a path with control characters": {"weights": [], "paths": ["\x1b[31m/n.bin"]},
    "a name with a zero": {"weights": [], "paths": ["n\0.bin"]},
    "a name without end": {"weights": [], "paths": ["n" * 10**6]},
    "itself": {"weights": [], "paths": ["m.json"]},
    "more text than any manifest": {
        "weights": [SCALAR | {"more": "x" * 2**23}],
        "numbers": bytes(4),
    },
}


@pytest.mark.parametrize("kind", MANIFESTS)
def test_malicious_manifests_are_refused(tmp_path, kind):
    manifest(tmp_path / "m.json", **MANIFESTS[kind])
    refused(tmp_path / "m.json")


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "9" * 5000])
def test_invalid_quantization_is_refused(tmp_path, number):
    manifest(tmp_path / "m.json", [quantized(1, 0)], bytes(1))
    text = (tmp_path / "m.json").read_text()
    (tmp_path / "m.json").write_text(text.replace('"scale": 1', f'"scale": {number}'))
    refused(tmp_path / "m.json")
