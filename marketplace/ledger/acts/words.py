"""The words of an act in the partner's language."""

from __future__ import annotations

_EN = {
    "389": "Self-billed invoice",
    "261": "Self-billed credit note",
    "statement": "Statement of account",
    "seller": "Supplier",
    "buyer": "Customer, who issued this document",
    "number": "Number",
    "date": "Date",
    "period": "Period",
    "source": "Source",
    "rule": "Rule",
    "amount": "Amount",
    "total": "Total",
    "accepting": "Without an objection within {days} days this document counts as accepted.",
}
_DE = {
    "389": "Gutschrift (Abrechnung durch den Leistungsempfänger)",
    "261": "Rechnungskorrektur zur Gutschrift",
    "statement": "Kontoauszug",
    "seller": "Leistender",
    "buyer": "Leistungsempfänger und Aussteller",
    "number": "Nummer",
    "date": "Datum",
    "period": "Zeitraum",
    "source": "Quelle",
    "rule": "Regel",
    "amount": "Betrag",
    "total": "Summe",
    "accepting": "Ohne Widerspruch innerhalb von {days} Tagen gilt dieses Dokument als anerkannt.",
}
_PL = {
    "389": "Faktura (samofakturowanie)",
    "261": "Faktura korygująca (samofakturowanie)",
    "statement": "Zestawienie rozliczeń",
    "seller": "Sprzedawca",
    "buyer": "Nabywca, wystawca dokumentu",
    "number": "Numer",
    "date": "Data",
    "period": "Okres",
    "source": "Źródło",
    "rule": "Zasada",
    "amount": "Kwota",
    "total": "Razem",
    "accepting": "Brak sprzeciwu w ciągu {days} dni oznacza akceptację dokumentu.",
}
_RO = {
    "389": "Autofactură",
    "261": "Autofactură de corecție",
    "statement": "Extras de cont",
    "seller": "Furnizor",
    "buyer": "Client, emitentul documentului",
    "number": "Număr",
    "date": "Data",
    "period": "Perioada",
    "source": "Sursa",
    "rule": "Regula",
    "amount": "Suma",
    "total": "Total",
    "accepting": "Fără obiecții în {days} zile, documentul se consideră acceptat.",
}
_RU = {
    "389": "Акт (самовыставление счёта)",
    "261": "Корректировочный акт (самовыставление счёта)",
    "statement": "Сводка расчётов",
    "seller": "Исполнитель",
    "buyer": "Заказчик, составивший документ",
    "number": "Номер",
    "date": "Дата",
    "period": "Период",
    "source": "Источник",
    "rule": "Правило",
    "amount": "Сумма",
    "total": "Итого",
    "accepting": "Без возражений в течение {days} дней документ считается принятым.",
}
WORDS = {"de": _DE, "en": _EN, "pl": _PL, "ro": _RO, "ru": _RU}


def title(language: str, kind: int, *, self_billing: bool) -> str:
    """The words of an invoice stand only where self-billing was agreed."""
    return WORDS[language][str(kind) if self_billing else "statement"]
