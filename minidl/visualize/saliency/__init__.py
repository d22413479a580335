"""A saliency map shows the parts of a picture that a scalar of the network depends on.

gradients.py and occlusion.py contain the methods, and methods.py applies them by name.
explanation.py gathers the maps of a unit. sanity.py tests whether a map depends on the weights of
the network.
"""
