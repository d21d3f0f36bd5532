"""Catalogue, price lists and their bulk upload."""
