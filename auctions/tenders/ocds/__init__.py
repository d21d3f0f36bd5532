"""OCDS 1.1 (https://standard.open-contracting.org/1.1/): tenders as release packages, and back."""
