"""Organisations, their people, and how both prove who they are."""
