"""Use cases of orders. Nothing here commits."""
