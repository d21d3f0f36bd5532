"""Speed as a ratio to the raw limit, both measured in the same run on the same machine."""
