"""The columns of a price file, once. Reading, checks, staging, comparison, the published lines,
exports and the table in docs/uploading-prices.md are made from these rows.

A new optional column is a row here, the column of that name in `price_lines` (a migration, and
`pricing/models.py`), and its meaning: the field of `lists.rules.Line` and of the wire's `LineView`.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Kind(StrEnum):
    """How a cell is read and checked; `checks` and `cells` have a function for each."""

    ARTICLE = "article"
    TEXT = "text"
    UNIT = "unit"
    CURRENCY = "currency"
    DECIMAL = "decimal"
    DATE = "date"
    DAYS = "days"
    INCOTERM = "incoterm"

    @property
    def sql(self) -> str:
        """The type of what is stored."""
        return _SQL.get(self, "text")


_SQL = {Kind.DECIMAL: "numeric", Kind.DATE: "date", Kind.DAYS: "integer"}
_OTHER_CHARS_MAX = 100


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column.

    required    every row has it; in a patch, only the SKU
    default     what a blank, or deleted, cell means in the list, where that is not "unknown"
    zero        whether a decimal may be zero
    chars_max   of a text; what is longer in another cell is no number, date or code
    synonyms    what exports call it, folded: lower case, without accents, blanks and signs
    meaning     for people who fill in the file
    """

    name: str
    kind: Kind
    meaning: str
    synonyms: str
    required: bool = False
    default: str | None = None
    zero: bool = False
    chars_max: int = _OTHER_CHARS_MAX

    @property
    def blank(self) -> str:
        """What a blank cell of a new line means, for people."""
        if self.required:
            return "required"
        if self.default is not None:
            return self.default
        return "open" if self.kind is Kind.DATE else "unknown"


# The order is that of the bits in `cleared` of staged rows: a new column comes last.
COLUMNS = (
    Column(
        name="sku",
        kind=Kind.ARTICLE,
        required=True,
        meaning="your article number; the shared item's where there is one",
        synonyms="article articleno articlenumber artikelnummer artnr itemno itemnumber partnumber"
        " partno productcode materialnumber артикул код"
        " indeks kod kodtowaru kodproduktu numerartykułu nrartykułu symbol"
        " cod codprodus codarticol codice codicearticolo codart",
    ),
    Column(
        name="supplier_sku",
        kind=Kind.ARTICLE,
        meaning="the maker's article number, or another one of yours",
        synonyms="supplierarticle vendorsku suppliersku lieferantenartikelnummer"
        " kodproducenta kodkatalogowy coddeproducator codfurnizor codicefornitore codiceproduttore",
    ),
    Column(
        name="name",
        kind=Kind.TEXT,
        chars_max=500,
        meaning="what the article is called",
        synonyms="description title productname itemname bezeichnung наименование название"
        " designation nazwa nazwatowaru nazwaproduktu opis denumire denumireprodus descriere"
        " descrizione denominazione nome",
    ),
    Column(
        name="unit",
        kind=Kind.UNIT,
        required=True,
        meaning="UN/ECE code such as `C62`, `KGM`, `MTR`, or a usual word such as `pcs`, `Stk`, "
        "`шт`, `szt`, `buc`, `m²`",
        synonyms="uom unitofmeasure einheit mengeneinheit единица едизм unite"
        " jm jednostka jednostkamiary um unitate unitatedemasura unita unitadimisura",
    ),
    Column(
        name="currency",
        kind=Kind.CURRENCY,
        required=True,
        meaning="a currency of ISO 4217, such as `EUR`",
        synonyms="curr waehrung wahrung валюта devise moneda waluta valuta divisa",
    ),
    Column(
        name="price",
        kind=Kind.DECIMAL,
        required=True,
        zero=True,
        meaning="for `price_unit` units; at most 12 + 6 digits",
        synonyms="netprice unitprice preis nettopreis цена prix precio"
        " cena cenanetto cenajednostkowa cenajednostkowanetto pret pretunitar pretfaratva"
        " prezzo prezzonetto prezzounitario",
    ),
    Column(
        name="price_unit",
        kind=Kind.DECIMAL,
        default="1",
        meaning='100 means "per 100"',
        synonyms="per priceper preiseinheit pricebasis ценаза cenaza pretper prezzoper",
    ),
    Column(
        name="min_quantity",
        kind=Kind.DECIMAL,
        default="1",
        meaning="the price holds from this quantity on",
        synonyms="minqty minquantity quantitybreak fromquantity staffel abmenge qtyfrom"
        " отколичества количествоот"
        " iloscod odilosci minilosc iloscminimalna minimalnailosc"
        " cantitateminima cantitatemin delacantitatea quantitaminima qtamin daquantita",
    ),
    Column(
        name="valid_from",
        kind=Kind.DATE,
        meaning="the first day; `2026-12-31` or `31.12.2026`",
        synonyms="from startdate gueltigab gultigab действуетс"
        " ważneod obowiązujeod waznyod waznaod obowiazujeod valabildela dela validodal dal",
    ),
    Column(
        name="valid_to",
        kind=Kind.DATE,
        meaning="the last day, included",
        synonyms="to until enddate validuntil gueltigbis gultigbis действуетпо"
        " waznydo waznado obowiazujedo valabilpanala panala validoal validofinoal al",
    ),
    Column(
        name="lead_time_days",
        kind=Kind.DAYS,
        meaning="whole days from the order to the delivery",
        synonyms="leadtime deliverydays lieferzeit срокпоставки"
        " czasdostawy termindostawy termendelivrare termenlivrare tempodiconsegna tempiconsegna",
    ),
    Column(
        name="pack_size",
        kind=Kind.DECIMAL,
        meaning="only whole packs of so many units are sold",
        synonyms="packqty packaging verpackungseinheit упаковка"
        " opakowanie wielkoscopakowania iloscwopakowaniu ambalaj bucatiinambalaj confezione"
        " pezziperconfezione",
    ),
    Column(
        name="moq",
        kind=Kind.DECIMAL,
        meaning="the least quantity that can be ordered",
        synonyms="minimumorder minorder minimumorderquantity mindestbestellmenge"
        " minimalnezamówienie minzamowienie comandaminima cantitateminimadecomanda"
        " ordineminimo quantitaminimadordine lottominimo",
    ),
    Column(
        name="incoterm",
        kind=Kind.INCOTERM,
        chars_max=60,
        meaning="Incoterms code with its place, such as `DAP Hamburg`",
        synonyms="incoterms deliveryterms lieferbedingung"
        " warunkidostawy conditiidelivrare conditiilivrare resa terminidiconsegna",
    ),
)

BY_NAME = {column.name: column for column in COLUMNS}
NAMES = tuple(BY_NAME)
REQUIRED = tuple(column.name for column in COLUMNS if column.required)
DECIMALS = tuple(column.name for column in COLUMNS if column.kind is Kind.DECIMAL)
ARTICLE_NUMBERS = tuple(column.name for column in COLUMNS if column.kind is Kind.ARTICLE)
BIT_OF = {name: 1 << place for place, name in enumerate(NAMES)}
"""Of a column in the mask `cleared` of the cells that say `#delete`."""

LIST = ", ".join(NAMES)
"""The columns in SQL, in their order."""


def listed(prefix: str) -> str:
    """The columns of one relation in SQL: `l.sku, l.name, …`."""
    return ", ".join(f"{prefix}.{name}" for name in NAMES)
