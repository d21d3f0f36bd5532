"""Jinja2 for the portal: strict about missing names, with assets and the reader's own language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.template.config import TemplateConfig
from markupsafe import Markup

from web.assets import Assets, assets_or_none_built
from web.translate import Language
from web.units import one_unit, unit_words

TEMPLATES = Path(__file__).parent / "templates"
BRAND = "Marketplace"


def environment(assets: Assets) -> Environment:
    """Every template needs `fmt` (a Language) in its context: `web/pages/render.py`."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
        # A process renders what it began with; looking at each file's time is work for every page.
        auto_reload=False,
    )
    env.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]
    # A page has dozens of texts; the extension goes four calls deep for each.
    env.globals |= {"assets": assets, "brand": BRAND, "gettext": _gettext, "_": _gettext}
    env.filters |= {"units": _units, "unit": _unit}
    return env


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    """What the app hands to Litestar."""
    engine = JinjaTemplateEngine(engine_instance=environment(assets_or_none_built()))
    return TemplateConfig(instance=engine)


@pass_context
def _gettext(context: Context, text: str, /, **values: object) -> Markup:
    """As the extension's own does: the text is ours and safe, the values in it are escaped."""
    told = Markup(_language(context).gettext(text))  # noqa: S704  # from templates and catalogues
    return told % values if "%" in told else told


@pass_context
def _ngettext(context: Context, one: str, many: str, count: int) -> str:
    return _language(context).ngettext(one, many, count)


@pass_context
def _units(context: Context, code: str) -> str:
    """Behind a quantity: `400 {{ "C62" | units }}`."""
    return unit_words(code, _language(context).gettext)


@pass_context
def _unit(context: Context, code: str) -> str:
    """Behind a price: `per {{ "C62" | unit }}`."""
    return one_unit(code, _language(context).gettext)


def _language(context: Context) -> Language:
    found: Any = context["fmt"]
    if not isinstance(found, Language):
        raise TypeError("a template was rendered without `fmt`")
    return found
