"""PyTorch's own samples of its ops (OpInfo), computed by minidl.

PyTorch tests each of its ops on samples: inputs, options and edge cases that its authors chose. For
each op that both libraries have, every sample in float64 is translated to a call of minidl. Values,
and gradients for random cotangents, must agree. A sample that minidl cannot express is counted with
the reason.

harness.py      runs the samples and compares
elementwise.py  translations: arithmetic, functions of numbers, comparisons, activations
arrays.py       translations: reductions, products, shapes, joining, indexing
layers.py       translations: convolution, pooling, normalization, padding, embedding
losses.py       translations: losses, distances

    python -m tests.against_torch.opinfo            # the table of counts
    python -m tests.against_torch.opinfo softmax    # that of some ops

To add an op, add it to the TRANSLATIONS of one of these files: its name in PyTorch's table, and a
function with PyTorch's parameters and layout that calls minidl. It gets Tensors of floats, and
NumPy arrays of integers and bools. `only` and `cannot` mark what has no equal. CANNOT in
test_opinfo.py then says how many samples these are.
"""
