"""Reading a stored file: how it is written, then its rows in batches, into staging."""
