"""The text about everything public is complete, and each fact that is taken out is missed."""

import re
import sys
from dataclasses import dataclass

import pytest

import minidl
from minidl import data
from minidl.autograd import Op
from minidl.book import SUBJECTS
from minidl.book.completeness import BASES, OF_KIND, incomplete, missing, public_names
from minidl.book.sources import comment, definition
from minidl.style_transfer import PRESETS


def test_the_text_is_complete():
    assert [*incomplete()] == []


@pytest.fixture
def without(monkeypatch):
    """A function that takes words out of a docstring. The words are a pattern."""

    def take_out(thing, words=r"(?s).*"):
        text, thing = definition(thing).__doc__, definition(thing)
        shorter = re.sub(words, "", text)
        assert shorter != text, f"{thing.__name__} does not say {words}"
        monkeypatch.setattr(thing, "__doc__", shorter)

    return take_out


def module_of(name):
    return sys.modules[definition(SUBJECTS[name].thing).__module__]


TAKEN_OUT = [
    ("matmul", r"^\(\.\.\., M.*\n", "the shapes"),
    ("convolution", r"y\[n,o,k\] = b.*", "a formula"),
    ("convolution", r"Raises[^>]*", "the errors"),
    ("convolution", r"Cost: .* multiply-adds\.", "the cost"),
    ("convolution", r"(?s)>>> .*", "a worked example"),
    ("convolution", r"groups: [^>]*", "the parameter groups"),
    ("leaky_relu", r"(?s)Source: .*\.\n", "the source"),
    ("content_loss", r"k = 1/2", 'the formula of "half"'),
    ("content_loss", r'"sum" k = 1, ', 'the formula of "sum"'),
    ("style_loss", r'"ng" k = H W / \(2 C\)', 'the formula of "ng"'),
    ("total_variation", r'"power" .*', 'the formula of "power"'),
    ("triplet_loss", r'"mean" .*', 'the formula of "mean"'),
    ("histogram_loss", r"∂L/∂F.*", "a derivation of dgenerated"),
    ("gaussian_loss", r"∂L/∂m = .*", "a derivation of dm"),
    ("Dense", r"y = x kernel \+ bias", "a formula"),
    ("Dense", r"(?s)>>> .*", "a worked example"),
    ("BatchNorm", r"epsilon: ε.", "the parameter epsilon"),
    ("BatchNorm", r"(?s)Raises.*?>>>", "the errors"),
    ("Adam", r'"tensorflow" .*', 'the formula of "tensorflow"'),
    ("SGD", r"Raises ArgumentError", "the errors"),
    ("Cosine", r"α\(t\) = .*", "a formula"),
    ("Steps", r"(?s)>>> .*", "a worked example"),
    ("Group", r"rate: .*", "the parameter rate"),
    ("im2col", r"y = columns W,", "a formula of y"),
    ("im2col", r"dx\[i,c\] = .*", "a formula of dx"),
    ("runs", r"dW = .*", "a formula of dw"),
    ("depthwise", r"Cost: ", "the cost"),
    ("winograd", r"(?s)Winograd 1980.*?1509.09308", "the source"),
    ("depthwise", r"therefore|so that", "the reason why it is right"),
]


@pytest.mark.parametrize(("name", "words", "fact"), TAKEN_OUT)
def test_what_is_taken_out_of_a_docstring_is_missing(without, name, words, fact):
    assert missing(SUBJECTS[name]) == []
    without(SUBJECTS[name].thing, f"(?m){words}" if "(?s)" not in words else words)
    assert fact in missing(SUBJECTS[name])


@pytest.mark.parametrize(
    ("name", "words", "fact"),
    [
        ("negative", r"y has the shape of x[^.]*\.", "the shapes"),
        ("negative", r"Cost: [^.]*\.", "the cost"),
        ("negative", r"Raises ShapeError", "the errors"),
        ("negative", r"NIST's Digital Library of Mathematical Functions", "the source"),
        ("gram_matrix", r"Gatys, Ecker, Bethge 2015", "the source"),
        ("Convolution", r"A call raises the errors of the op that it runs", "the errors"),
        ("Warmup", r"Bottou, Curtis, Nocedal 2018", None),  # It names Goyal et al. 2017.
        ("Constant", r"Bottou, Curtis, Nocedal 2018", "the source"),
    ],
)
def test_what_is_taken_out_of_the_docstring_of_a_file_is_missing(without, name, words, fact):
    without(module_of(name), words)
    assert missing(SUBJECTS[name]) == ([fact] if fact else [])


