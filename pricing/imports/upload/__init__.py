"""Taking a file in, piece by piece."""
