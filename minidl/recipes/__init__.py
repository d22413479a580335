"""What is trained: a recipe each, of data, network, loss, optimiser, and what is measured.

siamese.py      MNIST's digits as points of the plane
cifar10.py      VGG19 with batch normalization on CIFAR-10
faces.py        vectors of faces, on triplets.py (which of them to train on) and embeddings.py (losses, health)
signals.py      the keys of a telephone, in one dimension; volumes.py: solids, in three; both on classifiers.py

A recipe has a NETWORK, its name; PRESETS of settings; task(data, **settings), a
minidl.training.Task; for_report(data) and report(model, *that), what is measured in the end; and
trained(path), the network of a checkpoint.
"""
