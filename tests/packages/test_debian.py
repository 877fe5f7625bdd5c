"""The Debian package in a clean root: its content, installation, upgrade, downgrade, removal and purge."""

import json

import pytest

from packages import current_subject, only, overlay, run, token, unpack_clean_root, user_and_capabilities
from processes import free_port

KEY = "/etc/tenant-gateway/master.key"
SETTINGS = "/etc/tenant-gateway/tenant-gateway.toml"
DATA = "/var/lib/tenant-gateway"
AS_NOBODY = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]


@pytest.fixture(scope="session")
def package(release):
    return only(release.folder, "*.deb")


@pytest.fixture(scope="session")
def newer_package(package, tmp_path_factory):
    """The same files under a higher version."""
    folder = tmp_path_factory.mktemp("newer")
    run("dpkg-deb", "--raw-extract", package, folder / "files")
    control = folder / "files/DEBIAN/control"
    control.write_text(control.read_text().replace("\nVersion: ", "\nVersion: 999."))
    run("dpkg-deb", "--root-owner-group", "-Zxz", "-z0", "--build", folder / "files", folder / "newer.deb")
    return folder / "newer.deb"


@pytest.fixture(scope="session")
def unpacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clean")
    unpack_clean_root(folder)
    return folder


@pytest.fixture
def clean_root(unpacked, tmp_path):
    with overlay(unpacked, tmp_path) as root:
        yield root


@pytest.fixture(scope="module")
def installed(unpacked, package, tmp_path_factory):
    with overlay(unpacked, tmp_path_factory.mktemp("installed")) as root:
        root.install(package)
        yield root


def test_lintian_finds_nothing(package):
    found = run("lintian", "--allow-root", "--fail-on", "error,warning", package, check=False)
    assert (found.returncode, found.stdout) == (0, "")


@pytest.mark.parametrize(
    ("path", "access"),
    [
        ("/usr/bin/tenant-gateway", "root:root 755"),
        ("/usr/sbin/tenant-gatewayctl", "root:root 755"),
        ("/lib/systemd/system/tenant-gateway.service", "root:root 644"),
        ("/usr/share/doc/tenant-gateway/operations.md", "root:root 644"),
        ("/usr/share/doc/tenant-gateway/runbooks/down.md", "root:root 644"),
        ("/usr/share/doc/tenant-gateway/third-party-licenses.txt.gz", "root:root 644"),
        ("/usr/share/bash-completion/completions/tenant-gateway", "root:root 644"),
        ("/etc/tenant-gateway", "root:tenant-gateway 750"),
        (SETTINGS, "root:root 644"),
        (KEY, "root:tenant-gateway 640"),
        (DATA, "tenant-gateway:tenant-gateway 700"),
    ],
)
def test_installed_path_has_its_owner_and_mode(installed, path, access):
    assert installed.owner_and_mode(path) == access


def test_installed_files_are_those_of_the_package(installed):
    assert installed("dpkg", "--verify", "tenant-gateway").stdout == ""


def test_user_of_the_service_cannot_log_in(installed):
    [entry] = installed("getent", "passwd", "tenant-gateway").stdout.splitlines()
    assert entry.split(":")[5:] == [DATA, "/usr/sbin/nologin"]


def test_unit_verifies_where_it_is_installed(installed, tmp_path):
    """Verifies the unit among those of this machine, with the program of the package."""
    unit = installed.path("/lib/systemd/system/tenant-gateway.service").read_text()
    assert "\nUser=tenant-gateway\n" in unit
    assert "\nExecStart=/usr/bin/tenant-gateway " in unit
    moved = tmp_path / "tenant-gateway.service"
    moved.write_text(unit.replace("/usr/bin/tenant-gateway", str(installed.path("/usr/bin/tenant-gateway"))))
    verified = run("systemd-analyze", "verify", moved, check=False)
    assert [line for line in verified.stderr.splitlines() if "tenant-gateway" in line] == []
    assert verified.returncode == 0


def test_service_is_neither_enabled_nor_started_by_the_installation(installed):
    assert not installed.path("/etc/systemd/system/multi-user.target.wants/tenant-gateway.service").is_symlink()


def test_settings_of_the_package_are_valid(installed):
    installed("tenant-gatewayctl", "config", "check")


def test_other_users_read_neither_settings_nor_key_nor_data(installed):
    for command in (["cat", SETTINGS], ["cat", KEY], ["ls", DATA]):
        refused = installed(*AS_NOBODY, *command, check=False)
        assert "Permission denied" in refused.stderr, command


def test_commands_are_refused_to_other_users(installed):
    refused = installed(*AS_NOBODY, "tenant-gatewayctl", "config", "check", check=False)
    assert refused.returncode == 1
    assert "run it as root" in refused.stderr


