"""Saliency: which parts of a picture a number of the network depends on; a file a family of
methods, all of them in methods.py, and sanity.py, which asks whether they show the network or the
picture."""
