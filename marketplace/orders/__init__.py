"""Requests, orders, deliveries, claims, documents: the deal and what becomes of it."""
