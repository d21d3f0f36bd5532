"""The verifier believes nothing: every changed byte, missing line and foreign key is found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from auctions.book.transcript import Line, decode
from auctions.book.verify import WrongLine, verify
from auctions.rules.core.commands import Tick
from tests.auctions.book.transcripts import Press, some_bodies
from web.cli import main


@pytest.fixture(scope="module")
def press() -> Press:
    return Press()


@pytest.fixture(scope="module")
def lines(press: Press) -> list[bytes]:
    return press.lines(some_bodies())


def wrong_line(lines: Sequence[bytes], keys: dict[str, str] | None = None) -> int:
    with pytest.raises(WrongLine) as caught:
        verify(lines, keys)
    return caught.value.number


def test_an_honest_transcript_gives_winner_ranks_and_close(
    press: Press, lines: list[bytes]
) -> None:
    verdict = verify(lines, press.keys)
    assert verdict.state == "closed"
    assert [(row["rank"], row["alias"], row["price"]) for row in verdict.standing] == [
        (1, "Quiet Fox", "89.00"),
        (2, "Amber Heron", "90.00"),
    ]
    assert verdict.commands == verdict.shown == len(some_bodies())


def test_a_flipped_bit_anywhere_is_found_in_its_line(press: Press) -> None:
    short = press.lines(some_bodies()[:15])
    whole = b"".join(short)
    ends = [sum(len(line) for line in short[: n + 1]) for n in range(len(short))]
    for position in range(0, len(whole), 11):
        changed = bytearray(whole)
        changed[position] ^= 1 << (position % 8)
        line = next(number for number, end in enumerate(ends, start=1) if position < end)
        found = wrong_line(bytes(changed).splitlines(keepends=True), press.keys)
        # A changed line end joins two lines or makes one more; it shows at once either way.
        assert found <= line + 1, f"byte {position} of line {line} was found in line {found}"


def test_a_removed_line_is_found_where_it_is_missing(press: Press, lines: list[bytes]) -> None:
    near_a_head = range(995, 1010)
    for number in (*range(0, len(lines), 97), *near_a_head):
        rest = lines[:number] + lines[number + 1 :]
        assert wrong_line(rest, press.keys) <= number + 2


def test_two_swapped_commands_are_found(press: Press, lines: list[bytes]) -> None:
    swapped = [*lines[:5], lines[6], lines[5], *lines[7:]]
    assert wrong_line(swapped, press.keys) == 6


def test_a_line_added_at_the_end_is_found(press: Press, lines: list[bytes]) -> None:
    assert wrong_line([*lines, lines[-1]], press.keys) == len(lines) + 1


def test_an_outcome_the_rules_would_not_give_is_found_even_with_a_fresh_chain() -> None:
    """Who holds all keys can sign anything but cannot make the rules agree."""
    honest = Press(step={"against": "own", "kind": "amount", "value": "0.01"})
    strict = Press(step={"against": "own", "kind": "amount", "value": "50.00"})
    lines = honest.lines(some_bodies())
    decided = [number for number, line in enumerate(lines) if b'"kind":"bid"' in line]
    # The same commands and outcomes under terms that forbid them, chained and signed anew.
    forged = forge(strict, lines)
    assert decided[0] < wrong_line(forged, strict.keys) - 1 < decided[-1]


def forge(press: Press, lines: Sequence[bytes]) -> list[bytes]:
    from auctions.book import chain as chains
    from auctions.book.transcript import Writer

    writer = Writer(press.head, press.signer, press.keys)
    printed = writer.header()
    chain = chains.genesis(str(press.head.auction_id), press.head.terms)
    salts = chains.Salts(press.head.salt_key)
    for raw in lines:
        line = decode(raw)
        if not isinstance(line, Line):
            continue
        assert line.ts is not None
        body, outcome = bytes(line.body), bytes(line.outcome)  # type: ignore[arg-type]
        hashed = chains.payload_hash(salts.of(line.seq), line.seq, line.ts, body, outcome)
        chain = chains.link(chain, line.seq, hashed)
        printed += writer.command(line.seq, line.ts, "", body, outcome, chain)
    return (printed + writer.end()).splitlines(keepends=True)


def test_a_readers_transcript_shows_only_its_own_and_still_proves_the_chain(press: Press) -> None:
    mine = press.lines(
        some_bodies(), audience="Quiet Fox", visible=lambda bidder: bidder in ("", "Quiet Fox")
    )
    verdict = verify(mine, press.keys)
    assert 0 < verdict.shown < verdict.commands
    text = b"".join(mine)
    assert b"Amber Heron" not in text
    assert b'"price":"100.00"' not in text


def test_hidden_lines_differ_in_nothing_but_hashes_when_hidden_values_differ(press: Press) -> None:
    one = some_bodies()[:4]
    other = [*one[:3], (one[3][0], Tick())]
    first, second = (
        press.lines(bodies, audience="Quiet Fox", visible=lambda bidder: bidder == "Quiet Fox")
        for bodies in (one, other)
    )
    for left, right in zip(first[1:5], second[1:5], strict=True):
        shapes = [
            {key: len(str(value)) for key, value in json.loads(raw).items()}
            for raw in (left, right)
        ]
        assert shapes[0] == shapes[1]


def test_keys_that_are_not_trusted_are_refused(press: Press, lines: list[bytes]) -> None:
    assert wrong_line(lines, {"0123456789abcdef": next(iter(press.keys.values()))}) == 1


def test_the_command_line_says_it_in_one_line(
    press: Press, lines: list[bytes], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, keys = tmp_path / "transcript.jsonl", tmp_path / "keys.json"
    file.write_bytes(b"".join(lines))
    keys.write_text(json.dumps({"algorithm": "Ed25519", "keys": press.keys}))
    assert main(["verify", str(file), "--keys", str(keys)]) == 0
    assert "in order" in capsys.readouterr().out
    file.write_bytes(b"".join(lines).replace(b'"98.00"', b'"97.00"'))
    assert main(["verify", str(file), "--keys", str(keys)]) == 1
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith("marketplace: ")
    assert "line" in said
    assert main(["verify", str(tmp_path / "missing")]) == 1
