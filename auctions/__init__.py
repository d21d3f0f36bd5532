"""Tenders, the rules of bidding, the bid book, the live channel and awards."""
