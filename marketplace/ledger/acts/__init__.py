"""Acts: what a partner earned in a month as a numbered document, a self-billed invoice where that
was agreed."""
