"""The OpenAPI document at /schema/openapi.json, complete with logins and problem answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Litestar, Request, Router
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.routes import HTTPRoute

from marketplace.accounts.gate import CSRF_COOKIE, SESSION_COOKIE
from marketplace.kernel.access import PUBLIC, Access
from marketplace.kernel.pages import PAGE_DEFAULT, PAGE_MAX
from web.auth import SAFE_METHODS
from web.documented import glossary, parsed, schemas_of
from web.lists import List, lists_of
from web.openapi_rules import rules_schemas
from web.openapi_webhooks import webhooks
from web.problems import MEDIA_TYPE, TITLES, ProblemDocument
from web.schema_page import SchemaPage
from web.strict import LIST_PARAMETERS

VERSION = "1"
_REF = "#/components/schemas/{name}"
_AREAS = {
    "auctions_live_schemas_": "Auction",
    "auctions_tenders_ocds_reading_": "Ocds",
    "auctions_tenders_schemas_dossier_": "Tender",
    "auctions_tenders_schemas_offers_": "Tender",
    "auctions_tenders_schemas_tender_": "Tender",
    "exchange_schemas_": "Webhook",
    "marketplace_accounts_schemas_": "Colleague",
    "marketplace_orders_schemas_": "Order",
    "orders_schemas_": "Order",
    "pricing_catalogue_schemas_": "Catalogue",
    "pricing_lists_schemas_": "PriceList",
    "ratings_schemas_": "Rating",
    "suppliers_programme_schemas_agreements_": "Programme",
    "suppliers_programme_schemas_programmes_": "Programme",
    "suppliers_programme_schemas_reports_": "Programme",
    "suppliers_programme_schemas_words_": "Programme",
}
"""Beginnings of generated schema names, and the word that stands for them."""

ACRONYMS = {"api": "API", "csv": "CSV", "id": "ID", "ocds": "OCDS", "pdf": "PDF", "xml": "XML"}
"""Words of handlers' names that people write otherwise."""

TAGS = {
    "accounts": "Organisations, their people and roles, sessions, API keys, the audit log.",
    "auctions": "A running auction over HTTP: bids, the buyer's commands, receipts, transcript. "
    "The same bids go faster over the live channel.",
    "awards": "The award sheet of a lot, awards and their answers.",
    "catalogue": "Items, categories, classifications, units, and which SKU is which item.",
    "exchange": "Webhooks: endpoints, what was sent, the events there are; the outbox of mails.",
    "ocds": "Tenders as Open Contracting Data Standard 1.1, out and in.",
    "offers": "Sealed offers and their opening.",
    "operation": "Whether the process lives and is ready.",
    "orders": "Orders from basket or award to acceptance: deliveries, documents, claims.",
    "partners": "The partner programme: tiers, agreements, certificates, plans; what partners earn "
    "and how it is paid: ledger, accruals, payouts, acts.",
    "price imports": "Bulk upload: announce a file, send it, look at the comparison, publish.",
    "prices": "Price lists and their versions, the price that holds, exchange rates.",
    "ratings": "What an organisation thinks of its suppliers, and exactly why.",
    "tenders": "Tenders, their lots and dossiers: invitations, questions, addenda, approval.",
}
"""Every tag of the document, in the order in which readers find them."""

_DESCRIPTION = f"""Ids are UUIDv7. Times are RFC 3339 in UTC. Money is `{{"amount": "1234.50", \
"currency": "EUR"}}`, a decimal text. Errors are `application/problem+json` (RFC 9457) with a \
stable `code`. A write by session cookie needs a same-origin `Origin` and the header \
`X-CSRF-Token` with the value of the cookie `{CSRF_COOKIE}`; an API key needs neither. \
Over HTTPS the session cookie is named `__Host-{SESSION_COOKIE}`."""


