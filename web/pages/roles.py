"""How roles read: a title and what somebody with it may do."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec


class Role(msgspec.Struct, frozen=True):
    name: str
    title: str
    may: str


def known_roles(_: Callable[[str], str]) -> dict[str, Role]:
    """By name, the most powerful first."""
    roles = [
        Role("admin", _("Administrator"), _("Looks after people and keys. Cannot bid or award.")),
        Role("channel_manager", _("Channel manager"), _("Looks after partners and invites.")),
        Role("procurement_officer", _("Procurement officer"), _("Publishes tenders and awards.")),
        Role("approver", _("Approver"), _("Releases what others propose.")),
        Role(
            "partner_manager",
            _("Partner manager"),
            _("Bids, invites, sees everything here."),
        ),
        Role("partner_employee", _("Partner employee"), _("Bids, and sees own and assigned work.")),
        Role("observer", _("Observer"), _("Reads, changes nothing.")),
    ]
    return {role.name: role for role in roles}


def roles_in_order(names: Iterable[str], known: dict[str, Role]) -> list[Role]:
    """Those of `names`, the most powerful first."""
    held = frozenset(names)
    return [role for role in known.values() if role.name in held]
