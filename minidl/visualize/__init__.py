"""Visualizations: pictures that show what a network computes from a picture.

network.py             a network as a sequence of named steps
opening.py             VGG19, or a network that `minidl train` trained, as such a sequence
arrays.py              examples in files of arrays
classifying.py         the classes of many examples, in parts
units.py, scalars.py   a unit: a channel of a layer, or a class; its mean or largest activation
classes.py             the classes that a text names, and their probabilities for a picture
choosing.py            the units and layers that are shown by default
effort.py              what a visualization will cost
receptive_fields.py    the part of a picture that a position of a layer depends on
rectifiers.py          three rules for the gradient of a ReLU

features.py            activation maps
strongest.py           the pictures of an album (albums.py) that activate units most
patches.py             the parts of these pictures that activate a unit
maximization.py        pictures that maximise activations; parameterization.py: their variables
dream.py               DeepDream
saliency/              the parts of a picture that a unit depends on
inversion.py           pictures reconstructed from the activations of a layer
report.py              all of these for one picture (subject.py), as chapters of an HTML page; the
                       first ones, about the likeliest class, are in verdict.py

drawing/               numbers as colours, pictures of signals and volumes, HTML pages
"""
