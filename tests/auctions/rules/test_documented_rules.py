"""The API document says which rules are read: the same fields, and our own examples are valid."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from auctions.rules.core.parameters import HYBRID
from auctions.rules.formats import FORMATS
from auctions.rules.formats.hybrids import HYBRID_CHAPTERS, HYBRID_EXAMPLE, HYBRID_SAMPLE
from auctions.rules.parts.documented import CommonRules
from auctions.rules.parts.fields import Errors, Section
from auctions.rules.terms.read import read_terms
from auctions.rules.terms.show import rules_of
from web.openapi_rules import rules_schemas

START = {"starts_at": "2026-12-01T10:00:00Z"}
_SHARED = {"duration_s", "step", "overtime"}
"""What `terms.read` reads for the formats."""


@pytest.fixture(scope="module")
def allows() -> Draft202012Validator:
    schemas = rules_schemas()
    return Draft202012Validator(schemas["LotRules"] | {"components": {"schemas": schemas}})


def ours() -> list[dict[str, Any]]:
    """All rules of the guide, of practice and of the demo."""
    found = [rules for each in FORMATS.values() for _, rules in each.chapters]
    found += [each.sample for each in FORMATS.values() if each.sample]
    found += [each.example.rules for each in FORMATS.values() if each.example]
    found += [*(rules for _, rules in HYBRID_CHAPTERS), HYBRID_SAMPLE, HYBRID_EXAMPLE.rules]
    return [rules | START for rules in found]


def test_rules_of_ours_are_allowed_as_they_are_given_and_shown(allows) -> None:
    for rules in ours():
        assert [error.message for error in allows.iter_errors(rules)] == [], rules
        terms = read_terms(rules, auction="auction-1", currency="EUR", ceiling="480000.00")
        assert [error.message for error in allows.iter_errors(rules_of(terms))] == [], rules


@pytest.mark.parametrize(
    "wrong",
    [
        {"format": "dutch"},
        {"format": "english", "duration_s": "20"},
        {"format": "english", "visibility": "everything"},
        {"format": "tombola"},
        {"format": HYBRID, "phases": [{"format": "sealed"}]},
    ],
)
def test_other_rules_are_not(allows, wrong) -> None:
    assert not allows.is_valid(wrong | START)


def names(struct: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(struct)}


@pytest.mark.parametrize("format_", FORMATS.values(), ids=FORMATS)
def test_a_format_reads_the_fields_that_are_documented(format_) -> None:
    section = Section({}, "", Errors())
    format_.read(section, 2, None)
    assert names(format_.documented) - _SHARED == section.asked
    assert format_.counts_steps == ("step" in names(format_.documented))
    assert format_.has_overtime == ("overtime" in names(format_.documented))


def test_every_auction_reads_the_fields_that_are_documented(monkeypatch) -> None:
    asked: set[str] = set()

    def done(self: Section) -> None:
        if not self.path:
            asked.update(self.asked)

    monkeypatch.setattr(Section, "done", done)
    read_terms(START, auction="auction-1", currency="EUR", ceiling=None)
    assert asked - _SHARED - {"format"} == names(CommonRules)
