"""Kafka's jars, resolved and downloaded once by jgo, then read from the local Maven cache."""

import os
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from streams.broker.errors import BrokerError

# Resolved apart: log4j's parent POM manages Kafka's own version and would pull it back to 3.9.
KAFKA = "org.apache.kafka:kafka_2.13:4.3.1"
LOGGING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4"  # the log4j that this Kafka ships

_DOWNLOADS_AT_ONCE = 8


def class_path() -> str:
    """Return the class path of Kafka, downloading what the cache lacks (45 MB the first time).

    `jgo.resolve` and not `jgo.build`: the latter fetches a whole JDK 11 to sort jars into modules.

    Raises:
        BrokerError: an artifact can neither be found in the cache nor downloaded.
    """
    import jgo
    from jgo.config import GlobalSettings
    from jgo.maven import Artifact

    def local(artifact: Artifact) -> str:
        path = Path(artifact.resolve())
        if not zipfile.is_zipfile(path):  # a download that was cut off
            path.unlink()
            path = Path(artifact.resolve())
        return str(path)

    repositories = GlobalSettings.load().repositories
    try:
        paths: list[str] = []
        with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
            # One after the other: both name some jars, which two threads must not fetch at once.
            for endpoint in (KAFKA, LOGGING):
                paths += pool.map(local, jgo.resolve(endpoint, repositories=repositories))
    except Exception as error:  # jgo raises whatever its HTTP and XML parsers raise
        raise BrokerError(
            f"cannot get Kafka's jars ({KAFKA}): {error}\n"
            "Check that this machine reaches Maven Central, or name a mirror under [repositories] "
            "in jgo's settings file; if a download was cut off, delete the Maven cache "
            "(M2_REPO, else ~/.m2/repository) and try again; if that folder cannot be written, "
            "name another by M2_REPO."
        ) from error
    return os.pathsep.join(dict.fromkeys(paths))
