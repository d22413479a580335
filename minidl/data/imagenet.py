"""The names of ImageNet's 1000 classes, in the order of the outputs of networks trained on them.

The order is that of the challenge of 2012 (ILSVRC): by the identifiers of WordNet, from n01440764,
"tench", to n15075141, "toilet tissue". Caffe, Keras, PyTorch and MatConvNet number the classes in
this order. The names are the first ones of WordNet. Where two classes would have the same name,
a second word tells them apart. `imagenet_classes.txt` lists them as torchvision 0.24.1 does
(torchvision/models/_meta.py, BSD-3-Clause).
"""

from functools import cache
from pathlib import Path


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Return the 1000 names.

    >>> imagenet_classes()[281:286]
    ('tabby', 'tiger cat', 'Persian cat', 'Siamese cat', 'Egyptian cat')
    """
    text = Path(__file__).with_name("imagenet_classes.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())
