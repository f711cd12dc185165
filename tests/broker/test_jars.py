"""Kafka's jars: a cut-off download is mended, and a failure names its cure."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import jgo
import pytest

from streams.broker import BrokerError
from streams.broker.jars import KAFKA, class_path


class FakeArtifact:
    """Stands for an artifact of jgo: downloads into its path what is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.downloads = 0

    def resolve(self) -> Path:
        if not self.path.exists():
            self.downloads += 1
            with zipfile.ZipFile(self.path, "w") as jar:
                jar.writestr("Main.class", "")
        return self.path


def resolving(*artifacts: FakeArtifact) -> Callable[..., list[FakeArtifact]]:
    def resolve(endpoint: str, repositories: object) -> list[FakeArtifact]:
        del endpoint, repositories
        return list(artifacts)

    return resolve


def test_each_jar_is_downloaded_once_and_again_when_it_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = FakeArtifact(tmp_path / "whole.jar"), FakeArtifact(tmp_path / "cut.jar")
    monkeypatch.setattr(jgo, "resolve", resolving(whole, cut))
    expected = f"{whole.path}:{cut.path}"
    assert class_path() == expected
    cut.path.write_bytes(cut.path.read_bytes()[:30])
    assert class_path() == expected
    assert zipfile.is_zipfile(cut.path)
    assert (whole.downloads, cut.downloads) == (1, 2)


def test_a_failed_download_names_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(endpoint: str, repositories: object) -> list[FakeArtifact]:
        del endpoint, repositories
        raise RuntimeError("no route to host")

    monkeypatch.setattr(jgo, "resolve", fail)
    with pytest.raises(BrokerError) as refused:
        class_path()
    for part in (KAFKA, "no route to host", "[repositories]"):
        assert part in str(refused.value)
