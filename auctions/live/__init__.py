"""The live channel: a WebSocket for each watcher, a room for each watched auction, one hub a node.

`client` is the other end, for integrators, bots and tests; it imports nothing of the server.
"""
