"""A small formula language for prices and payouts: `max(50, hours * rate) if hours > 0 else 0`.

Python's own parser reads the text; of what it can read, eight kinds of nodes are taken and the rest
is refused before anything is evaluated. Arithmetic is exact (fractions); only `round` and the end
round, half to even. A formula has no loops, no powers and a bounded size, so it always ends soon.

    formula = parse("base + hours * rate", ["base", "hours", "rate"])     # raises FormulaError
    formula.evaluate({"base": Fraction(150), …})                          # raises FormulaError
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from keyword import iskeyword
from typing import cast

CHARS_MAX = 500
"""A screen of text: what nobody can read, nobody can agree to."""
DEPTH_MAX = 20
NODES_MAX = 100
DIGITS_MAX = 18
PLACES_MAX = 6
ARGUMENTS_MAX = 10
RESULT_MAX = 10**12
"""Beyond this an amount in minor units would leave what money can hold."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_LITERAL = re.compile(r"([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_DECIMAL = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?", re.ASCII)
# Hexadecimal, exponent, underscore and imaginary literals, and `1if`, of which Python warns.
_ODD_LITERAL = re.compile(r"(?<![\w.])[0-9][0-9.]*[A-Za-z_]", re.ASCII)
_FOREIGN = re.compile(r"[^ -~]|#")

_ARITHMETIC: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Fraction, Fraction], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
# name -> (fewest arguments, most arguments, function)
_FUNCTIONS: dict[str, tuple[int, int, Callable[..., Fraction]]] = {
    "min": (2, ARGUMENTS_MAX, min),
    "max": (2, ARGUMENTS_MAX, max),
    "abs": (1, 1, abs),
    "ceil": (1, 1, lambda number: Fraction(math.ceil(number))),
    "floor": (1, 1, lambda number: Fraction(math.floor(number))),
    "round": (2, 2, lambda number, places: round(number, int(places))),
}

# code -> what is wrong, in words
REASONS = {
    "too_long": f"A formula has at most {CHARS_MAX} characters.",
    "syntax": "This cannot be read as a formula.",
    "not_allowed": "A formula knows + - * / ( ), comparisons, and, or, not, x if … else y.",
    "unknown_function": f"The functions are {', '.join(_FUNCTIONS)}.",
    "arity": "The function does not take these arguments; round takes a number and 0 to 6 places.",
    "unknown_name": "There is no input of this name.",
    "too_deep": f"At most {DEPTH_MAX} levels may be nested.",
    "too_large": f"A formula has at most {NODES_MAX} parts.",
    "not_a_number": "A condition stands where a number is needed, or the reverse.",
    "missing_input": "The formula needs this value.",
    "unknown_input": "The formula has no input of this name.",
    "bad_input": "An input is a plain decimal within its limits, such as 12.5.",
    "division_by_zero": "The formula divides by zero with these values.",
    "out_of_range": f"The result is beyond {RESULT_MAX}.",
}


class FormulaError(ValueError):
    """`code` is one of REASONS, `position` where it begins, `name` the input it is about."""

    def __init__(self, code: str, position: int = 0, name: str | None = None) -> None:
        self.code, self.detail = code, REASONS[code]
        self.position, self.name = position, name
        super().__init__(self.detail)


class Bounds:
    """What an input may be, both ends included."""

    def __init__(self, least: Fraction | None = None, most: Fraction | None = None) -> None:
        self.least, self.most = least, most

    def admits(self, value: Fraction) -> bool:
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )


@dataclass(frozen=True)
class Formula:
    """A formula that was checked; `names` are its declared inputs."""

    text: str
    names: frozenset[str]
    body: ast.expr

    def evaluate(self, values: Mapping[str, Fraction]) -> Fraction:
        """The exact result. Every declared input needs a value, used or not. Raises FormulaError
        (`missing_input`, `division_by_zero`, `out_of_range`).
        """
        for name in sorted(self.names - values.keys()):
            raise FormulaError("missing_input", name=name)
        result = _number(self.body, values)
        if abs(result) > RESULT_MAX:
            raise FormulaError("out_of_range")
        return result


