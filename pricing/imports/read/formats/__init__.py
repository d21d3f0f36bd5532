"""Readers: bytes of one format in, batches of text columns out, each within stated limits."""

from pricing.imports.read.formats.batch import RawBatch, Reading
from pricing.imports.read.formats.csv_text import CsvReader
from pricing.imports.read.formats.json_lines import JsonLinesReader, json_numbers
from pricing.imports.read.formats.parquet import ParquetTable
from pricing.imports.read.formats.sheets import Sheet
from pricing.imports.read.formats.unpack import Gunzip

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
