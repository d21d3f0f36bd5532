"""Tenders: what a buyer asks for, who may take part, and who wins each lot."""
