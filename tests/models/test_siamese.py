from minidl.models.siamese import siamese


def test_it_is_the_network_that_it_is_said_to_be():
    lines = siamese().summary((28, 28, 1))
    assert [line.name for line in lines if line.parameters] == [
        "conv1", "conv2", "conv3", "fc1", "fc1_norm", "fc2", "fc2_norm", "embedding",
    ]  # fmt: skip
    assert [line.shape for line in lines if line.name.startswith("conv")][::2] == [
        (28, 28, 32),
        (14, 14, 64),
        (7, 7, 128),
    ]
    assert sum(line.parameters for line in lines) == 7_045_122
    assert sum(line.multiply_adds for line in lines) == 14_398_976


def test_its_kernels_are_a_truncated_normal_and_no_two_seeds_alike():
    one, other = (siamese(seed).layers["fc2"].kernel.data for seed in (0, 1))
    assert abs(one).max() <= 0.1 and abs(one.std() / 0.05 - 0.88) < 0.01
    assert (one != other).any()