def test_gateway_serves_as_the_user_of_the_service(clean_root, package):
    clean_root.install(package)
    listen = listen_on_a_free_port(clean_root)
    first = clean_root.init()
    with clean_root.serving(listen) as process:
        user = int(clean_root("id", "--user", "tenant-gateway").stdout)
        assert user_and_capabilities(process.pid) == (user, 0)
        assert current_subject(listen, token(listen, first))
        assert json.loads(clean_root("tenant-gatewayctl", "health", "--output", "json").stdout)["ready"] is True
    # Whether commands or the service created the files, all belong to the user of the service.
    owners = clean_root("find", DATA, "-printf", "%u\n").stdout.split()
    assert set(owners) == {"tenant-gateway"}


def test_upgrade_and_going_back_keep_settings_key_and_data(clean_root, package, newer_package):
    clean_root.install(package)
    listen_on_a_free_port(clean_root)
    clean_root.init()
    before = state(clean_root)

    clean_root.install(newer_package)
    assert clean_root("dpkg-query", "--show", "--showformat=${Version}", "tenant-gateway").stdout.startswith("999.")
    assert state(clean_root) == before

    clean_root.install(package, "--allow-downgrades")
    assert not clean_root("dpkg-query", "--show", "--showformat=${Version}", "tenant-gateway").stdout.startswith("999.")
    assert state(clean_root) == before


def test_upgrade_restarts_a_gateway_that_runs(clean_root, package, newer_package):
    clean_root.install(package)
    clean_root.init()
    called = pretend_that_it_runs(clean_root)
    clean_root.install(newer_package)
    assert any("restart tenant-gateway.service" in call for call in called())


def test_upgrade_lets_the_old_process_go_on_without_a_database_for_the_new_one(clean_root, package, newer_package):
    clean_root.install(package)
    with clean_root.path(SETTINGS).open("a") as settings:
        settings.write(f'\n[database]\nurl = "postgres://gateway@127.0.0.1:{free_port()}/gateway"\n')
    called = pretend_that_it_runs(clean_root)
    said = clean_root.install(newer_package)
    assert "tenant-gatewayctl migrate up && systemctl restart tenant-gateway" in said.stderr + said.stdout
    assert called()
    assert not any("restart" in call for call in called())
    assert clean_root("dpkg-query", "--show", "--showformat=${db:Status-Status}", "tenant-gateway").stdout == "installed"


def test_removal_and_purge_keep_what_cannot_be_made_again(clean_root, package):
    clean_root.install(package)
    clean_root.init()
    before = (key(clean_root), clean_root.clients())

    clean_root("apt-get", "remove", "--yes", "tenant-gateway")
    assert not clean_root.path("/usr/bin/tenant-gateway").exists()
    assert clean_root.path(SETTINGS).exists()
    kept = clean_root("apt-get", "purge", "--yes", "tenant-gateway")
    assert "are kept" in kept.stderr + kept.stdout
    assert not clean_root.path(SETTINGS).exists()

    clean_root.install(package)
    assert (key(clean_root), clean_root.clients()) == before


def test_purge_deletes_data_and_key_when_asked(clean_root, package):
    clean_root.install(package)
    clean_root.init()
    clean_root("debconf-set-selections", input="tenant-gateway tenant-gateway/purge-data boolean true\n")
    clean_root("apt-get", "purge", "--yes", "tenant-gateway")
    assert not clean_root.path(DATA).exists()
    assert not clean_root.path("/etc/tenant-gateway").exists()


def test_lost_master_key_is_not_replaced(clean_root, package, newer_package):
    clean_root.install(package)
    clean_root.init()
    clean_root.path(KEY).unlink()
    clean_root.install(newer_package)
    assert not clean_root.path(KEY).exists()
    clean_root("apt-get", "purge", "--yes", "tenant-gateway")
    # The first installation again, but beside the database.
    clean_root.install(package)
    assert not clean_root.path(KEY).exists()


def listen_on_a_free_port(root):
    """Changes the settings as an operator does."""
    listen = f"127.0.0.1:{free_port()}"
    settings = root.path(SETTINGS)
    text = settings.read_text().replace("127.0.0.1:8080", listen).replace('"127.0.0.1:9090"', '"off"')
    settings.write_text(text)
    return listen


def pretend_that_it_runs(root):
    """A stand-in for systemd, which a chroot does not have. Returns a function that reads the calls of systemctl."""
    root.path("/run/systemd/system").mkdir(parents=True)
    calls = root.path("/tmp/calls")
    systemctl = root.path("/bin/systemctl")
    systemctl.write_text('#!/bin/sh\necho "$@" >>/tmp/calls\n')
    systemctl.chmod(0o755)
    return lambda: calls.read_text().splitlines()


def state(root):
    return (key(root), root.path(SETTINGS).read_text(), root.clients())


def key(root):
    return root.path(KEY).read_text()
