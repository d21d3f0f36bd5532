"""Check receipts and signed heads with the public keys alone; transcripts are for `verify.py`."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature

from auctions.book.receipts import Receipt, SignedHead, signed_bytes
from auctions.book.verify import Broken, public_key

AnyProof = Receipt | SignedHead

PROOFS_MAX = 1_000
"""Of one file: an Ed25519 check takes 0.1 ms, and nobody bids a thousand times in an auction."""
SEQ_MAX = 2**53


class WrongProof(Exception):
    """Not what was signed, and why; `fault` is a stable code:

    not_a_proof       not a receipt at all, or not only one
    unknown_key       signed with a key that is not among the trusted ones
    wrong_signature   the signature fits other content
    """

    def __init__(self, fault: str, reason: str) -> None:
        super().__init__(reason)
        self.fault, self.reason = fault, reason


def read_proofs(content: bytes) -> list[AnyProof] | None:
    """The receipts and heads of a JSON file: one, a list, or the `receipts` answer of the API. None
    for anything else, such as a transcript. Raises WrongProof (`not_a_proof`).
    """
    try:
        found = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if isinstance(found, dict) and found.get("type") == "header":
        return None
    rows = found.get("items", found) if isinstance(found, dict) else found
    rows = rows if isinstance(rows, list) else [rows]
    if not 0 < len(rows) <= PROOFS_MAX:
        raise WrongProof("not_a_proof", f"A file holds 1 to {PROOFS_MAX} receipts.")
    return [_read(row) for row in rows]


def _read(row: Any) -> AnyProof:
    if isinstance(row, dict) and isinstance(row.get("receipt"), dict):
        row = row["receipt"]
    if not isinstance(row, dict):
        raise WrongProof("not_a_proof", "This is no receipt.")
    is_head = row.keys() == set(SignedHead.__struct_fields__)
    kind: type[Receipt] | type[SignedHead] = SignedHead if is_head else Receipt
    missing = [name for name in kind.__struct_fields__ if name not in row]
    extra = [name for name in row if name not in kind.__struct_fields__]
    if len(missing) > len(kind.__struct_fields__) // 2:
        raise WrongProof("not_a_proof", "This is no receipt.")
    if missing or extra:
        named = [f"{name} is missing" for name in missing]
        named += [f"{name[:40]} is not part of a receipt" for name in extra[:5]]
        raise WrongProof("not_a_proof", f"{', '.join(named)}.")
    try:
        proof: AnyProof = msgspec.convert(row, kind)
    except msgspec.ValidationError as error:
        raise WrongProof("not_a_proof", str(error)) from None
    if not 0 < proof.seq < SEQ_MAX:
        raise WrongProof("not_a_proof", "seq is not the number of a command.")
    return proof


def check_signature(proof: AnyProof, keys: Mapping[str, str]) -> None:
    """`keys` are the trusted ones, base64 by id. Raises WrongProof (`unknown_key`,
    `wrong_signature`).
    """
    trusted = keys.get(proof.key_id)
    if trusted is None:
        raise WrongProof(
            "unknown_key", f"It is signed with a key that is not known: {proof.key_id}"
        )
    try:
        key = public_key(proof.key_id, trusted)
        key.verify(b64decode(proof.signature, validate=True), signed_bytes(proof))
    except Broken as broken:
        raise WrongProof("unknown_key", str(broken)) from None
    except (InvalidSignature, Base64Error, UnicodeEncodeError):
        raise WrongProof("wrong_signature", "The signature does not fit the content.") from None
