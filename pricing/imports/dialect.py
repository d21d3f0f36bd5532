"""How a text file is written: encoding, delimiter, decimal mark, and which column is which."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from marketplace.kernel.decimals import Mark
from pricing.imports.rules import COLUMNS, COLUMNS_MAX, DECIMAL_COLUMNS, REQUIRED

SAMPLE_BYTES = 256 << 10
_DELIMITERS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CYRILLIC = re.compile(rb"[\xc0-\xff]{3,}")

# What exports call these columns. Spelling is folded first: case, accents, blanks and signs go.
_SYNONYMS: Mapping[str, str] = {
    "sku": "article articleno articlenumber artikelnummer artnr itemno itemnumber partnumber partno"
    " productcode materialnumber артикул код"
    " indeks kod kodtowaru kodproduktu numerartykułu nrartykułu symbol"
    " cod codprodus codarticol codice codicearticolo codart",
    "supplier_sku": "supplierarticle vendorsku suppliersku lieferantenartikelnummer"
    " kodproducenta kodkatalogowy coddeproducator codfurnizor codicefornitore codiceproduttore",
    "name": "description title productname itemname bezeichnung наименование название designation"
    " nazwa nazwatowaru nazwaproduktu opis denumire denumireprodus descriere"
    " descrizione denominazione nome",
    "unit": "uom unitofmeasure einheit mengeneinheit единица едизм unite"
    " jm jednostka jednostkamiary um unitate unitatedemasura unita unitadimisura",
    "currency": "curr waehrung wahrung валюта devise moneda waluta valuta divisa",
    "price": "netprice unitprice preis nettopreis цена prix precio"
    " cena cenanetto cenajednostkowa cenajednostkowanetto pret pretunitar pretfaratva"
    " prezzo prezzonetto prezzounitario",
    "price_unit": "per priceper preiseinheit pricebasis ценаза cenaza pretper prezzoper",
    "min_quantity": "minqty minquantity quantitybreak fromquantity staffel abmenge qtyfrom"
    " отколичества количествоот"
    " iloscod odilosci minilosc iloscminimalna minimalnailosc"
    " cantitateminima cantitatemin delacantitatea quantitaminima qtamin daquantita",
    "valid_from": "from startdate gueltigab gultigab действуетс"
    " ważneod obowiązujeod waznyod waznaod obowiazujeod valabildela dela validodal dal",
    "valid_to": "to until enddate validuntil gueltigbis gultigbis действуетпо"
    " waznydo waznado obowiazujedo valabilpanala panala validoal validofinoal al",
    "lead_time_days": "leadtime deliverydays lieferzeit срокпоставки"
    " czasdostawy termindostawy termendelivrare termenlivrare tempodiconsegna tempiconsegna",
    "pack_size": "packqty packaging verpackungseinheit упаковка"
    " opakowanie wielkoscopakowania iloscwopakowaniu ambalaj bucatiinambalaj confezione"
    " pezziperconfezione",
    "moq": "minimumorder minorder minimumorderquantity mindestbestellmenge"
    " minimalnezamówienie minzamowienie comandaminima cantitateminimadecomanda"
    " ordineminimo quantitaminimadordine lottominimo",
    "incoterm": "incoterms deliveryterms lieferbedingung"
    " warunkidostawy conditiidelivrare conditiilivrare resa terminidiconsegna",
}


class Unreadable(Exception):
    """The file as a whole cannot be read; `code` and the sentence go into the import's failure.
    `dialect` is what was detected all the same, so that columns can be mapped by hand.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.dialect: Dialect | None = None


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """What was detected, and is reported. `columns` maps file columns to ours; others are ignored.

    decimal    `.` or `,`; None where the numbers of the file prove neither
    header     names as in the file; row 1
    """

    encoding: str = "utf-8"
    bom_bytes: int = 0
    delimiter: str = ","
    decimal: Mark | None = None
    header: tuple[str, ...] = ()
    columns: dict[str, str] = {}

    @property
    def ignored(self) -> tuple[str, ...]:
        return tuple(name for name in self.header if name not in self.columns)


def header_hash(header: Sequence[str]) -> bytes:
    """What a remembered column mapping is found by."""
    return hashlib.sha256("\x1f".join(header).encode()).digest()


