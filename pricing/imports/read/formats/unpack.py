"""gzip, inflated piece by piece with a cap on what comes out."""

from __future__ import annotations

import zlib

from pricing.imports.read.dialect import Unreadable
from pricing.imports.rules import UNPACKED_BYTES_MAX, UNPACKED_RATIO_MAX

MAGIC = b"\x1f\x8b"
_PIECE_BYTES = 4 << 20
_RATIO_FROM_BYTES = 16 << 20


class Gunzip:
    """Feed packed bytes, take plain ones; several members in a row are one file.

    Raises Unreadable: `unpacked_too_large` (a bomb, or a file beyond the limit) or `broken_gzip`.
    """

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(wbits=31)
        self._packed = 0
        self._plain = 0
        self._ended = False

    def feed(self, data: bytes) -> list[bytes]:
        """Pieces of at most _PIECE_BYTES."""
        self._packed += len(data)
        pieces = []
        while data:
            if self._inflater.eof:
                self._inflater = zlib.decompressobj(wbits=31)
            try:
                piece = self._inflater.decompress(data, _PIECE_BYTES)
            except zlib.error:
                raise Unreadable("broken_gzip", "The gzip file is damaged.") from None
            self._plain += len(piece)
            self._check()
            if piece:
                pieces.append(piece)
            data = self._inflater.unconsumed_tail or self._inflater.unused_data.lstrip(b"\0")
        return pieces

    def end(self) -> None:
        if not self._inflater.eof:
            raise Unreadable("broken_gzip", "The gzip file ends too early.")

    def _check(self) -> None:
        bomb = self._plain > _RATIO_FROM_BYTES and self._plain > self._packed * UNPACKED_RATIO_MAX
        if bomb or self._plain > UNPACKED_BYTES_MAX:
            raise Unreadable(
                "unpacked_too_large",
                f"Unpacked it is larger than {UNPACKED_BYTES_MAX >> 20} MiB, or more than "
                f"{UNPACKED_RATIO_MAX} times its packed size.",
            )
