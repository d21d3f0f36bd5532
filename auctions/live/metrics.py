"""What an operator watches of the live channel."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from auctions.book.books import Books

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.04, 0.08, 0.2, 0.5, 1, 2, 5)


class LiveMetrics:
    """One per process; `registry` is the process' own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.sockets = Gauge("marketplace_live_sockets", "Open sockets", registry=registry)
        self.rooms = Gauge("marketplace_live_rooms", "Watched auctions", registry=registry)
        self.deliveries = Counter(
            "marketplace_live_deliveries", "Texts of frames written to sockets", registry=registry
        )
        self.acks = Counter("marketplace_live_acks", "Answered commands", registry=registry)
        self.errors = Counter(
            "marketplace_live_errors", "Error frames", ["code"], registry=registry
        )
        self.closes = Counter(
            "marketplace_live_closes", "Sockets closed by us", ["code"], registry=registry
        )
        self.redis_clock_ahead = Gauge(
            "marketplace_redis_clock_ahead_seconds",
            "How far the clock of Redis is ahead of this node's",
            registry=registry,
        )
        self.auctions_followed = Gauge(
            "marketplace_auctions_followed", "Auctions this process follows", registry=registry
        )
        self.auctions_max = Gauge(
            "marketplace_auctions_max", "So many it may follow", registry=registry
        )
        self.ack_seconds = Histogram(
            "marketplace_live_ack_seconds",
            "From a command's frame to its ack",
            buckets=_SECONDS,
            registry=registry,
        )

    def watch(self, books: Books) -> None:
        """These are read when they are asked for."""
        self.redis_clock_ahead.set_function(lambda: books.times.skew_us / 1_000_000)
        self.auctions_followed.set_function(lambda: books.in_use)
        self.auctions_max.set_function(lambda: books.limit)