DERIVED = [
    (name, gradient)
    for name, about in SUBJECTS.items()
    if isinstance(about.thing, Op)
    for gradient in about.gradients
]


@pytest.mark.parametrize(("name", "gradient"), DERIVED)
def test_a_gradient_without_a_docstring_is_missing(without, name, gradient):
    without(SUBJECTS[name].gradients[gradient])
    assert f"a derivation of {gradient}" in missing(SUBJECTS[name])


@pytest.mark.parametrize("gradient", ["db", "dw"])
def test_a_gradient_without_its_formula_is_missing(without, gradient):
    without(SUBJECTS["convolution"].gradients[gradient], rf"{gradient}\[.*")
    assert missing(SUBJECTS["convolution"]) == [f"a derivation of {gradient}"]


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_subject_without_text_lacks_all_facts_of_its_kind(monkeypatch, name):
    about = SUBJECTS[name]
    monkeypatch.setattr(definition(about.thing), "__doc__", "")
    if about.kind == "layer" and about.thing not in BASES:
        call = about.thing.__call__
        monkeypatch.setattr(call, "__doc__", "")
    if about.kind != "algorithm":
        monkeypatch.setattr(module_of(name), "__doc__", "")
    facts = ["a docstring"] if about.thing in BASES else OF_KIND[about.kind]
    assert {*facts} <= {*missing(about)}


def test_a_long_example_cannot_be_checked_by_hand(monkeypatch):
    relu = definition(SUBJECTS["relu"].thing)
    longer = relu.__doc__ + "".join(f"    >>> relu(np.ones({n}))\n" for n in range(5))
    monkeypatch.setattr(relu, "__doc__", longer)
    assert missing(SUBJECTS["relu"]) == ["a worked example of at most 6 lines"]


# ---- other public names --------------------------------------------------------------------------


def test_the_sentences_name_what_is_incomplete(without):
    before = {*incomplete()}
    without(SUBJECTS["convolution"].thing, "Cost: ")
    without(SUBJECTS["convolution"].gradients["db"])
    without(data.flip)
    without(data.normalize, r"\(N, .*\)")
    assert {*incomplete()} - before == {
        "convolution (op) lacks the cost, a derivation of db.",
        "transposed_convolution (op) lacks a derivation of db.",  # the same function
        "minidl.data.flip lacks a docstring.",
        "minidl.data.normalize lacks the shapes.",
    }


def test_every_public_name_is_looked_at_once():
    names = public_names()
    assert names["minidl.Tensor"] is minidl.Tensor and "minidl.autograd.Tensor" not in names
    assert {"minidl.ops", "minidl.data.flip", "minidl.faces.THRESHOLD"} <= {*names}
    assert not any(name.startswith("minidl.cli") for name in names)
    assert not any(thing is about.thing for thing in names.values() for about in SUBJECTS.values())


def test_a_constant_has_a_comment(monkeypatch):
    monkeypatch.setattr(data, "LIMIT", (1, 2), raising=False)
    monkeypatch.setattr(data, "__all__", [*data.__all__, "LIMIT"])
    assert "minidl.data.LIMIT lacks a comment." in [*incomplete()]
    assert comment(SUBJECTS).startswith("# name -> Subject")
    assert comment(PRESETS).startswith("The settings of papers")


def test_the_docstring_that_a_dataclass_writes_itself_does_not_count(monkeypatch):
    @dataclass
    class Point:
        x: float

    monkeypatch.setattr(data, "Point", Point, raising=False)
    monkeypatch.setattr(data, "__all__", ["Point"])
    assert "minidl.data.Point lacks a docstring." in [*incomplete()]
