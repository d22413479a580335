"""Prints how many of PyTorch's samples agree, and why minidl cannot express the others."""

import sys

from tests.against_torch.opinfo.harness import Count, counted, is_of_windows, shared_ops


def main(names: list[str]) -> None:
    """Print a line for each op, or for those of the names, and the sums."""
    of_windows, others = Count(), Count()
    for name, info in shared_ops().items():
        if names and not {name, name.partition(" ")[0]} & {*names}:
            continue
        count = counted(name, info)
        total = of_windows if is_of_windows(name) else others
        total += count
        print(f"{name:45} {in_words(count)}")
        for reason, number in count.cannot.items():
            print(f"{'':45} {number:5}: {reason}")
        for sentence in count.disagreeing:
            print(f"{'':45} DISAGREES: {sentence}")
    print(f"\n{'convolution and pooling':45} {in_words(of_windows)}")
    print(f"{'all others':45} {in_words(others)}")


def in_words(count: Count) -> str:
    return (
        f"{count.agreeing:5} agree {len(count.disagreeing):5} disagree "
        f"{count.cannot.total():5} cannot be expressed"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
