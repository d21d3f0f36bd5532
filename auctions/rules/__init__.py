"""What a bid means: pure decisions over an ordered log. `apply(state, command)` is the entry."""
