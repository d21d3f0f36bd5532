"""What the walk knows of the routes: which parameters name objects, what a valid body looks like,
and which routes may show something of others, with the reason.

Whoever adds a route finds the walk failing until its parameters and its body stand here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from litestar import Litestar
from litestar.routes import HTTPRoute

from marketplace.kernel.access import Access

_OWN = "00000000-0000-7000-8000-000000000000"
_MONEY = {"amount": "100.00", "currency": "EUR"}
_REASON = {"reason": "Because"}
_FILE = (b"%PDF-1.7\nx", "application/pdf")

WORDS: dict[str, tuple[str, ...]] = {
    "/api/v1/orders event": (
        "approve", "reject", "place", "withdraw", "decline", "accept", "reopen", "cancel",
    ),
    "/programme/reports report": ("sales", "service", "wanted"),
    "/payouts/runs event": ("approve", "cancel"),
    "/payouts event": ("approve", "paid", "failed"),
    "/acts event": ("accept", "dispute"),
    "/programme/plans event": ("propose", "agree", "decline"),
    "/programme/ event": ("activate", "suspend", "resume", "end"),
    "/api/v1/monitor report": ("sales", "service", "wanted"),
    "/api/v1/agreements event": ("activate", "suspend", "resume", "end"),
    "/api/v1/plans event": ("propose", "agree"),
    "/api/v1/claims event": ("uphold", "dispute", "escalate", "dismiss", "withdraw"),
    "/orders event": ("accept", "confirm", "deliver", "claim", "survey", "cancel"),
    "/awards event": ("accept", "decline", "approve", "refuse", "withdraw"),
    "/offers event": ("accept", "reject"),
    "/prices verb": ("commit", "cancel", "rollback", "columns"),
    "/suppliers step": ("approve", "suspend", "reinstate"),
    "version": ("1",),
}  # fmt: skip
"""Parameters that are words, by the beginning of the path where it matters."""

BODIES: dict[str, Any] = {
    "POST /api/v1/auctions/{auction_id}/bids": {"cid": "walk", "price": "100.00"},
    "POST /api/v1/auctions/{auction_id}/cancel": _REASON,
    "POST /api/v1/auctions/{auction_id}/exclude": _REASON | {"bidder": "somebody"},
    "POST /api/v1/auctions/{auction_id}/extend": _REASON | {"seconds": 60},
    "POST /api/v1/auctions/{auction_id}/message": {"text": "Hello"},
    "POST /api/v1/auctions/{auction_id}/pause": _REASON,
    "POST /api/v1/auctions/{auction_id}/resume": _REASON,
    "POST /api/v1/auctions/{auction_id}/withdraw_bid": _REASON | {"bid_seq": 1},
    "POST /api/v1/awards/{award_id}/decline": _REASON,
    "POST /api/v1/awards/{award_id}/refuse": _REASON,
    "POST /api/v1/awards/{award_id}/withdraw": _REASON,
    "POST /api/v1/agreements/{agreement_id}/move": {"version": 1},
    "POST /api/v1/agreements/{agreement_id}/tier": {"tier": None},
    "POST /api/v1/agreements/{agreement_id}/certificates": {
        "person": _OWN, "course": "Basics", "issued_at": "2026-01-01T00:00:00Z",
    },
    "POST /api/v1/plans/{plan_id}/decline": _REASON,
    "POST /programme/plans/{plan_id}/{event}": (
        b"reason=x", "application/x-www-form-urlencoded",
    ),
    "POST /programme/{agreement_id}/life/{event}": (b"", "application/x-www-form-urlencoded"),
    "POST /programme/{agreement_id}/move": (b"", "application/x-www-form-urlencoded"),
    "POST /payouts/runs/{payout_run_id}/{event}": (b"", "application/x-www-form-urlencoded"),
    "POST /payouts/{payout_id}/{event}": (
        b"at=2026-01-01T00:00&reference=x&reason=x", "application/x-www-form-urlencoded",
    ),
    "POST /acts/{act_id}/{event}": (b"reason=x", "application/x-www-form-urlencoded"),
    "POST /programme/{agreement_id}/tier": (b"tier=x", "application/x-www-form-urlencoded"),
    "POST /api/v1/programmes/{programme_id}/versions": {
        "tiers": [{
            "code": "bronze", "partner_type": "reseller", "threshold": 0, "parameters": [],
            "reward": {"sale_percent": "1", "fund_percent": "1"},
        }],
    },
    "PATCH /api/v1/endpoints/{endpoint_id}": {"enabled": False},
    "POST /api/v1/lots/{lot_id}/awards": {"awards": [{"organisation_id": _OWN}]},
    "POST /api/v1/lots/{lot_id}/offers": {"price": _MONEY},
    "PUT /api/v1/members/{user_id}/roles": {"roles": ["observer"]},
    "POST /awards/{award_id}/{event}": (b"reason=x", "application/x-www-form-urlencoded"),
    "POST /offers/{offer_id}/{event}": (b"reason=x", "application/x-www-form-urlencoded"),
    "POST /tenders/{tender_id}/questions": (
        b"question=x", "application/x-www-form-urlencoded",
    ),
    "POST /tenders/{tender_id}/questions/{question_id}/answer": (
        b"question=x&answer=y", "application/x-www-form-urlencoded",
    ),
    "POST /tenders/{tender_id}/decline": (b"reason=x", "application/x-www-form-urlencoded"),
    "POST /tenders/{tender_id}/addendum": (
        b"text=x&then=publish&addenda=0", "application/x-www-form-urlencoded",
    ),
    "POST /organisations/{organisation_id}": (b"name=Mine", "application/x-www-form-urlencoded"),
    "POST /organisations/{organisation_id}/retire": (
        b"reason=x", "application/x-www-form-urlencoded",
    ),
    "POST /catalogue/{item_id}/edit": (b"name=Mine", "application/x-www-form-urlencoded"),
    "POST /tenders/{tender_id}/offers/fail": (b"reason=x", "application/x-www-form-urlencoded"),
    "POST /tenders/{tender_id}/offer/{lot_id}": (
        b"price=100.00", "application/x-www-form-urlencoded",
    ),
    "POST /lots/{lot_id}/award": (
        b"share-00000000-0000-7000-8000-000000000000=100", "application/x-www-form-urlencoded",
    ),
    "POST /orders/{order_id}/{event}": (
        b"stars=3&quantity-0=1&description=x&reason=x", "application/x-www-form-urlencoded",
    ),
    "POST /api/v1/offers/{offer_id}/reject": _REASON,
    "POST /api/v1/acts/{act_id}/dispute": _REASON,
    "POST /api/v1/payouts/{payout_id}/failed": _REASON,
    "POST /api/v1/payouts/{payout_id}/paid": {"at": "2026-01-01T00:00:00Z", "reference": "X"},
    "POST /api/v1/orders/{order_id}/claims": {
        "kind": "quality", "severity_bp": 5_000, "description": "Leaks",
    },
    "POST /api/v1/orders/{order_id}/deliveries": {"lines": [{"position": 0, "quantity": "1"}]},
    "POST /api/v1/orders/{order_id}/documents": _FILE,
    "PUT /api/v1/orders/{order_id}/survey": {"stars": 1},
    "POST /api/v1/orders/{order_id}/watchers": {"user_id": _OWN},
    "PUT /api/v1/orders/{order_id}/assignees": {"users": []},
    "POST /orders/{order_id}/assignees": (b"", "application/x-www-form-urlencoded"),
    "POST /tenders/{tender_id}/assignees": (b"", "application/x-www-form-urlencoded"),
    "PUT /api/v1/tenders/{tender_id}/assignees": {"users": []},
    "PATCH /api/v1/organisations/{organisation_id}": {"name": "Mine"},
    "PATCH /api/v1/items/{item_id}": {"name": "Mine"},
    "POST /api/v1/organisations/{organisation_id}/reinstate": _REASON,
    "POST /api/v1/organisations/{organisation_id}/retire": _REASON,
    "POST /api/v1/organisations/{organisation_id}/suspend": _REASON,
    "PUT /api/v1/organisations/{organisation_id}/parent": {"parent_id": None},
    "PUT /api/v1/organisations/{organisation_id}/entitlements": {"modules": None, "seats": None},
    "PUT /api/v1/price_imports/{import_id}/columns": {"columns": {"Artikel": "sku"}},
    "PUT /api/v1/price_imports/{import_id}/content": (b"sku\nA", "text/csv"),
    "PUT /api/v1/price_lists/{list_id}": {"name": "Mine"},
    "PUT /api/v1/price_tiers/{organisation_id}": {"tier": "gold"},
    "POST /api/v1/ratings/{supplier_id}/block": _REASON,
    "POST /api/v1/ratings/{supplier_id}/unblock": _REASON,
    "POST /api/v1/ratings/{supplier_id}/trust": _REASON | {
        "credit_bp": 5_000,
        "expires_at": (datetime.now(UTC) + timedelta(days=30)).isoformat(),
    },
    "POST /team/members/{user_id}/roles": (
        b"roles=observer", "application/x-www-form-urlencoded",
    ),
    "PATCH /api/v1/tenders/{tender_id}": {"title": "Mine"},
    "POST /api/v1/tenders/{tender_id}/addenda": {"text": "More"},
    "POST /api/v1/tenders/{tender_id}/cancel": _REASON,
    "POST /api/v1/tenders/{tender_id}/decline": _REASON,
    "POST /api/v1/tenders/{tender_id}/documents": _FILE,
    "POST /api/v1/tenders/{tender_id}/fail": _REASON,
    "POST /api/v1/tenders/{tender_id}/invitations": {"organisations": [_OWN]},
    "PUT /api/v1/tenders/{tender_id}/lots/{lot_id}/items": (
        b"name,quantity,unit\nPump,1,C62\n", "text/csv",
    ),
    "POST /api/v1/tenders/{tender_id}/participation": {"accept_terms": True},
    "POST /api/v1/tenders/{tender_id}/questions": {"text": "Which?"},
    "POST /api/v1/tenders/{tender_id}/questions/{question_id}/answer": {"answer": "This"},
    "POST /api/v1/tenders/{tender_id}/send_back": _REASON,
}  # fmt: skip
"""Bodies that would be taken if the caller might call; (bytes, media type) for a file."""

QUERIES: dict[str, dict[str, str]] = {
    "POST /api/v1/orders/{order_id}/documents": {"name": "mine.pdf"},
    "POST /api/v1/tenders/{tender_id}/documents": {"name": "mine.pdf"},
}

SEEN_BY_ALL: dict[str, str] = {
    "GET /api/v1/items/{item_id}": "one catalogue for everybody",
    "GET /catalogue/{item_id}": "one catalogue for everybody",
    "GET /api/v1/items/{item_id}/offers": "lists whose owners show them to the caller",
    "GET /api/v1/classifications/{scheme}": "lists of codes that others publish",
    "PUT /api/v1/classifications/{scheme}/{list_version}": "lists of codes that others publish",
    "PUT /api/v1/units/{list_version}": "lists of units that others publish",
    "GET /api/v1/ratings/{supplier_id}": "the caller's own rating of anybody",
    "GET /api/v1/ratings/{supplier_id}/history": "the caller's own rating of anybody",
    "GET /api/v1/ratings/{supplier_id}/what_if": "the caller's own rating of anybody",
    "GET /api/v1/ratings/{supplier_id}/public": "what all buyers together think",
    "POST /api/v1/ratings/{supplier_id}/trust": "the caller's own credit",
    "POST /api/v1/ratings/{supplier_id}/block": "the caller's own gate",
    "POST /api/v1/ratings/{supplier_id}/unblock": "the caller's own gate",
    "PUT /api/v1/price_tiers/{organisation_id}": "a customer of the caller's own lists",
    "DELETE /api/v1/price_tiers/{organisation_id}": "a customer of the caller's own lists",
    "GET /ratings/{supplier_id}": "the caller's own rating of anybody",
    "GET /ratings/{supplier_id}/months": "the caller's own rating of anybody",
    "POST /api/v1/invitations/{token}/accept": "whoever has the link is meant",
    "GET /invitations/{token}": "whoever has the link is meant",
    "POST /invitations/{token}": "whoever has the link is meant",
    "POST /api/v1/password_resets/{token}": "whoever has the link is meant",
    "GET /password_resets/{token}": "whoever has the link is meant",
    "POST /password_resets/{token}": "whoever has the link is meant",
    "GET /api/v1/order_status/{token}": "whoever has the link is meant; no prices",
    "GET /order_status/{token}": "whoever has the link is meant; no prices",
    "GET /assets/{name}": "files of the pages",
    "GET /static/{file_path}": "files of the pages",
    "GET /schema/{path}": "the document of the API",
    "GET /register/{kind}": "a form",
    "POST /register/{kind}": "a form",
}
"""Routes whose parameters name nothing of one organisation alone, or whose address is the key."""

OF_THE_OPERATOR: dict[str, str] = {
    "GET /api/v1/audit_log": "what was done to organisations",
    "GET /api/v1/mails": "the outbox of the house",
    "GET /suppliers": "all organisations",
    "GET /api/v1/organisations": "all organisations",
    "GET /api/v1/organisations/{organisation_id}": "all organisations",
    "PATCH /api/v1/organisations/{organisation_id}": "corrects what was registered, audited",
    "POST /api/v1/organisations/{organisation_id}/retire": "all organisations",
    "POST /api/v1/organisations/{organisation_id}/approve": "all organisations",
    "POST /api/v1/organisations/{organisation_id}/suspend": "all organisations",
    "POST /api/v1/organisations/{organisation_id}/reinstate": "all organisations",
    "POST /suppliers/{organisation_id}/{step}": "all organisations",
    "GET /api/v1/accruals": "owes it",
    "GET /api/v1/accruals/{accrual_id}": "owes it",
    "GET /api/v1/acts": "issues them",
    "GET /api/v1/acts/{act_id}": "issues them",
    "GET /api/v1/acts/{act_id}/pdf": "issues them",
    "GET /api/v1/acts/{act_id}/xml": "issues them",
    "GET /api/v1/act_runs": "issues them",
    "GET /api/v1/ledger/accounts": "the other side of every account",
    "GET /api/v1/ledger/accounts/{account_id}/entries": "the other side of every account",
    "GET /api/v1/ledger/entries/{entry_id}": "the other side of every entry",
    "GET /api/v1/payouts": "pays it",
    "GET /api/v1/payouts/{payout_id}": "pays it",
    "GET /api/v1/payout_runs": "pays it",
    "GET /organisations/{organisation_id}": "all organisations",
    "POST /organisations/{organisation_id}": "corrects what was registered, audited",
    "POST /organisations/{organisation_id}/retire": "all organisations",
    "GET /catalogue/{item_id}/edit": "keeps the one catalogue of everybody in order",
    "POST /catalogue/{item_id}/edit": "keeps the one catalogue of everybody in order",
    "POST /catalogue/{item_id}/retire": "keeps the one catalogue of everybody in order",
    "POST /catalogue/{item_id}/reinstate": "keeps the one catalogue of everybody in order",
    "PATCH /api/v1/items/{item_id}": "keeps the one catalogue of everybody in order",
    "POST /api/v1/items/{item_id}/retire": "keeps the one catalogue of everybody in order",
    "POST /api/v1/items/{item_id}/reinstate": "keeps the one catalogue of everybody in order",
    "GET /api/v1/organisations/{organisation_id}/parent": "all organisations",
    "GET /api/v1/organisations/{organisation_id}/entitlements": "all organisations",
    "GET /api/v1/organisations/{organisation_id}/subtree": "the figures of its partners",
    "GET /api/v1/monitor/{report}": "the figures of its partners",
    "GET /programme": "the own agreements",
    "GET /programme/new": "the own agreements",
    "GET /ledger": "the other side of every account",
    "GET /ledger/accounts/{account_id}": "the other side of every account",
    "GET /ledger/entries/{entry_id}": "the other side of every entry",
    "GET /payouts": "pays it",
    "GET /payouts/{payout_id}": "pays it",
    "GET /payouts/runs/{payout_run_id}": "pays it",
    "GET /acts": "issues them",
    "GET /acts/{act_id}": "issues them",
    "GET /acts/runs/{act_run_id}": "issues them",
    "POST /acts/{act_id}/{event}": "issues them; only the partner answers",
    "GET /programme/{agreement_id}": "the own agreements",
    "GET /programme/reports/{report}": "the figures of its partners",
    "GET /programme/plans/{plan_id}": "the own agreements",
    "POST /programme/plans/{plan_id}/{event}": "the own agreements",
    "GET /api/v1/programmes": "the own programmes",
    "GET /api/v1/programmes/{programme_id}": "the own programmes",
    "GET /api/v1/agreements": "the own agreements",
    "GET /api/v1/agreements/{agreement_id}": "the own agreements",
    "GET /api/v1/agreements/{agreement_id}/standing": "the own agreements",
    "GET /api/v1/agreements/{agreement_id}/history": "the own agreements",
    "GET /api/v1/agreements/{agreement_id}/certificates": "the own agreements",
    "GET /api/v1/plans": "the own agreements",
    "GET /api/v1/plans/{plan_id}": "the own agreements",
    "POST /api/v1/plans/{plan_id}/{event}": "the own agreements",
    "POST /api/v1/plans/{plan_id}/decline": "the own agreements",
}
"""What the operator may do with every organisation; to everybody else it is foreign."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one route. `name` is `METHOD /path/{param}`."""

    name: str
    method: str
    path: str
    params: tuple[str, ...]
    access: Access

    def calls(self, ids: Mapping[str, str]) -> Iterator[str]:
        """Every address with these ids; several where a parameter is one of some words. Raises
        LookupError where the walk cannot fill a parameter.
        """
        choices = [self._values(param, ids) for param in self.params]
        for values in itertools.product(*choices):
            yield self.path.format(**dict(zip(self.params, values, strict=True)))

    def object_params(self) -> list[str]:
        """The parameters that name objects, outermost first."""
        return [param for param in self.params if not self._words(param)]

    def key(self, param: str) -> str:
        """What `param` is called in a world, `document_id` being one of two."""
        area = self.path.removeprefix("/api/v1/").strip("/").partition("/")[0]
        return f"{area}.{param}" if param == "document_id" else param

    def _values(self, param: str, ids: Mapping[str, str]) -> tuple[str, ...]:
        if words := self._words(param):
            return words
        if (key := self.key(param)) in ids:
            return (ids[key],)
        raise LookupError(f"{self.name}: what is {{{param}}}?")

    def _words(self, param: str) -> tuple[str, ...]:
        for begin, words in WORDS.items():
            path, _, name = begin.rpartition(" ")
            if name == param and self.path.startswith(path):
                return words
        return ()


def operations(app: Litestar) -> Iterator[Operation]:
    """Everything that answers over HTTP, in the order of the addresses."""
    for route in sorted(app.routes, key=lambda route: route.path):
        if not isinstance(route, HTTPRoute):
            continue
        path = route.path_format
        params = tuple(part.name for part in route.path_components if not isinstance(part, str))
        for method, (handler, _) in route.route_handler_map.items():
            if method not in {"OPTIONS", "HEAD"}:
                yield Operation(
                    name=f"{method} {path}",
                    method=method,
                    path=path,
                    params=params,
                    access=handler.opt["access"],
                )
