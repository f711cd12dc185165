"""Settings: where they come from, what is refused and how that reads, what the page says."""

import json
import re
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from features.decay import DAY_MS
from features.domains import ONE_SHOP
from streams import settings_page
from streams.commands.settings import register
from streams.demo.workers import as_environment
from streams.settings import BadSetting, Settings
from streams.settings_domains import DomainSetting, domains_of

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_source_beats_the_ones_below(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("headrace.toml").write_text("k = 1\npartitions = 1\nfactors = 3\nneighbours = 11\n")
    Path(".env").write_text("HEADRACE_K=2\nHEADRACE_PARTITIONS=2\nHEADRACE_FACTORS=4\n")
    monkeypatch.setenv("HEADRACE_K", "3")
    monkeypatch.setenv("HEADRACE_PARTITIONS", "3")
    settings = Settings(k=4)
    assert (settings.k, settings.partitions, settings.factors) == (4, 3, 4)
    assert settings.neighbours == 11
    assert settings.replication == 1


def test_config_names_another_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("shop.toml").write_text('broker = "kafka:9092"\n')
    monkeypatch.setenv("HEADRACE_CONFIG", "shop.toml")
    assert Settings().broker == "kafka:9092"
    monkeypatch.setenv("HEADRACE_CONFIG", "nowhere.toml")
    with pytest.raises(
        BadSetting, match=r"HEADRACE_CONFIG = 'nowhere\.toml': there is no such file"
    ):
        Settings()


def test_a_file_that_is_not_toml_is_refused() -> None:
    Path("headrace.toml").write_text("k: 3\n")
    with pytest.raises(BadSetting, match=r"headrace\.toml is not TOML"):
        Settings()


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_PARTITIONS", "")
    assert Settings().partitions == 8


@pytest.mark.parametrize("source", ["environment", "dotenv", "toml"])
def test_an_unknown_name_is_refused_wherever_it_stands(
    source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if source == "environment":
        monkeypatch.setenv("HEADRACE_PARTITION", "4")
    elif source == "dotenv":
        Path(".env").write_text("HEADRACE_PARTITION=4\nSOMEBODY_ELSES=1\n")
    else:
        Path("headrace.toml").write_text("partition = 4\n")
    with pytest.raises(BadSetting) as refused:
        Settings()
    assert str(refused.value) == (
        "HEADRACE_PARTITION is not a setting: did you mean HEADRACE_PARTITIONS?"
    )


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("PARTITIONS", "0", "whole number, 1 to 1024"),
        ("PARTITIONS", "many", "whole number, 1 to 1024"),
        ("COMPRESSION", "rar", "none, gzip, snappy, lz4, zstd"),
        ("SSL_CHECK_HOSTNAME", "perhaps", "true, false"),
        ("BROKER", "kafka://localhost:9092", "host:port, comma between several"),
        ("BROKER", "localhost", "host:port, comma between several"),
        ("BROKER", "localhost:70000", "host:port, comma between several"),
        ("TOPIC_PREFIX", "a b", "up to 100 letters, digits, . _ -"),
        ("METRICS_PORT", "65536", "whole number, 0 to 65535"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(
    name: str, value: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"HEADRACE_{name}", value)
    with pytest.raises(BadSetting) as refused:
        Settings()
    assert str(refused.value) == f"HEADRACE_{name} = {value!r}: allowed is {rule}"


def test_every_mistake_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_K", "0")
    monkeypatch.setenv("HEADRACE_FACTOR", "4")
    with pytest.raises(BadSetting) as refused:
        Settings()
    assert len(str(refused.value).splitlines()) == 2


@given(port=st.integers(1, 65_535), host=st.from_regex(r"[a-z][a-z0-9.-]{0,20}", fullmatch=True))
def test_any_list_of_servers_is_taken_apart(port: int, host: str) -> None:
    assert Settings(broker=f"{host}:{port}, [::1]:{port}").servers == [
        f"{host}:{port}",
        f"[::1]:{port}",
    ]


def test_a_password_is_shown_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_SECURITY_PROTOCOL", "SASL_SSL")
    monkeypatch.setenv("HEADRACE_SASL_USERNAME", "ann")
    monkeypatch.setenv("HEADRACE_SASL_PASSWORD", "tell-nobody")
    settings = Settings()
    assert settings.sasl_password is not None
    assert settings.sasl_password.get_secret_value() == "tell-nobody"
    shown = f"{settings!r} {settings} {settings_page.in_force(settings)}"
    assert "tell-nobody" not in shown
    with pytest.raises(BadSetting) as refused:
        Settings(sasl_password=["tell-nobody"])
    assert "tell-nobody" not in str(refused.value)


@pytest.mark.parametrize(
    ("given_settings", "complaint"),
    [
        ({"security_protocol": "SASL_SSL"}, "needs HEADRACE_SASL_USERNAME"),
        ({"sasl_username": "ann", "sasl_password": "x"}, "would not use it"),
        (
            {"security_protocol": "SSL", "ssl_keyfile": "key.pem"},
            "HEADRACE_SSL_KEYFILE needs HEADRACE_SSL_CERTFILE",
        ),
        ({"ssl_cafile": "ca.pem"}, "HEADRACE_SSL_KEYFILE is set, but"),
    ],
)
def test_half_of_a_security_setting_is_refused(
    given_settings: dict[str, str], complaint: str
) -> None:
    with pytest.raises(BadSetting, match=complaint):
        Settings(**given_settings)


def test_topics_carry_the_prefix() -> None:
    settings = Settings(topic_prefix="shop1.", partitions=3, replication=2)
    assert settings.topics.click == "shop1.events.click"
    assert [spec.name for spec in settings.topic_specs] == list(settings.topics)
    partitions = {spec.name: spec.partitions for spec in settings.topic_specs}
    assert partitions.pop(settings.topics.models) == 1
    assert set(partitions.values()) == {3}
    assert {spec.replication for spec in settings.topic_specs} == {2}


def test_the_page_of_settings_is_up_to_date() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == settings_page.markdown(), "headrace settings --markdown > docs/settings.md"


def test_the_command_shows_what_holds_or_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer()
    register(app)
    monkeypatch.setenv("HEADRACE_K", "7")
    shown = CliRunner().invoke(app, []).stdout.splitlines()
    assert len(shown) == len(Settings.model_fields)
    assert {"HEADRACE_K=7", "HEADRACE_MODEL=", "HEADRACE_PARTITIONS=8"} <= set(shown)
    assert CliRunner().invoke(app, ["--markdown"]).stdout == settings_page.markdown()


def test_every_variable_that_the_project_mentions_exists() -> None:
    known = {settings_page.variable(name) for name in Settings.model_fields} | {"HEADRACE_CONFIG"}
    files = [
        file
        for place in (
            ".env.example",
            "*.md",
            "*.yml",
            "docs/**/*",
            "deploy/**/*",
            "streams/**/*.py",
        )
        for file in ROOT.glob(place)
        if file.is_file() and file.suffix != ".whl"
    ]
    mentioned = {
        name
        for file in files
        for name in re.findall(r"HEADRACE_[A-Z_]*[A-Z]", file.read_text(encoding="utf-8"))
    }
    assert mentioned - known == set()
    assert mentioned


SHOP = {"click": 1.0, "purchase": 4.0, "half_lives_days": (1 / 24, 1.0, 7.0, 30.0)}


def test_there_is_one_shop_unless_domains_are_named() -> None:
    assert {name: one.model_dump() for name, one in Settings().domains.items()} == {"shop": SHOP}
    assert domains_of(Settings().domains).default == ONE_SHOP.default


def test_domains_are_tables_in_toml_and_json_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("headrace.toml").write_text(
        "[domains.content]\nclick = 2\nhalf_lives_days = [0.02, 0.1, 1, 7]\n[domains.shop]\n"
    )
    from_file = Settings().domains
    assert list(from_file) == ["content", "shop"]
    assert from_file["content"].click == 2
    half_lives_ms = domains_of(from_file).of("content").half_lives_ms
    assert half_lives_ms == (1_728_000, 8_640_000, DAY_MS, 7 * DAY_MS)
    assert list(Settings(domains={"social": DomainSetting(click=3)}).domains) == ["social"]
    # The environment replaces all of it, and reads what another process was given.
    monkeypatch.setenv("HEADRACE_DOMAINS", '{"social": {}}')
    assert list(Settings().domains) == ["social"]
    told = as_environment(Settings(domains=from_file))
    monkeypatch.setenv("HEADRACE_DOMAINS", told["HEADRACE_DOMAINS"])
    assert list(Settings().domains.items()) == list(from_file.items())
    shown = dict(settings_page.in_force(Settings()))["HEADRACE_DOMAINS"]
    assert shown.startswith('{"content": {"click": 2.0')


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("{", "HEADRACE_DOMAINS = '{'"),
        ("{}", "HEADRACE_DOMAINS = {}"),
        ("[]", "HEADRACE_DOMAINS = []"),
        ('{"A b": {}}', "HEADRACE_DOMAINS A b = 'A b'"),
        ('{"a": {"click": 0}}', "HEADRACE_DOMAINS a click = 0"),
        ('{"a": {"clik": 1}}', "HEADRACE_DOMAINS a clik = 1"),
        ('{"a": {"purchase": NaN}}', "HEADRACE_DOMAINS a purchase = nan"),
        (
            '{"a": {"half_lives_days": [0.1, 7, 1, 30]}}',
            "HEADRACE_DOMAINS a half_lives_days = [0.1",
        ),
        ('{"a": {"half_lives_days": [0, 1, 7, 30]}}', "HEADRACE_DOMAINS a half_lives_days 0 = 0"),
        (json.dumps({f"d{n}": {} for n in range(17)}), "HEADRACE_DOMAINS = {'d0'"),
    ],
)
def test_a_bad_domain_is_named_with_what_is_allowed(
    value: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADRACE_DOMAINS", value)
    with pytest.raises(BadSetting) as refused:
        Settings()
    assert str(refused.value).startswith(named)
    assert ": allowed is 1 to 16 names (a-z, 0-9, _ and -, up to 32), each with" in str(
        refused.value
    )