def parse(text: str, names: Iterable[str]) -> Formula:
    """The formula of this text over these inputs. Raises FormulaError, of which the first code says
    what to mend.
    """
    if len(text) > CHARS_MAX:
        raise FormulaError("too_long", CHARS_MAX)
    _check_parentheses(text)
    bare = text.lstrip(" ")
    indent = len(text) - len(bare)
    try:
        body = _tree(bare.rstrip(" "))
        _Check(bare, frozenset(names)).number(body, 1)
    except FormulaError as wrong:
        wrong.position += indent
        raise
    return Formula(text, frozenset(names), body)


def is_input_name(name: str) -> bool:
    """Whether an input may be called so: not as a function or a word of the language."""
    return _NAME.fullmatch(name) is not None and name not in _FUNCTIONS and not iskeyword(name)


def read_input(text: str) -> Fraction:
    """A plain decimal of at most DIGITS_MAX digits. Raises FormulaError (`bad_input`)."""
    match = _DECIMAL.fullmatch(text) if len(text) <= DIGITS_MAX + 2 else None
    if match is None or len(match[1] + (match[2] or "")) > DIGITS_MAX:
        raise FormulaError("bad_input")
    return Fraction(text)


def read_inputs(inputs: Mapping[str, Bounds], texts: Mapping[str, str]) -> dict[str, Fraction]:
    """Every declared input and nothing else. Raises FormulaError (`missing_input`, `unknown_input`,
    `bad_input`) that names the input.
    """
    for name in texts:
        if name not in inputs:
            raise FormulaError("unknown_input", name=name)
    values = {}
    for name, bounds in inputs.items():
        if name not in texts:
            raise FormulaError("missing_input", name=name)
        try:
            values[name] = read_input(texts[name])
        except FormulaError as wrong:
            raise FormulaError(wrong.code, name=name) from None
        if not bounds.admits(values[name]):
            raise FormulaError("bad_input", name=name)
    return values


def write_rounded(value: Fraction, places: int) -> str:
    """Half to even, with exactly so many decimals; never `-0`."""
    units = round(value * 10**places)
    digits = str(abs(units)).rjust(places + 1, "0")
    whole, fraction = digits[: len(digits) - places], digits[len(digits) - places :]
    return ("-" if units < 0 else "") + (f"{whole}.{fraction}" if places else whole)


