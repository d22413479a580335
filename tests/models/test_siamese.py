"""The siamese network: its layers and initial values."""

from minidl.models.siamese import siamese


def test_layers_and_parameters():
    lines = siamese().summary((28, 28, 1))
    with_parameters = ["conv1", "conv2", "conv3", "fc1", "fc1_norm", "fc2", "fc2_norm", "embedding"]
    assert [line.name for line in lines if line.parameters] == with_parameters
    shapes = [line.shape for line in lines if line.name.startswith("conv")][::2]
    assert shapes == [(28, 28, 32), (14, 14, 64), (7, 7, 128)]
    assert sum(line.parameters for line in lines) == 7_045_122
    assert sum(line.multiply_adds for line in lines) == 14_398_976


def test_kernels_are_truncated_normal_and_depend_on_the_seed():
    one, other = (siamese(seed).layers["fc2"].kernel.data for seed in (0, 1))
    assert abs(one).max() <= 0.1 and abs(one.std() / 0.05 - 0.88) < 0.01
    assert (one != other).any()
