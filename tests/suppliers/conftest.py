"""What the tests of partners need beside their own: a shop with a price list."""

from tests.pricing.conftest import new_shop

__all__ = ["new_shop"]