def _check_parentheses(text: str) -> None:
    """Python's tokeniser gives up on deep ones with an error that says nothing."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth > DEPTH_MAX:
            raise FormulaError("too_deep", position)


def _tree(text: str) -> ast.expr:
    odd = _ODD_LITERAL.search(text)
    if odd is not None:
        raise FormulaError("not_allowed", odd.start())
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as wrong:
        raise FormulaError("syntax", max((wrong.offset or 1) - 1, 0)) from None
    except ValueError:  # a NUL
        raise FormulaError("syntax") from None
    except (MemoryError, RecursionError):
        raise FormulaError("too_deep") from None
    # Other scripts, line breaks and comments: Python takes them, and reads some letters as others.
    foreign = _FOREIGN.search(text)
    if foreign is not None:
        raise FormulaError("not_allowed", foreign.start())
    return tree


class _Check:
    """One walk over a parsed text, from the outside in, that refuses what the language has not."""

    def __init__(self, text: str, names: frozenset[str]) -> None:
        self._text, self._names = text, names
        self._nodes = 0

    def number(self, node: ast.expr, depth: int) -> None:
        self._count(node, depth)
        match node:
            case ast.Constant():
                self._literal(node)
            case ast.Name():
                if node.id not in self._names:
                    raise FormulaError("unknown_name", node.col_offset)
            case ast.BinOp() if type(node.op) in _ARITHMETIC:
                self.number(node.left, depth + 1)
                self.number(node.right, depth + 1)
            case ast.UnaryOp(op=ast.USub()):
                self.number(node.operand, depth + 1)
            case ast.IfExp():
                self.condition(node.test, depth + 1)
                self.number(node.body, depth + 1)
                self.number(node.orelse, depth + 1)
            case ast.Call():
                self._call(node, depth)
            case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
                self.condition(node, depth)
                raise FormulaError("not_a_number", node.col_offset)
            case _:
                raise FormulaError("not_allowed", node.col_offset)

    def condition(self, node: ast.expr, depth: int) -> None:
        self._count(node, depth)
        match node:
            case ast.Compare(ops=[comparison], comparators=[right]) if (
                type(comparison) in _COMPARISONS
            ):
                self.number(node.left, depth + 1)
                self.number(right, depth + 1)
            case ast.Compare():
                raise FormulaError("not_allowed", node.col_offset)
            case ast.BoolOp():
                for value in node.values:
                    self.condition(value, depth + 1)
            case ast.UnaryOp(op=ast.Not()):
                self.condition(node.operand, depth + 1)
            case _:
                self.number(node, depth)
                raise FormulaError("not_a_number", node.col_offset)

    def _count(self, node: ast.expr, depth: int) -> None:
        if depth > DEPTH_MAX:
            raise FormulaError("too_deep", node.col_offset)
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise FormulaError("too_large", node.col_offset)

    def _literal(self, node: ast.Constant) -> None:
        match = _LITERAL.fullmatch(_source(self._text, node))
        if match is None or len(match[1] + (match[2] or "")) > DIGITS_MAX:
            raise FormulaError("not_allowed", node.col_offset)
        # The text, not Python's float of it, is what was written.
        node.value = Fraction(match[0])  # type: ignore[assignment]  # for _number alone

    def _call(self, node: ast.Call, depth: int) -> None:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise FormulaError("not_allowed", node.col_offset)
        if any(isinstance(argument, ast.Starred) for argument in node.args):
            raise FormulaError("not_allowed", node.col_offset)
        if node.func.id not in _FUNCTIONS:
            raise FormulaError("unknown_function", node.col_offset)
        fewest, most, _ = _FUNCTIONS[node.func.id]
        if not fewest <= len(node.args) <= most:
            raise FormulaError("arity", node.col_offset)
        if node.func.id == "round" and not self._are_places(node.args[1]):
            raise FormulaError("arity", node.args[1].col_offset)
        for argument in node.args:
            self.number(argument, depth + 1)

    def _are_places(self, node: ast.expr) -> bool:
        text = _source(self._text, node)
        return isinstance(node, ast.Constant) and text.isdecimal() and int(text) <= PLACES_MAX


def _source(text: str, node: ast.expr) -> str:
    return text[node.col_offset : node.end_col_offset]


def _number(node: ast.expr, values: Mapping[str, Fraction]) -> Fraction:
    match node:
        case ast.Constant():
            return cast(Fraction, node.value)
        case ast.Name():
            return values[node.id]
        case ast.UnaryOp():
            return -_number(node.operand, values)
        case ast.IfExp():
            return _number(node.body if _holds(node.test, values) else node.orelse, values)
        case ast.BinOp():
            left, right = _number(node.left, values), _number(node.right, values)
            if isinstance(node.op, ast.Div) and right == 0:
                raise FormulaError("division_by_zero", node.col_offset)
            return _ARITHMETIC[type(node.op)](left, right)
        case ast.Call(func=ast.Name(id=name)):
            return _FUNCTIONS[name][2](*[_number(argument, values) for argument in node.args])
    raise AssertionError("the check lets no other node pass")


def _holds(node: ast.expr, values: Mapping[str, Fraction]) -> bool:
    match node:
        case ast.Compare():
            compare = _COMPARISONS[type(node.ops[0])]
            return compare(_number(node.left, values), _number(node.comparators[0], values))
        case ast.UnaryOp():
            return not _holds(node.operand, values)
        case ast.BoolOp(op=ast.And()):
            return all(_holds(value, values) for value in node.values)
        case ast.BoolOp():
            return any(_holds(value, values) for value in node.values)
    raise AssertionError("the check lets no other node pass")
