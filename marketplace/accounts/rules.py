"""What makes a valid organisation, person, password and invitation; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from marketplace.kernel.access import SCOPES
from marketplace.kernel.actor import CAPABILITIES, EVERY_SCOPE, ROLES
from marketplace.kernel.codes import is_country
from marketplace.kernel.errors import FieldError

SESSION_IDLE = timedelta(hours=8)
SESSION_ABSOLUTE = timedelta(days=7)
VERIFIED_LIFE = timedelta(minutes=15)
"""How long a password or code counts for what a stolen session must not do."""
INVITATION_LIFE = timedelta(hours=72)
RESET_LIFE = timedelta(hours=1)
LEVELS_MAX = 20
"""Of a hierarchy: deeper than any chain of resellers, shallow enough to be drawn and totalled."""
SEATS_MAX = 100_000
MODULES = frozenset(scope.partition(":")[0] for scope in SCOPES) - {"accounts"}
"""What can be switched off; accounts cannot: somebody must be able to log in and log out."""
RESETS_REMEMBERED = timedelta(days=7)
SEEN_GRAIN = timedelta(minutes=1)
"""`last_seen_at` and `last_used_at` are written at most once in this time."""

NAME_CHARS_MAX = 200
EMAIL_CHARS_MAX = 254
PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX = 10, 256
WELL_KNOWN_MAX = 40
REASON_CHARS_MAX = 500
API_KEYS_MAX = 100
OPERATOR_COUNTRY = "ZZ"
"""ISO 3166 leaves it to its users; here the one operator has it, so nobody else may."""
PREFIX_CHARS = 12

BUYER_ROLES = frozenset(["admin", "channel_manager", "procurement_officer", "approver"])
SUPPLIER_ROLES = frozenset(["admin", "partner_manager", "partner_employee"])
_SELLING = frozenset(["supplies", "resells", "refers"])

# Who may hand out what: an admin everything its kind of organisation knows, a partner manager
# nothing above itself.
_MAY_GRANT = {
    "admin": ROLES,
    "channel_manager": ROLES - {"admin"},
    "partner_manager": frozenset(["partner_manager", "partner_employee", "observer"]),
}
INVITERS = tuple(_MAY_GRANT)
"""Who may invite colleagues and change their roles."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_NOT_TAX = re.compile(r"[^0-9A-Z]+")
_WORD = re.compile(r"\w{3,}")
_TAX_PREFIX = {"GR": "EL"}


def normal_email(email: str) -> str:
    return email.strip().casefold()


def normal_tax_id(country: str, tax_id: str) -> str:
    """Capital letters and digits only, without the country prefix of a VAT number, so that
    `DE 811-569-869` and `811569869` are one.
    """
    text = _NOT_TAX.sub("", tax_id.upper())
    bare = text.removeprefix(_TAX_PREFIX.get(country, country))
    return bare if any(character.isdigit() for character in bare) else text


def first_state(capabilities: Iterable[str]) -> str:
    """Whoever sells waits for the operator; a mere buyer may begin at once."""
    return "active" if _SELLING.isdisjoint(capabilities) else "prospect"


def first_roles(capabilities: Iterable[str]) -> frozenset[str]:
    """The first user holds every role of that kind of organisation."""
    held = frozenset(capabilities)
    roles = BUYER_ROLES if "buys" in held else frozenset()
    return roles | (SUPPLIER_ROLES if held & _SELLING else frozenset())


def grantable_roles(own_roles: Iterable[str], capabilities: Iterable[str]) -> frozenset[str]:
    """The roles a member may give to a colleague in an organisation with these capabilities."""
    granted = frozenset[str]().union(*(_MAY_GRANT.get(role, frozenset()) for role in own_roles))
    return granted & (first_roles(capabilities) | {"observer"})


