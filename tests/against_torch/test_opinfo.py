"""All of PyTorch's samples of the ops that both libraries have, as opinfo/__init__.py describes.

`python -m tests.against_torch.opinfo` prints the counts and the reasons.
"""

import numpy as np
import pytest

from minidl import Tensor, ops

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

MOST = 600  # samples that minidl cannot express, of all ops but convolution and pooling
CANNOT = {  # op in PyTorch's table -> how many of its samples minidl cannot express
    "cdist": 232,
    "softmax": 1,
    "softmax with_dtype": 1,
    "nn.functional.softmin": 1,
    "nn.functional.softmin with_dtype": 1,
    "nn.functional.normalize": 5,
    "nn.functional.cosine_similarity": 2,
    "nn.functional.pad reflect": 1,
    "nn.functional.pad replicate": 1,
    "nn.functional.pad replicate_negative": 6,
    "nn.functional.pad circular": 1,
    "nn.functional.prelu": 1,
    "nn.functional.triplet_margin_loss": 7,
    "nn.functional.batch_norm": 2,
    "nn.functional.batch_norm without_cudnn": 2,
    "gather": 1,
    "log_softmax": 1,
    "log_softmax with_dtype": 1,
    "nn.functional.dropout": 7,
    "nn.functional.softplus": 3,
    "nn.functional.grid_sample": 30,
    "nn.functional.pdist": 4,
    "nn.functional.adaptive_max_pool1d": 4,
    "nn.functional.adaptive_max_pool2d": 12,
    "nn.functional.adaptive_max_pool3d": 10,
    "nn.functional.avg_pool3d": 2,
    "nn.functional.avg_pool2d": 4,
    "nn.functional.max_pool1d": 432,
    "nn.functional.max_pool2d": 720,
    "nn.functional.max_pool3d": 288,
}


@pytest.fixture(scope="module")
def harness():
    """The module that reads PyTorch's table of ops, whose import takes some seconds."""
    pytest.importorskip(
        "expecttest", reason="PyTorch's table of ops needs expecttest: pip install it"
    )
    from tests.against_torch.opinfo import harness

    return harness


@pytest.mark.thorough
def test_all_samples_agree_except_those_that_minidl_cannot_express(harness):
    counts = {name: harness.counted(name, info) for name, info in harness.shared_ops().items()}
    assert [sentence for count in counts.values() for sentence in count.disagreeing] == []
    cannot = {name: count.cannot.total() for name, count in counts.items()}
    more = {name: n for name, n in cannot.items() if n > CANNOT.get(name, 0)}
    assert more == {}, "samples that minidl cannot express, or no longer"
    assert sum(n for name, n in cannot.items() if not harness.is_of_windows(name)) <= MOST
    assert sum(count.agreeing for count in counts.values()) > 3000


WRONG = {  # what is wrong -> (op in PyTorch's table, its translation, words of the disagreement)
    "value": ("sin", ops.cos, "y is"),
    "gradient": ("sin", lambda x: ops.sin(x * 2.0) * 0.0 + Tensor(np.sin(x.data)), "gradient 0 is"),
    "no gradient": ("sin", lambda x: Tensor(np.sin(x.data)), "there is no gradient"),
    "shape": ("sum", lambda x, **options: ops.sum(x, keepdims=True), "y has shape"),
    "dtype": ("float", lambda x, **options: x, "y is float64, not float32"),
    "one of two results": ("max reduction_with_dim", lambda x, *axis: ops.max(x), "1 results"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("error", WRONG)
def test_errors_are_found(harness, monkeypatch, error):
    name, translation, words = WRONG[error]
    monkeypatch.setitem(harness.TRANSLATIONS, name, translation)
    count = harness.counted(name, harness.shared_ops()[name])
    assert any(words in sentence for sentence in count.disagreeing), count


@pytest.mark.thorough
def test_a_refusal_is_counted_with_its_reason(harness, monkeypatch):
    monkeypatch.setitem(harness.TRANSLATIONS, "sin", lambda x: ops.transpose(x, (0, 0)))
    count = harness.counted("sin", harness.shared_ops()["sin"])
    [(reason, number)] = count.cannot.items()
    assert "wanted each of its axes once" in reason and number == 1
    assert count.agreeing == 0 and not count.disagreeing
