"""The security settings against a Kafka that asks for them, by each client library."""

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from cryptography.hazmat.primitives import serialization
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from streams import admin, security
from streams.broker import Kafka, Security
from streams.settings import BadSetting, Settings

USERS = {"ann": "ann-secret"}
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with an authority's certificate, ca.pem, and a server's key and certificate."""
    place = tmp_path_factory.mktemp("tls")
    issuer = trustme.CA()
    issuer.cert_pem.write_to_path(place / "ca.pem")
    server = issuer.issue_cert("127.0.0.1")
    key = serialization.load_pem_private_key(server.private_key_pem.bytes(), password=None)
    pkcs8 = key.private_bytes(  # the only form of key that Java reads from PEM
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    chain = b"".join(certificate.bytes() for certificate in server.cert_chain_pems)
    (place / "server.pem").write_bytes(pkcs8 + chain)
    trustme.CA().cert_pem.write_to_path(place / "stranger.pem")
    return place


@pytest.fixture(scope="module")
def by_password(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    kafka = Kafka(tmp_path_factory.mktemp("sasl"), security=Security(USERS))
    with kafka:
        yield {
            "broker": kafka.secure_address,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_username": "ann",
            "sasl_password": "ann-secret",
            "partitions": 1,
        }


@pytest.fixture(scope="module")
def by_tls(tmp_path_factory: pytest.TempPathFactory, authority: Path) -> Iterator[dict[str, Any]]:
    certificate = authority / "server.pem"
    kafka = Kafka(tmp_path_factory.mktemp("tls-kafka"), security=Security(USERS, certificate))
    with kafka:
        yield {
            "broker": kafka.secure_address,
            "security_protocol": "SASL_SSL",
            "sasl_mechanism": "SCRAM-SHA-512",
            "sasl_username": "ann",
            "sasl_password": "ann-secret",
            "ssl_cafile": authority / "ca.pem",
            "partitions": 1,
        }


def send_one(topic: str, **arguments: Any) -> int:
    """Produce a record by aiokafka; return its offset."""

    async def send() -> int:
        producer = AIOKafkaProducer(**arguments, request_timeout_ms=5_000)
        try:
            await producer.start()
            return int((await producer.send_and_wait(topic, b"x")).offset)
        finally:
            await producer.stop()

    return asyncio.run(send())


def send_as_each_library(settings: Settings) -> None:
    admin.create(settings)  # kafka-python
    topic = settings.topics.click
    first = send_one(topic, **security.connection(settings))
    by_faust = credentials_to_aiokafka_auth(security.faust_credentials(settings))
    assert send_one(topic, bootstrap_servers=settings.servers, **by_faust) == first + 1


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_password_opens_the_door(by_password: dict[str, Any], mechanism: str) -> None:
    send_as_each_library(Settings(**by_password, sasl_mechanism=mechanism))


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_a_wrong_password_does_not(
    by_password: dict[str, Any], mechanism: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admin, "_CONNECTED_WITHIN_MS", 2_000)
    settings = Settings(**by_password | {"sasl_password": "guess", "sasl_mechanism": mechanism})
    with pytest.raises(admin.BrokerUnreachable, match="by SASL_PLAINTEXT") as refused:
        admin.check(settings)
    assert "guess" not in str(refused.value)


def test_tls_and_password(by_tls: dict[str, Any]) -> None:
    send_as_each_library(Settings(**by_tls))


def test_a_server_whose_authority_we_do_not_trust_is_left(
    by_tls: dict[str, Any], authority: Path
) -> None:
    settings = Settings(**by_tls | {"ssl_cafile": authority / "stranger.pem"})
    with pytest.raises(KafkaError):
        send_one("any", **security.connection(settings))


def test_nothing_is_asked_for_by_default() -> None:
    settings = Settings()
    assert security.faust_credentials(settings) is None
    assert security.connection(settings) == {
        "bootstrap_servers": ["localhost:9092"],
        "security_protocol": "PLAINTEXT",
    }


def test_tls_without_password(authority: Path) -> None:
    both = authority / "server.pem"
    settings = Settings(
        security_protocol="SSL",
        ssl_cafile=authority / "ca.pem",
        ssl_certfile=both,
        ssl_check_hostname=False,
    )
    context = security.connection(settings)["ssl_context"]
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname is False
    by_faust = credentials_to_aiokafka_auth(security.faust_credentials(settings))
    assert by_faust["security_protocol"] == "SSL"
    assert by_faust["ssl_context"].check_hostname is False


def test_certificate_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    settings = Settings(security_protocol="SSL", ssl_cafile=tmp_path / "missing.pem")
    with pytest.raises(BadSetting, match=r"HEADRACE_SSL_CAFILE = .*missing\.pem.*cannot be used"):
        security.connection(settings)
