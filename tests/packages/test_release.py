"""The files of a release as downloaded: reproducible, complete, signed, and with a bill of materials."""

import json
import os
import shutil
import tomllib

import pytest
from cyclonedx.model.bom import Bom

from packages import make_key, make_release, only, run
from support import ROOT


def verify(folder, public_key):
    """Verifies as documented. Returns which of the two steps fails."""
    if run("minisign", "-V", "-q", "-p", public_key, "-m", folder / "SHA256SUMS", check=False).returncode:
        return "signature"
    if run("sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS", cwd=folder, check=False).returncode:
        return "checksums"
    return None


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_second_run_makes_the_same_bytes(release, tmp_path):
    """The bytes do not depend on time zone, language, umask or temporary folder."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {**os.environ, "TZ": "Pacific/Apia", "LC_ALL": "C.UTF-8", "TMPDIR": str(elsewhere)}
    make_release(tmp_path / "again", release.secret_key, env=environment, umask=0o077)
    assert run("diff", "-r", release.folder, tmp_path / "again").stdout == ""


def test_all_files_are_made_and_in_the_checksums(release):
    made = {path.name for path in release.folder.iterdir()}
    kinds = {"".join(name.rpartition(ending)[1] for ending in (".deb", ".oci.tar", ".tar.gz", ".cdx.json")) for name in made}
    assert kinds == {"", ".deb", ".oci.tar", ".tar.gz", ".cdx.json"}
    summed = {line.split("  ")[1] for line in (release.folder / "SHA256SUMS").read_text().splitlines()}
    assert summed == made - {"SHA256SUMS", "SHA256SUMS.minisig"}


def test_whole_download_verifies(release):
    assert verify(release.folder, release.public_key) is None


@pytest.mark.parametrize("pattern", ["*.deb", "*.oci.tar", "*.tar.gz", "*.cdx.json"])
def test_flipped_bit_in_a_file_fails_its_checksum(release, tmp_path, pattern):
    shutil.copytree(release.folder, tmp_path / "changed")
    flip_a_bit(only(tmp_path / "changed", pattern))
    assert verify(tmp_path / "changed", release.public_key) == "checksums"


@pytest.mark.parametrize("name", ["SHA256SUMS", "SHA256SUMS.minisig"])
def test_flipped_bit_in_checksums_or_signature_fails_the_signature(release, tmp_path, name):
    shutil.copytree(release.folder, tmp_path / "changed")
    flip_a_bit(tmp_path / "changed" / name)
    assert verify(tmp_path / "changed", release.public_key) == "signature"


def test_signature_of_another_key_fails(release, tmp_path):
    _, other = make_key(tmp_path)
    assert verify(release.folder, other) == "signature"


def test_secret_key_is_in_no_file(release):
    key = release.secret_key.read_text().splitlines()[1].encode()
    assert not [path.name for path in release.folder.iterdir() if key in path.read_bytes()]


def test_files_are_not_overwritten(release):
    refused = run(ROOT / "ops/release", "--out", release.folder, check=False)
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr


def test_sbom_names_the_libraries_that_are_built_in(release):
    text = only(release.folder, "*.cdx.json").read_text()
    sbom = Bom.from_json(json.loads(text))
    # Each component is in the dependency graph, and every reference resolves.
    assert sbom.validate()
    assert sbom.metadata.component.name == "tenant-gateway"
    listed = {(part.name, part.version) for part in sbom.components}
    locked = {(part["name"], part["version"]) for part in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]}
    node = json.loads((ROOT / "playground/package-lock.json").read_text())["packages"]
    locked |= {(part.get("name") or path.rpartition("node_modules/")[2], part.get("version")) for path, part in node.items()}
    assert listed <= locked
    names = {name for name, _ in listed}
    assert {"aws-lc-rs", "aws-lc-sys", "libsqlite3-sys", "async-graphql", "tokio"} <= names
    # Of the playground.
    assert {"preact", "graphql", "@codemirror/view"} <= names
    # Tests are not built in.
    assert not {"criterion", "proptest", "rcgen", "typescript"} & names
    # Nor are folders of this machine.
    assert str(ROOT) not in text
    assert "/tmp/" not in text


def test_licences_of_libraries_come_with_the_program(release, tmp_path):
    run("tar", "--extract", "--file", only(release.folder, "*.tar.gz"), "--directory", tmp_path)
    text = only(tmp_path, "*/third-party-licenses.txt").read_text()
    assert "\n==== aws-lc-rs " in text
    assert "\n==== preact " in text
    assert "Permission is hereby granted" in text
