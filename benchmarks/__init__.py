"""Measurements of minidl, and of PyTorch for comparison: `python -m benchmarks WORK`.

The results are kept in results/. RESULTS.md shows them.
"""
