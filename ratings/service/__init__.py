"""Use cases of ratings. Nothing here commits."""
