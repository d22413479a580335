"""Looking inside: what a trained network sees."""
