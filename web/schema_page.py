"""The OpenAPI document for people, at /schema: plain HTML from the server, no script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from litestar import Litestar, MediaType, Request, Response, Router, get
from litestar.openapi.plugins import OpenAPIRenderPlugin

from marketplace.kernel.access import PUBLIC

METHODS = ("get", "post", "put", "patch", "delete")
_DEPTH_MAX = 6
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
h2 { margin-top: 2.5rem; text-transform: capitalize; }
details { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
summary { padding: .6rem 0; cursor: pointer; overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .75rem; border-radius: .4rem;
      background: color-mix(in srgb, currentColor 7%, transparent); }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; }
"""

Complete = Callable[[Litestar, dict[str, Any]], dict[str, Any]]


class SchemaPage(OpenAPIRenderPlugin):
    def __init__(self, complete: Complete) -> None:
        super().__init__(path="/", media_type=MediaType.HTML)
        self._complete = complete

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return page(self._complete(request.app, openapi_schema)).encode()

    def receive_router(self, router: Router) -> None:
        """The style has an address of its own: the content security policy allows no inline one."""

        @get("/style.css", opt=PUBLIC, sync_to_thread=False, include_in_schema=False)
        def style() -> Response[str]:
            return Response(_STYLE, media_type=MediaType.CSS)

        router.register(style)


def page(document: dict[str, Any]) -> str:
    """One page: operations by tag, each with its parameters, body and answers."""
    info = document["info"]
    tags: dict[str, list[str]] = {}
    for path, item in sorted(document["paths"].items()):
        for method in METHODS:
            if operation := item.get(method):
                tag = (operation.get("tags") or ["other"])[0]
                tags.setdefault(tag, []).append(_operation(document, method, path, operation))
    for name, item in document.get("webhooks", {}).items():
        tags.setdefault("webhooks", []).append(_operation(document, "post", name, item["post"]))
    body = "".join(
        f"<h2>{escape(tag)}</h2>{''.join(operations)}" for tag, operations in sorted(tags.items())
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title>"
        '<link rel="stylesheet" href="/schema/style.css">'
        f"<main><h1>{escape(info['title'])} API</h1><p>{escape(info.get('description', ''))}</p>"
        f'<p><a href="/schema/openapi.json">openapi.json</a></p>{body}</main></html>'
    )


def _operation(document: dict[str, Any], method: str, path: str, operation: dict[str, Any]) -> str:
    parts = [f"<p>{escape(operation.get('description') or '')}</p>"]
    if scope := operation.get("x-scope"):
        parts.append(f"<p>Scope of an API key: <code>{escape(scope)}</code></p>")
    if parameters := operation.get("parameters"):
        rows = "".join(
            f"<tr><td><code>{escape(each['name'])}</code><td>{escape(each['in'])}"
            f"<td>{escape(_kind(each.get('schema', {})))}"
            f"<td>{escape(each.get('description') or '')}"
            for each in parameters
        )
        parts.append(f"<h4>Parameters</h4><table>{rows}</table>")
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        shape = "\n".join(_shape(document, content.get("schema", {}), 0))
        parts.append(f"<h4>Body, {escape(media_type)}</h4><pre>{escape(shape)}</pre>")
    parts += [
        _answer(document, status, answer) for status, answer in operation["responses"].items()
    ]
    return (
        f'<details><summary><span class="method">{method.upper()}</span> '
        f"<code>{escape(path)}</code> {escape(operation['summary'])}</summary>"
        f"{''.join(parts)}</details>"
    )


def _answer(document: dict[str, Any], status: str, answer: dict[str, Any]) -> str:
    title = f"<h4>{escape(status)} {escape(answer.get('description', ''))}</h4>"
    if status >= "4":
        return title
    shapes = [
        "\n".join(_shape(document, content.get("schema", {}), 0))
        for content in answer.get("content", {}).values()
    ]
    return title + "".join(f"<pre>{escape(shape)}</pre>" for shape in shapes if shape)


def _shape(document: dict[str, Any], schema: dict[str, Any], depth: int) -> Iterator[str]:
    """`name: type  # meaning` a line, nested by indentation; an optional field ends in `?`."""
    schema = _resolved(document, schema)
    if schema.get("type") == "array":
        schema = _resolved(document, schema.get("items", {}))
    if depth > _DEPTH_MAX or "properties" not in schema:
        if depth == 0 and schema:
            yield _kind(schema)
        return
    required = schema.get("required", [])
    for name, field in schema["properties"].items():
        mark = "" if name in required else "?"
        meaning = f"  # {field['description']}" if "description" in field else ""
        yield f"{'  ' * depth}{name}{mark}: {_kind(field)}{meaning}"
        yield from _shape(document, field, depth + 1)


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if options := schema.get("oneOf") or schema.get("anyOf"):
        return " | ".join(_kind(option) for option in options)
    if parts := schema.get("allOf"):
        return " & ".join(_kind(part) for part in parts)
    if "const" in schema:
        return str(schema["const"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    name = str(schema["$ref"]).rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name]
    return found
