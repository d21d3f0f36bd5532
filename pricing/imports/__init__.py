"""Bulk upload of prices: read, check, compare, publish by one version switch."""
