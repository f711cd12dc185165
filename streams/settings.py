"""Every knob of Headrace: one typed object, read from the environment and files.

Highest first: arguments, `HEADRACE_*` in the environment, `HEADRACE_*` in `.env`, the TOML file
that `HEADRACE_CONFIG` names (else `headrace.toml`, where there is one), the defaults below.
A name that nobody knows or a value that makes no sense stops the program before it does anything.
"""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_core import to_json
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from features.fading import HALF_LIFE_DAYS
from features.guard import REPEAT_MS, Rules
from streams.settings_checks import NAME, check_security, check_servers
from streams.settings_domains import SHOP_ALONE, DomainSettings
from streams.settings_errors import explain
from streams.settings_gateway import GatewaySettings
from streams.settings_sources import CONFIG, PREFIX, BadSetting, Unknown, toml
from streams.topics import Topics, TopicSpec, specs

__all__ = ["CONFIG", "PREFIX", "BadSetting", "Settings"]

_DOTENV = Path(".env")


class Settings(GatewaySettings):
    """What an operator may change. Each field's description is also its documentation."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=_DOTENV,
        env_file_encoding="utf-8",
        env_ignore_empty=True,  # compose files and charts pass "" for "not set"
        dotenv_filtering="match_prefix",  # .env may hold other programs' variables
        extra="forbid",
        frozen=True,
        validate_default=False,
    )

    # Kafka
    broker: str = Field(
        "localhost:9092",
        description="Kafka servers to ask first, as host:port, separated by commas.",
    )
    topic_prefix: str = Field(
        "",
        pattern=NAME,
        max_length=100,
        description="Put in front of every topic name, so that installations can share a cluster.",
    )
    partitions: int = Field(
        8,
        ge=1,
        le=1024,
        description="Partitions of every topic but `models`; also the most workers that can share "
        "the load. Fixed once the topics exist.",
    )
    replication: int = Field(
        1, ge=1, le=9, description="Copies of every partition; 3 in production."
    )
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        "lz4", description="How records are compressed on their way to Kafka and in it."
    )
    fetch_max_bytes: int = Field(
        2**20,
        ge=2**16,
        le=2**30,
        description="Bytes that a worker takes from one partition at a time; it bounds a batch.",
    )

    # Security
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How to talk to Kafka; SASL_* needs a user name and password."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "PLAIN", description="How the password is proven; PLAIN sends it, so only over TLS."
    )
    sasl_username: str | None = Field(None, description="User name for SASL.")
    sasl_password: SecretStr | None = Field(None, description="Password for SASL; never shown.")
    ssl_cafile: Path | None = Field(
        None, description="PEM file of the authorities to trust; empty: those of the system."
    )
    ssl_certfile: Path | None = Field(
        None, description="PEM file of our own certificate, for servers that ask for one."
    )
    ssl_keyfile: Path | None = Field(None, description="PEM file of that certificate's key.")
    ssl_check_hostname: bool = Field(
        default=True,
        description="Whether the server's certificate must name the host we called.",
    )

    # Worker
    app_id: str = Field(
        "headrace",
        pattern=NAME,
        min_length=1,
        max_length=100,
        description="Consumer group of the workers; a new one starts from the oldest events.",
    )
    worker_id: str | None = Field(
        None,
        pattern=NAME,
        min_length=1,
        max_length=100,
        description="A lasting name (a pod's, say): with one, a quick restart moves no partitions.",
    )
    data_dir: Path = Field(
        Path(".headrace/state"),
        description="Where a worker keeps its tables; one directory per worker.",
    )
    standby_replicas: int = Field(
        0, ge=0, le=3, description="Workers that keep a warm copy of another's tables."
    )
    block_cache_mb: int = Field(
        64, ge=8, le=65_536, description="MiB of table blocks kept in memory, over all tables."
    )
    user_ttl_days: int = Field(
        400,
        ge=0,
        le=36_500,
        description="Days without an event, in event time, after which a user is forgotten; 0: "
        "never. Above a year, it keeps those who come every Christmas.",
    )
    forgotten: Literal["restart", "refuse"] = Field(
        "restart",
        description="What becomes of later events of a user who was forgotten: restart stores them "
        "in a new row, refuse stores none, as if each said `consent: false`.",
    )
    item_ttl_days: int = Field(
        400,
        ge=0,
        le=36_500,
        description="Days without an event, in event time, after which an item that the catalogue "
        "took back is forgotten; 0: never.",
    )

    # Events
    repeat_ms: int = Field(
        REPEAT_MS,
        ge=0,
        le=60_000,
        description="Milliseconds within which the same act (user, kind, item or query) counts "
        "once; 0: each counts, as logs with coarser times need.",
    )
    max_per_minute: int = Field(
        300, ge=0, le=10**6, description="Events of a kind per user and minute that count; 0: all."
    )
    max_per_day: int = Field(
        5000,
        ge=0,
        le=10**9,
        description="Events of a kind per user and day that count; 0: all.",
    )
    late_s: int = Field(
        60, ge=0, le=10**9, description="Seconds behind the user's newest that make an event late."
    )

    # Recommendations
    domains: DomainSettings = Field(
        SHOP_ALONE,
        description="Domains that events and items may name, the default one first: JSON here, "
        "tables such as `[domains.content]` in TOML (see docs/domains.md).",
    )
    model: Path | None = Field(
        None,
        description="Ranker to start with, as written by `headrace train`; one that was published "
        "(`headrace model publish`) prevails; empty: none.",
    )
    learn_lists: int = Field(
        1000,
        ge=0,
        le=100_000,
        description="Lists that wait in a worker's memory (some 50 KiB each) for what their users "
        "do next, which teaches the ranker; 0: it learns nothing from them.",
    )
    k: int = Field(20, ge=1, le=200, description="Items in a list.")
    diversity: float = Field(
        0.0,
        ge=0,
        le=1,
        description="How much the items of a list shall differ, searches apart: 0 not at all, 0.1 "
        "a little, 0.3 much, 1 above all. It costs hits; `headrace evaluate` tells how many.",
    )
    hide_bought: bool = Field(
        default=False,
        description="Whether what a user bought lately stays out of the user's lists; for shops of "
        "things that are bought once.",
    )
    neighbours: int = Field(
        100, ge=10, le=1000, description="Items that an item remembers it followed."
    )
    neighbour_half_life_days: int = Field(
        HALF_LIFE_DAYS,
        ge=0,
        le=36_500,
        description="Days after which what followed what, and which searches led where, counts "
        "half; 0: it counts for ever.",
    )
    factors: int = Field(
        16,
        ge=2,
        le=128,
        description="Length of the factors of users and items. Fixed once rows exist.",
    )
    output_format: Literal["json", "msgpack"] = Field(
        "json", description="How recommendations are written."
    )

    # Operation
    metrics_host: str = Field(
        "127.0.0.1", description="Address at which health and metrics are served."
    )
    metrics_port: int = Field(
        0, ge=0, le=65_535, description="Port for health and metrics; 0 serves none."
    )
    stall_s: int = Field(
        60,
        ge=1,
        le=3600,
        description="Seconds that a partition may wait without progress before the worker counts "
        "as unhealthy.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="The least severity that is logged."
    )

    def __init__(self, **given: Any) -> None:
        if isinstance(given.get("domains"), dict):  # maps of several sources would be merged
            given["domains"] = to_json(given["domains"]).decode()
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise BadSetting(explain(error, type(self))) from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources, highest first, and refuse names in them that are not ours."""
        del file_secret_settings
        return (
            init_settings,
            env_settings,
            Unknown(settings_cls),
            dotenv_settings,
            toml(settings_cls),
        )

    @field_validator("broker")
    @classmethod
    def _servers(cls, value: str) -> str:
        check_servers(value)
        return value

    @model_validator(mode="after")
    def _security_is_whole(self) -> Self:
        check_security(self)
        return self

    @property
    def servers(self) -> list[str]:
        """The Kafka servers of `broker`, one by one."""
        return [server.strip() for server in self.broker.split(",")]

    @property
    def rules(self) -> Rules:
        """Which events do not count."""
        few, many = 5 * self.max_per_minute, self.max_per_day
        return Rules(repeat_ms=self.repeat_ms, per_5_minutes=few, per_day=many)

    @property
    def topics(self) -> Topics:
        """The names of all topics."""
        return Topics.with_prefix(self.topic_prefix)

    @property
    def topic_specs(self) -> tuple[TopicSpec, ...]:
        """How each topic must be laid out."""
        return specs(self.topics, self.partitions, self.replication)
