"""The portal in a real browser, against the real application on real servers."""
