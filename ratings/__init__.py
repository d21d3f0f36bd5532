"""Supplier ratings: dated policies, decayed sums, a score with its exact explanation."""
