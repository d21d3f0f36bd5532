"""The ground floor: kernel, accounts, orders, ledger and exchange."""