def organisation_errors(
    name: str, country: str, tax_id: str, capabilities: list[str]
) -> list[FieldError]:
    errors = text_errors("organisation.name", name, NAME_CHARS_MAX)
    if not is_country(country):
        errors.append(
            FieldError(
                "organisation.country",
                "unknown_country",
                "A country is two capital letters of ISO 3166-1, such as DE.",
            )
        )
    tax_errors = text_errors("organisation.tax_id", tax_id, NAME_CHARS_MAX)
    if not tax_errors and not normal_tax_id(country, tax_id):
        tax_errors = [
            FieldError("organisation.tax_id", "malformed", "A tax number has digits or letters.")
        ]
    errors += tax_errors
    if not capabilities:
        errors.append(
            FieldError("organisation.capabilities", "required", "Name at least one capability.")
        )
    for index, capability in enumerate(capabilities):
        if capability not in CAPABILITIES:
            errors.append(
                FieldError(
                    f"organisation.capabilities[{index}]",
                    "unknown_capability",
                    f"A capability is one of {', '.join(sorted(CAPABILITIES))}.",
                )
            )
    return errors


def person_errors(field: str, name: str, email: str) -> list[FieldError]:
    """`field` is the path before each name, such as `user.`, or empty."""
    return text_errors(f"{field}name", name, NAME_CHARS_MAX) + email_errors(f"{field}email", email)


def email_errors(field: str, email: str) -> list[FieldError]:
    if len(email) <= EMAIL_CHARS_MAX and "\0" not in email and _EMAIL.fullmatch(email.strip()):
        return []
    return [FieldError(field, "malformed", "An e-mail address looks like name@example.com.")]


def password_errors(field: str, password: str) -> list[FieldError]:
    """The length only, no composition rules (NIST SP 800-63B). Whether it can be guessed is for
    `Passwords.errors`.
    """
    if PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
        return []
    message = f"A password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters."
    return [FieldError(field, "password_length", message, "A sentence is fine.")]


def well_known_words(*texts: str) -> list[str]:
    """What everybody can know of a person, as words: names, and the parts of an e-mail address."""
    whole = [text.casefold() for text in texts]
    parts = [word for text in whole for word in _WORD.findall(text)]
    return list(dict.fromkeys(whole + parts))[:WELL_KNOWN_MAX]


def scope_errors(scopes: list[str], own: frozenset[str] | None) -> list[FieldError]:
    """`own` are the scopes of the key that asks, None for a session: no key makes a wider one."""
    known = SCOPES | {EVERY_SCOPE}
    errors = [
        FieldError(f"scopes[{index}]", "unknown_scope", f"A scope is one of {_listed(known)}.")
        for index, scope in enumerate(scopes)
        if scope not in known
    ]
    if not scopes:
        errors.append(FieldError("scopes", "required", f"Name scopes, such as {EVERY_SCOPE}."))
    if own is not None and EVERY_SCOPE not in own:
        errors += [
            FieldError(f"scopes[{index}]", "scope_too_wide", "This key does not have that scope.")
            for index, scope in enumerate(scopes)
            if scope not in own
        ]
    return errors


def role_errors(roles: list[str], grantable: frozenset[str]) -> list[FieldError]:
    errors = [
        FieldError(
            f"roles[{index}]", "role_not_grantable", f"You may give {_listed(grantable) or 'none'}."
        )
        for index, role in enumerate(roles)
        if role not in grantable
    ]
    return errors or ([] if roles else [FieldError("roles", "required", "Name at least one role.")])


def module_errors(modules: list[str]) -> list[FieldError]:
    return [
        FieldError(f"modules[{index}]", "unknown_module", f"A module is one of {_listed(MODULES)}.")
        for index, module in enumerate(modules)
        if module not in MODULES
    ]


def reason_errors(reason: str) -> list[FieldError]:
    return text_errors("reason", reason, REASON_CHARS_MAX)


def session_ends_at(last_seen_at: datetime, expires_at: datetime) -> datetime:
    """The earlier of idle and absolute expiry."""
    return min(last_seen_at + SESSION_IDLE, expires_at)


def text_errors(field: str, text: str, chars_max: int) -> list[FieldError]:
    if not text.strip():
        return [FieldError(field, "required", "This may not be empty.")]
    if len(text) > chars_max:
        return [FieldError(field, "too_long", f"At most {chars_max} characters.")]
    if "\0" in text:
        return [FieldError(field, "malformed", "A text has no NUL character.")]
    return []


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
