"""A supplier's versioned price lists, and which price of them holds for whom and why."""
