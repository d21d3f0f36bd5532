"""What partners earn and what became of it: one double-entry ledger, accruals, payouts, acts."""
