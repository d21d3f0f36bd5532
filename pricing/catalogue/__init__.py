"""The shared catalogue: categories, classifications, units, items and how suppliers name them."""
