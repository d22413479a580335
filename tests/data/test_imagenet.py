"""The names of ImageNet's classes, at positions that are known from other programs."""

from minidl.data import imagenet_classes

KNOWN = {
    0: "tench",
    1: "goldfish",
    7: "cock",
    65: "sea snake",
    151: "Chihuahua",
    207: "golden retriever",
    281: "tabby",
    340: "zebra",
    388: "giant panda",
    504: "coffee mug",
    657: "missile",
    812: "space shuttle",
    954: "banana",
    999: "toilet tissue",
}


def test_the_classes_are_in_the_standard_order():
    names = imagenet_classes()
    assert {number: names[number] for number in KNOWN} == KNOWN
    assert len(names) == len(set(names)) == 1000
    assert all(name == name.strip() and name.isprintable() for name in names)
