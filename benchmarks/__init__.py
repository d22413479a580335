"""What minidl measures of itself: `python -m benchmarks WORK`. Results are kept in results/, and the README shows them."""
