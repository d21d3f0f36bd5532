"""Cases with exact results, each run by the product's own functions: `python -m tests.vectors`."""