def map_columns(
    header: Sequence[str], chosen: Mapping[str, str] | None, *, patch: bool = False
) -> dict[str, str]:
    """File column → our column: the chosen mapping first, then equal names, then synonyms.

    Raises Unreadable when there is no header, a name is twice, or a required column is missing
    (a patch needs only the SKU).
    """
    if len(header) > COLUMNS_MAX:
        raise Unreadable("too_many_columns", f"A file has at most {COLUMNS_MAX} columns.")
    found: dict[str, str] = {}
    for name in header:
        ours = (chosen or {}).get(name) or _ours(name)
        if ours is None or ours not in COLUMNS:
            continue
        if ours in found.values():
            raise Unreadable("column_twice", f"Two columns are read as {ours}; map them by hand.")
        found[name] = ours
    needed = ("sku",) if patch else REQUIRED
    missing = [name for name in needed if name not in found.values()]
    if missing:
        seen = ", ".join(repr(name[:40]) for name in header[:20])
        raise Unreadable(
            "columns_missing",
            f"No column {', '.join(missing)} in the header; it reads {seen}. "
            "Rename the columns or map them.",
        )
    return found


def _ours(name: str) -> str | None:
    folded = _fold(name)
    for ours in COLUMNS:
        if folded == _fold(ours) or folded in map(_fold, _SYNONYMS[ours].split()):
            return ours
    return None


def _fold(name: str) -> str:
    bare = unicodedata.normalize("NFKD", name.casefold())
    return "".join(c for c in bare if c.isalnum())


def detect(sample: bytes, *, whole: bool) -> Dialect:
    """Encoding, delimiter, decimal mark and header of a CSV from its first bytes.

    `whole` says that the sample is the whole file. Raises Unreadable for what is no text table.
    """
    if sample[:4] in {b"PK\x03\x04", b"PAR1"} or sample[:2] == b"\x1f\x8b":
        raise Unreadable("not_csv", "This is a packed or binary file; name its format.")
    encoding, bom = _encoding(sample, whole)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample[bom:], whole)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    full = lines if whole or len(lines) == 1 else lines[:-1]
    head = next((line for line in full if line.strip()), "")
    if not head:
        raise Unreadable("empty_file", "The file is empty.")
    if "\x00" in head:
        raise Unreadable("nul_byte", "The header holds zero bytes; this is no text file.")
    delimiter = max(_DELIMITERS, key=lambda sign: (head.count(sign), -_DELIMITERS.index(sign)))
    header = tuple(name.strip() for name in next(csv.reader([head], delimiter=delimiter)))
    return Dialect(encoding=encoding, bom_bytes=bom, delimiter=delimiter, header=header)


def _encoding(sample: bytes, whole: bool) -> tuple[str, int]:
    for bom, name in _BOMS:
        if sample.startswith(bom):
            return name, len(bom)
    if sample[1:200:2].count(0) > len(sample[:200]) // 4:
        return "utf-16-le", 0
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(sample, whole)
    except UnicodeDecodeError:
        # A few broken bytes in a UTF-8 file are those rows' errors, not another encoding.
        if _is_mostly_utf8(sample):
            return "utf-8", 0
        return ("cp1251" if _CYRILLIC.search(sample) else "cp1252"), 0
    return "utf-8", 0


def _is_mostly_utf8(sample: bytes) -> bool:
    """Letters of one byte hardly ever look like the pairs and triples of UTF-8."""
    good = len(re.findall(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}", sample))
    bad = sample.decode("utf-8", "replace").count("\ufffd")
    return good > 0 and good * 4 >= bad


def csv_numbers(sample: bytes, dialect: Dialect) -> Iterator[str]:
    """What stands in the decimal columns of a CSV's first bytes. A row that is cut off or broken
    proves nothing and may be among them.
    """
    text = sample[dialect.bom_bytes :].decode(dialect.encoding, "replace")
    names = [dialect.columns.get(name) for name in dialect.header]
    places = [place for place, name in enumerate(names) if name in DECIMAL_COLUMNS]
    lines = io.StringIO(text.replace("\x00", ""), newline="")
    rows = csv.reader(lines, delimiter=dialect.delimiter)
    try:
        for cells in rows:
            yield from (cells[place] for place in places if place < len(cells))
    except csv.Error:  # a cell longer than the reader takes
        return
