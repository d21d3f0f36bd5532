"""Use cases of accounts. They authorise, load, decide, write; they never commit."""

from marketplace.accounts.service.organisations import make_operator, register

__all__ = ["make_operator", "register"]
