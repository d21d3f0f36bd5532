"""TLS to Redis: the certificate is checked, and what goes wrong is named."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from redis.asyncio.connection import SSLConnection
from redis.asyncio.sentinel import SentinelManagedSSLConnection
from redis.exceptions import RedisError

from marketplace.kernel.outages import reason_of
from marketplace.kernel.redis import Cluster, connect
from tests.servers import Place
from tests.topology import until

HOST = "127.0.0.1"


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """Of HOST, signed by itself: the files of certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tests")])
    now = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=36_500))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), False
        )
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


@contextlib.asynccontextmanager
async def tls_relay(socket_path: str, certificate: Path, key: Path) -> AsyncIterator[int]:
    """The port of a relay to a server's socket: the embedded server has no TLS of its own."""

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_unix_connection(socket_path)
        with contextlib.suppress(OSError):
            await asyncio.gather(pump(reader, up_writer), pump(up_reader, writer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(relay, HOST, 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_a_server_is_reached_over_tls_and_its_certificate_is_checked(
    servers: Place, tmp_path: Path
) -> None:
    certificate, key = write_certificate(tmp_path)
    socket_path = servers.redis_url.removeprefix("unix://").partition("?")[0]
    async with tls_relay(socket_path, certificate, key) as port:
        redis = connect(f"rediss://{HOST}:{port}?ssl_ca_certs={certificate}")

        async def answers() -> bool:
            return bool(await redis.execute_command("PING"))

        await until(answers, "the server answers over TLS")
        await redis.aclose()
        stranger = connect(f"rediss://{HOST}:{port}")

        async def is_refused() -> bool:
            with pytest.raises(RedisError) as refused:
                await stranger.execute_command("PING")
            return reason_of(refused.value) == "TLS cannot be agreed upon"

        await until(is_refused, "the certificate is refused")
        await stranger.aclose()


def test_sentinels_servers_and_nodes_are_all_reached_over_tls(tmp_path: Path) -> None:
    certificate, _ = write_certificate(tmp_path)
    options = f"ssl_ca_certs={certificate}"
    redis = connect(f"rediss+sentinel://a,b/auctions?{options}")
    assert not isinstance(redis, Cluster)
    pool = redis.connection_pool
    assert pool.connection_class is SentinelManagedSSLConnection
    for made in (
        pool,
        *(sentinel.connection_pool for sentinel in pool.sentinel_manager.sentinels),
    ):
        assert made.connection_kwargs["ssl_ca_certs"] == str(certificate)
    cluster = connect(f"rediss+cluster://a,b?{options}")
    assert isinstance(cluster, Cluster)
    for node in cluster.startup_nodes:
        assert node.connection_class is SSLConnection
        assert node.connection_kwargs["ssl_ca_certs"] == str(certificate)
