"""The bid book: Redis orders, Python decides, PostgreSQL remembers.

`Books` holds the auctions this node follows; `Book.submit` takes a command and returns when it is
durable.
"""