def openapi_config() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Marketplace",
        version=VERSION,
        description=_DESCRIPTION,
        use_handler_docstrings=True,
        path="/schema",
        render_plugins=[CompleteJson(), SchemaPage(complete)],
        openapi_router=Router(
            path="/schema", route_handlers=[], opt=PUBLIC, include_in_schema=False
        ),
    )


class CompleteJson(JsonRenderPlugin):
    """Litestar's document with what it cannot know."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return self.render_json(request, complete(request.app, openapi_schema))


def complete(app: Litestar, document: dict[str, Any]) -> dict[str, Any]:
    """Add the problem answers, the logins and the idempotency key of every operation, in place and
    once.
    """
    components = document.setdefault("components", {})
    if "securitySchemes" in components:
        return document
    components["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
        "api_key": {"type": "http", "scheme": "bearer", "description": "`prefix.secret`"},
    }
    schemas = components.setdefault("schemas", {})
    schemas.update(schemas_of(ProblemDocument) | rules_schemas())
    document["webhooks"] = webhooks(schemas)
    _name_schemas(document)
    document["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    lists = lists_of(app)
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            continue
        for method, (handler, _) in route.route_handler_map.items():
            item = document["paths"].get(route.path_format or "/", {})
            operation = item.get(method.lower())
            if operation is not None:
                if method == "GET" and handler in lists:
                    _complete_list(operation, lists[handler])
                _complete_operation(operation, method, handler.opt)
                _describe(operation, handler)
    return document


def _name_schemas(document: dict[str, Any]) -> None:
    """Litestar puts the module before the name of a struct that another module has too; readers
    know areas, not modules: `marketplace_orders_schemas_LineView` is `OrderLineView`.
    """
    schemas = document["components"]["schemas"]
    names = {name: name for name in schemas}
    for name in schemas:
        if (readable := _readable(name)) not in names.values():
            names[name] = readable
    document["components"]["schemas"] = {names[name]: schemas[name] for name in schemas}
    references = {_REF.format(name=old): _REF.format(name=new) for old, new in names.items()}
    _refer(document, references)


def _readable(name: str) -> str:
    for modules, area in _AREAS.items():
        if name.startswith(modules):
            word = name.removeprefix(modules)
            return f"New{area}{word[3:]}" if word.startswith("New") else f"{area}{word}"
    modules, _, word = name.rpartition("_schemas_")
    return modules.rpartition("_")[2].capitalize() + word


def _refer(node: Any, references: dict[str, str]) -> None:
    if isinstance(node, dict):
        if node.get("$ref") in references:
            node["$ref"] = references[node["$ref"]]
        for inner in node.values():
            _refer(inner, references)
    elif isinstance(node, list):
        for inner in node:
            _refer(inner, references)


def _complete_list(operation: dict[str, Any], listed: List) -> None:
    """What every list takes; Litestar knows it of some only, and what it is sorted by of none."""
    parameters = operation.setdefault("parameters", [])
    limits = [each["schema"] for each in parameters if each["name"] == "limit"]
    default = limits[0].get("default", PAGE_DEFAULT) if limits else PAGE_DEFAULT
    parameters[:] = [each for each in parameters if each["name"] not in LIST_PARAMETERS]
    both_ways = [f"{sign}{name}" for sign in ("", "-") for name in listed.sorts]
    sort: dict[str, Any] = {"type": "string", "enum": both_ways}
    if listed.default is not None:
        sort["default"] = listed.default
    parameters += [
        {
            "name": "limit",
            "in": "query",
            "required": False,
            "description": "Rows of a page.",
            "schema": {"type": "integer", "minimum": 1, "maximum": PAGE_MAX, "default": default},
        },
        {
            "name": "cursor",
            "in": "query",
            "required": False,
            "description": "The `next_cursor` of the page before, with the same `sort`.",
            "schema": {"type": "string"},
        },
    ]
    if listed.sorts:
        parameters.append(
            {
                "name": "sort",
                "in": "query",
                "required": False,
                "description": "The field the rows are sorted by; with a minus, descending. Rows "
                "without a value come last both ways.",
                "schema": sort,
            }
        )


def _complete_operation(operation: dict[str, Any], method: str, opt: dict[str, Any]) -> None:
    access = opt["access"]
    assert isinstance(access, Access), "the house test keeps routes declared"
    _complete_content(operation, opt)
    parameters = operation.setdefault("parameters", [])
    has_path = any(parameter["in"] == "path" for parameter in parameters)
    has_input = bool(parameters) or "requestBody" in operation
    statuses = {503}
    if access.kind == "member":
        statuses |= {401, 403, 404}
        operation["security"] = [{"session": []}, {"api_key": []}]
        if access.scope is not None:
            operation["x-scope"] = access.scope
        else:
            operation["security"] = [{"session": []}]
    else:
        operation["security"] = []
    if method not in SAFE_METHODS:
        statuses |= {409, 429, 422}
    if "requestBody" in operation:
        statuses |= {400, 413}
    if has_input:
        statuses.add(422)
    if has_path:
        statuses.add(404)
    statuses |= set(opt.get("problems", ()))
    if method == "POST" and access.idempotent:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key and body get the stored answer for 24 hours.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
            }
        )
    # Litestar describes its own validation answer, which never leaves this house.
    operation["responses"].pop("400", None)
    for status in sorted(statuses):
        operation["responses"].setdefault(str(status), _answer(status))


def _describe(operation: dict[str, Any], handler: BaseRouteHandler) -> None:
    """The words of the operation and of its parameters: from the docstring of its handler, which
    may have lines as structs have, and from the glossary.
    """
    prose, lines = parsed(operation.get("description") or "")
    operation["description"] = prose
    operation["summary"] = summary_of(handler)
    for parameter in operation.get("parameters", ()):
        name, words = parameter["name"], glossary()
        word = lines.get(name) or words.get(f"?{name}" if parameter["in"] == "query" else name)
        word = word or words.get(name)
        if word is not None and not parameter.get("description"):
            parameter["description"] = word.description


def summary_of(handler: BaseRouteHandler) -> str:
    """What the operation does, in a few words: those of its handler's name, unless it says more
    itself.
    """
    said: str | None = getattr(handler, "summary", None)
    words = said or handler.handler_name.replace("_", " ")
    text = " ".join(ACRONYMS.get(word, word) for word in words.split(" "))
    return text[:1].upper() + text[1:]


def _complete_content(operation: dict[str, Any], opt: dict[str, Any]) -> None:
    """Files as what they are, and nothing where nothing is sent."""
    if "takes" in opt:
        operation["requestBody"] = {"content": _files(opt["takes"]), "required": True}
    body = operation.get("requestBody")
    if body is not None and _may_be_null(body):
        body["required"] = False
    for status, answer in operation["responses"].items():
        if status == "204":
            answer.pop("content", None)
        elif status.startswith("2") and "sends" in opt:
            answer["content"] = _files(opt["sends"])


def _files(media_types: Sequence[str]) -> dict[str, Any]:
    binary = {"type": "string", "format": "binary"}
    return {name: {"schema": {} if name == "application/json" else binary} for name in media_types}


def _may_be_null(body: dict[str, Any]) -> bool:
    schema = body["content"].get("application/json", {}).get("schema", {})
    return {"type": "null"} in schema.get("oneOf", schema.get("anyOf", ()))


def _answer(status: int) -> dict[str, Any]:
    reference = {"$ref": _REF.format(name=ProblemDocument.__name__)}
    answer: dict[str, Any] = {
        "description": TITLES[status],
        "content": {MEDIA_TYPE: {"schema": reference}},
    }
    if status in {429, 503}:
        answer["headers"] = {
            "Retry-After": {"schema": {"type": "string"}, "description": "Seconds to wait"}
        }
    return answer
