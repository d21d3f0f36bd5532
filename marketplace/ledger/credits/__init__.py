"""Money and points that are credited in lots, reserved, spent, given back, and expire."""
