"""Checking rows and what they would do to the list, and writing down what was found."""
