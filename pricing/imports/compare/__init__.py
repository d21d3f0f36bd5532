"""Staged rows beside the list's lines: what is added, changed, ended, or collides."""
