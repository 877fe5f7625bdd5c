"""The OCI image: read by two other tools, and run as Kubernetes does."""

import json
import os
import stat
import tarfile
from pathlib import Path

import pytest

from packages import Container, current_subject, only, run, token, user_and_capabilities
from processes import free_port
from support import note_pair

USER = 65532


@pytest.fixture(scope="module")
def archive(release):
    return only(release.folder, "*.oci.tar")


@pytest.fixture(scope="module")
def listen():
    return f"127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def container(archive, listen, tmp_path_factory):
    folder = tmp_path_factory.mktemp("image")
    volume = folder / "volume"
    volume.mkdir(0o700)
    os.chown(volume, USER, USER)
    environment = {"TENANT_GATEWAY__SERVER__LISTEN": listen, "TENANT_GATEWAY__ADMIN__LISTEN": "off"}
    return Container(archive, folder, volume, environment)


def files(container):
    root = container.bundle / "rootfs"
    return {f"/{path.relative_to(root)}": path.lstat() for path in root.rglob("*")}


def test_skopeo_reads_the_image_and_copies_it_for_docker(archive, container, tmp_path):
    described = json.loads(run("skopeo", "inspect", f"oci-archive:{archive}").stdout)
    assert described["Os"] == "linux"
    assert described["Labels"]["org.opencontainers.image.version"] == container.tag
    run("skopeo", "copy", f"oci-archive:{archive}", f"docker-archive:{tmp_path}/docker.tar:tenant-gateway:{container.tag}")
    with tarfile.open(tmp_path / "docker.tar") as copy:
        [image] = json.load(copy.extractfile("manifest.json"))
        config = json.load(copy.extractfile(image["Config"]))
    assert config["config"]["Healthcheck"] == container.config["config"]["Healthcheck"]


def test_image_has_no_shell_and_nothing_that_changes_its_user(container):
    regular = {path: status for path, status in files(container).items() if stat.S_ISREG(status.st_mode)}
    executable = {path for path, status in regular.items() if status.st_mode & 0o111}
    assert {path for path in executable if "/lib" not in path} == {"/usr/bin/tenant-gateway"}
    assert not {path for path, status in regular.items() if status.st_mode & (stat.S_ISUID | stat.S_ISGID)}


def test_only_the_data_folder_belongs_to_the_user(container):
    owned = {path for path, status in files(container).items() if status.st_uid != 0 or status.st_gid != 0}
    assert owned == {"/var/lib/tenant-gateway"}
    writable = {path for path, status in files(container).items() if status.st_mode & 0o022}
    assert writable == {"/tmp"}


def test_packages_of_the_base_are_noted_for_scanners(container):
    notes = container.bundle / "rootfs/var/lib/dpkg/status.d"
    assert {path.name for path in notes.iterdir()} >= {"libc6", "libgcc-s1"}
    for note in notes.iterdir():
        installed = run("dpkg-query", "--show", "--showformat=${Version}", note.name).stdout
        assert f"\nVersion: {installed}\n" in note.read_text()
        assert (container.bundle / "rootfs/usr/share/doc" / note.name / "copyright").stat().st_size > 0


def test_image_runs_as_its_own_user_with_a_root_that_is_read_only(container, listen):
    first = json.loads(container.run("init", "--output", "json"))
    note_pair(first["clientID"], first["clientSecret"])
    with container.serving(listen) as name:
        [pid] = json.loads(run("runc", "--root", container.state, "ps", "--format", "json", name).stdout)
        assert user_and_capabilities(pid) == (USER, 0)
        mounts = [line.split() for line in Path(f"/proc/{pid}/mounts").read_text().splitlines()]
        [options] = [options for _, target, _, options, *_ in mounts if target == "/"]
        assert "ro" in options.split(",")
        assert current_subject(listen, token(listen, first))
    assert {path.name for path in container.volume.iterdir()} >= {"tenant-gateway.db", "master.key"}


def test_health_check_of_the_image_tells_whether_the_gateway_is_ready(container, listen):
    kind, *command = container.config["config"]["Healthcheck"]["Test"]
    assert kind == "CMD"
    with container.serving(listen) as name:
        healthy = container.exec(name, *command)
        assert "true" in healthy.stdout
        elsewhere = container.exec(name, *command, "--address", f"127.0.0.1:{free_port()}", check=False)
        assert elsewhere.returncode == 1


def test_data_stays_in_the_volume_from_container_to_container(container, listen):
    made = json.loads(container.run("tenant", "list", "--output", "json"))
    with container.serving(listen):
        pass
    assert json.loads(container.run("tenant", "list", "--output", "json")) == made
