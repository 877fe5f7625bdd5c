"""Fixtures: the packages, built once."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from packages import make_key, make_release


@dataclass(frozen=True)
class Release:
    """The folder that was published, and the keys that signed it."""

    folder: Path
    secret_key: Path
    public_key: Path


@pytest.fixture(scope="session")
def release(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    secret_key, public_key = make_key(tmp_path_factory.mktemp("keys"))
    make_release(folder, secret_key)
    return Release(folder, secret_key, public_key)
