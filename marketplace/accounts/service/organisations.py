"""Registration, and the life of an organisation: prospect → active ⇄ suspended, and retired in the
end."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UNSET
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import queries, rules
from marketplace.accounts.models import Organisation, User
from marketplace.accounts.passwords import Passwords
from marketplace.accounts.revocation import Revocations, Revoked
from marketplace.accounts.schemas import (
    NewOrganisation,
    NewRegistration,
    NewUser,
    OrganisationChange,
    OrganisationPage,
    OrganisationView,
    Registered,
    UserView,
)
from marketplace.accounts.service import audit
from marketplace.accounts.service.roles import give
from marketplace.kernel.actor import EVERY_SCOPE, SHUT_OUT, Actor
from marketplace.kernel.clock import Clock
from marketplace.kernel.db import SYSTEM, set_scope
from marketplace.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from marketplace.kernel.ids import new_id
from marketplace.kernel.pages import Page

STATES = frozenset(["prospect", "active", "suspended", "retired"])
_STEPS = {
    "approve": (("prospect",), "active"),
    "suspend": (("active",), "suspended"),
    "reinstate": (("suspended", "retired"), "active"),
    "retire": (("prospect", "active", "suspended"), "retired"),
}
_OPERATOR_ROLES = ("admin", "channel_manager")


async def register(
    session: AsyncSession, clock: Clock, passwords: Passwords, new: NewRegistration
) -> Registered:
    """A new organisation with its first user, who holds every role of that kind.

    Raises Invalid, Conflict (`organisation_exists`, `email_taken`), Unavailable.
    """
    organisation, user = new.organisation, new.user
    errors = rules.organisation_errors(
        organisation.name, organisation.country, organisation.tax_id, organisation.capabilities
    ) + rules.person_errors("user.", user.name, user.email)
    errors += await passwords.errors(
        "user.password", user.password, user.email, user.name, organisation.name
    )
    if errors:
        raise Invalid("invalid", "The registration has wrong fields.", errors=errors)
    password_hash = await passwords.hash(user.password)
    await set_scope(session, SYSTEM)
    now = clock.now()
    state = rules.first_state(organisation.capabilities)
    organisation_view = await _add_organisation(session, now, organisation, state, operator=False)
    roles = rules.first_roles(organisation.capabilities)
    user_view = await add_user(session, now, organisation_view.id, user, password_hash, roles)
    audit.record(session, now, "organisation_registered", organisation_view.id)
    return Registered(organisation=organisation_view, user=user_view)


async def make_operator(
    session: AsyncSession, clock: Clock, passwords: Passwords, name: str, user: NewUser
) -> Registered:
    """The organisation that runs the marketplace, with its first administrator; from the command
    line only. Raises Invalid, Conflict (`organisation_exists` when there is one already).
    """
    errors = rules.person_errors("", user.name, user.email)
    errors += await passwords.errors("password", user.password, user.email, user.name, name)
    if errors:
        raise Invalid("invalid", "; ".join(error.message for error in errors), errors=errors)
    password_hash = await passwords.hash(user.password)
    await set_scope(session, SYSTEM)
    now = clock.now()
    # The ordinary uniqueness of tax numbers makes the operator the only one of its kind.
    organisation = NewOrganisation(
        name=name, country=rules.OPERATOR_COUNTRY, tax_id="OPERATOR", capabilities=["buys"]
    )
    if await queries.operator_exists(session):
        raise Conflict("organisation_exists", "This marketplace has its operator already.")
    organisation_view = await _add_organisation(session, now, organisation, "active", operator=True)
    roles = rules.BUYER_ROLES
    user_view = await add_user(session, now, organisation_view.id, user, password_hash, roles)
    audit.record(session, now, "operator_made", organisation_view.id)
    return Registered(organisation=organisation_view, user=user_view)


async def change_state(
    session: AsyncSession,
    clock: Clock,
    revocations: Revocations,
    actor: Actor,
    organisation_id: UUID,
    step: str,
    reason: str | None,
) -> OrganisationView:
    """`step` is approve, suspend, reinstate or retire; the operator only, but an organisation's own
    administrator may retire it.

    Raises NotFound, Forbidden, Invalid (no reason), Conflict (`wrong_state`).
    """
    if organisation_id != actor.organisation_id and not actor.operator:
        raise NotFound("organisation")
    if step == "retire":
        # It ends the logins of everybody there, more than any narrow key was made for.
        actor.require_scope(EVERY_SCOPE)
    if step == "retire" and not actor.operator:
        actor.require_role("admin")
    else:
        _require_operator(actor)
    errors = rules.reason_errors(reason or "")
    if errors and (step != "approve" or reason is not None):
        raise Invalid("invalid", "A reason is needed.", errors=errors)
    before, after = _STEPS[step]
    changed = (
        await session.execute(
            update(Organisation)
            .where(Organisation.id == organisation_id, Organisation.state.in_(before))
            .where(Organisation.operator.is_(False))
            .values(state=after)
            .returning(Organisation.id)
        )
    ).first()
    organisation = await queries.organisation(session, organisation_id)
    if organisation is None:
        raise NotFound("organisation")
    if changed is None:
        raise Conflict(
            "wrong_state", f"The organisation is {organisation.state}, not {' or '.join(before)}."
        )
    audit.record(
        session,
        clock.now(),
        f"organisation_{step}",
        organisation_id,
        actor=actor,
        subject_id=organisation_id,
        reason=reason,
    )
    if after in SHUT_OUT:
        revocations.announce(session, Revoked(organisation_id=organisation_id))
    return view(organisation)


def _require_operator(actor: Actor) -> None:
    if not actor.operator:
        raise Forbidden("operator_only", "Only the operator may do this.")
    actor.require_role(*_OPERATOR_ROLES)


async def change(
    session: AsyncSession,
    clock: Clock,
    actor: Actor,
    organisation_id: UUID,
    data: OrganisationChange,
) -> OrganisationView:
    """What is left out stays. An administrator changes the own name; country, tax number and
    capabilities, which the approval was about, only the operator. Raises NotFound, Forbidden,
    Invalid, Conflict (`organisation_exists`).
    """
    if organisation_id != actor.organisation_id and not actor.operator:
        raise NotFound("organisation")
    given = {
        name: value for name, value in msgspec.structs.asdict(data).items() if value is not UNSET
    }
    if set(given) <= {"name"} and organisation_id == actor.organisation_id:
        actor.require_role("admin")
    else:
        _require_operator(actor)
    found = await queries.organisation(session, organisation_id, lock=True)
    if found is None:
        raise NotFound("organisation")
    fields = {name: getattr(found, name) for name in ("name", "country", "tax_id", "capabilities")}
    fields |= given
    errors = rules.organisation_errors(**fields)
    if found.operator and set(given) > {"name"}:
        raise Conflict("wrong_state", "The operator has no country, tax number or capabilities.")
    errors = [
        msgspec.structs.replace(e, field=e.field.removeprefix("organisation.")) for e in errors
    ]
    errors = [error for error in errors if error.field.partition("[")[0] in given]
    if errors:
        raise Invalid("invalid", "The change has wrong fields.", errors=errors)
    found.name, found.country = fields["name"].strip(), fields["country"]
    found.tax_id = fields["tax_id"].strip()
    found.capabilities = sorted(set(fields["capabilities"]))
    if not found.operator:
        found.tax_id_normal = rules.normal_tax_id(found.country, found.tax_id)
    try:
        async with session.begin_nested():
            await session.flush()
    except IntegrityError:
        raise _exists() from None
    audit.record(session, clock.now(), "organisation_changed", organisation_id, actor=actor)
    return view(found)


def _exists() -> Conflict:
    return Conflict(
        "organisation_exists", "An organisation of this country and tax number is registered."
    )


async def read(session: AsyncSession, actor: Actor, organisation_id: UUID) -> OrganisationView:
    """The own one; the operator any. Raises NotFound."""
    if not actor.operator and organisation_id != actor.organisation_id:
        raise NotFound("organisation")
    organisation = await queries.organisation(session, organisation_id)
    if organisation is None:
        raise NotFound("organisation")
    return view(organisation)


async def browse(
    session: AsyncSession, actor: Actor, *, state: str | None, page: Page
) -> OrganisationPage:
    """All of them for the operator, the own one for everybody else. Raises Invalid."""
    if state is not None and state not in STATES:
        raise Invalid.field("state", "unknown_state", f"One of {', '.join(sorted(STATES))}.")
    if not actor.operator:
        own = await read(session, actor, actor.organisation_id)
        return OrganisationPage(items=[own] if state in {None, own.state} else [])
    shown, more = page.cut(await queries.organisations(session, state=state, page=page))
    return OrganisationPage(items=[view(each) for each in shown], next_cursor=more)


async def add_user(
    session: AsyncSession,
    now: datetime,
    organisation_id: UUID,
    new: NewUser,
    password_hash: str,
    roles: frozenset[str],
    *,
    invited_by: UUID | None = None,
) -> UserView:
    """A user with `roles`. Raises Conflict (`email_taken`)."""
    user_id = new_id()
    added = await session.execute(
        upsert(User)
        .values(
            id=user_id,
            organisation_id=organisation_id,
            name=new.name.strip(),
            email=new.email.strip(),
            email_normal=rules.normal_email(new.email),
            password_hash=password_hash,
            created_at=now,
            invited_by=invited_by,
        )
        .on_conflict_do_nothing()
        .returning(User.id)
    )
    if added.first() is None:
        raise Conflict("email_taken", "This e-mail address has an account already.")
    await give(session, now, user_id, organisation_id, roles, invited_by)
    return UserView(id=user_id, name=new.name.strip(), email=new.email.strip())


def view(organisation: Organisation) -> OrganisationView:
    return OrganisationView(
        id=organisation.id,
        name=organisation.name,
        country=organisation.country,
        tax_id=organisation.tax_id,
        capabilities=sorted(organisation.capabilities),
        state=organisation.state,
        created_at=organisation.created_at,
    )


async def _add_organisation(
    session: AsyncSession, now: datetime, new: NewOrganisation, state: str, *, operator: bool
) -> OrganisationView:
    organisation_id = new_id()
    added = await session.execute(
        upsert(Organisation)
        .values(
            id=organisation_id,
            name=new.name.strip(),
            country=new.country,
            tax_id=new.tax_id.strip(),
            tax_id_normal=rules.normal_tax_id(new.country, new.tax_id),
            capabilities=sorted(set(new.capabilities)),
            state=state,
            operator=operator,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(Organisation.id)
    )
    if added.first() is None:
        raise _exists()
    return OrganisationView(
        id=organisation_id,
        name=new.name.strip(),
        country=new.country,
        tax_id=new.tax_id.strip(),
        capabilities=sorted(set(new.capabilities)),
        state=state,
        created_at=now,
    )
