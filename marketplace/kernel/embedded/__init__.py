"""Real PostgreSQL and Valkey from wheels, started as child processes on private sockets.

`start(data_dir)` gives both; `Server` is one of them and can be killed, stopped and started again
by fault tests.
"""

from marketplace.kernel.embedded.server import EmbeddedError, Server
from marketplace.kernel.embedded.servers import Servers, start

__all__ = ["EmbeddedError", "Server", "Servers", "start"]
