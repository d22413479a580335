"""What minidl measures of itself, and of PyTorch beside it: `python -m benchmarks WORK`.

Results are kept in results/, and the README shows them.
"""
