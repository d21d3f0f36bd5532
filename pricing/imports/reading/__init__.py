"""Readers: bytes of one format in, batches of text columns out, each within stated limits."""

from pricing.imports.reading.batch import RawBatch, Reading
from pricing.imports.reading.csv_text import CsvReader
from pricing.imports.reading.json_lines import JsonLinesReader, json_numbers
from pricing.imports.reading.parquet import ParquetTable
from pricing.imports.reading.sheets import Sheet
from pricing.imports.reading.unpack import Gunzip

__all__ = [
    "CsvReader",
    "Gunzip",
    "JsonLinesReader",
    "ParquetTable",
    "RawBatch",
    "Reading",
    "Sheet",
    "json_numbers",
]
