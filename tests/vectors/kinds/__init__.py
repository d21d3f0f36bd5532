"""One module for each kind of case; what a module holds is said in `tests/vectors/cases.py`."""
