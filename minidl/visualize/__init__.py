"""Looking inside: what a network sees.

opening.py             the network, of VGG19's weights or of a run; network.py: its steps by name; units.py: what is asked about
receptive_fields.py    which part of a picture a position sees
rectifiers.py          three ways back through a ReLU

features.py            activation maps
patches.py             what excites a unit, of the pictures in albums.py, found by strongest.py, and the way back from it
maximization.py        what it would like best, painted on parameterization.py
dream.py               a picture, with all that fires made to fire more
saliency/              what of a picture a number of scalars.py depends on, by default that of choosing.py
inversion.py           what a layer keeps of a picture
report.py              all of it

drawing/               grids, maps and pages
"""
