"""Builds the packages, installs the Debian package into a clean root, and runs the image."""

import json
import os
import secrets
import shutil
import subprocess
import tarfile
from contextlib import contextmanager
from pathlib import Path

import requests

from processes import end, is_ready
from support import BINARY, LOG_DIR, ROOT, note_pair, note_secret, wait_until

CLEAN_ROOT = Path(os.environ.get("TENANT_GATEWAY_CLEAN_ROOT", ROOT / "target/clean-root.tar"))


def run(*command, check=True, **options):
    """Runs a command and returns its output; an error has what it printed to stderr."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, **options)
    if check and done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def make_release(out, key, **options):
    run(ROOT / "ops/release", "--binary", BINARY, "--draft", "--out", out, "--sign", key, **options)


def make_key(folder):
    """A key pair of minisign without a password. Returns the paths of the secret and the public key."""
    run("minisign", "-G", "-W", "-s", folder / "minisign.key", "-p", folder / "minisign.pub")
    note_secret((folder / "minisign.key").read_text().splitlines()[1])
    return folder / "minisign.key", folder / "minisign.pub"


def only(folder, pattern):
    [path] = folder.glob(pattern)
    return path


def unpack_clean_root(folder):
    run("tar", "--extract", "--file", CLEAN_ROOT, "--directory", folder)
    # Installations of tests need not survive a power failure.
    (folder / "etc/dpkg/dpkg.cfg.d/fast").write_text("force-unsafe-io\n")


@contextmanager
def overlay(lower, folder):
    """An overlay of `lower`: it stores only the changes."""
    parts = {name: folder / name for name in ("upper", "work", "root")}
    for part in parts.values():
        part.mkdir()
    options = f"lowerdir={lower},upperdir={parts['upper']},workdir={parts['work']}"
    run("mount", "-t", "overlay", "overlay", "-o", options, parts["root"])
    try:
        yield CleanRoot(parts["root"])
    finally:
        run("umount", "--lazy", parts["root"])


class CleanRoot:
    """A Debian system with nothing but its essential packages, entered with chroot."""

    def __init__(self, folder):
        self.folder = folder
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}

    def __call__(self, *command, **options):
        return run("chroot", self.folder, *command, env=self.environment, **options)

    def path(self, path):
        return self.folder / path.lstrip("/")

    def install(self, package, *options):
        """Installs as documented; the root has all dependencies, so nothing is fetched."""
        shutil.copy(package, self.path("/tmp/package.deb"))
        return self("apt-get", "install", "--yes", *options, "/tmp/package.deb")

    def owner_and_mode(self, path):
        return self("stat", "--format=%U:%G %a", path).stdout.strip()

    def init(self):
        """The first tenant and its administrator."""
        first = json.loads(self("tenant-gatewayctl", "init", "--output", "json").stdout)
        note_pair(first["clientID"], first["clientSecret"])
        note_secret(self.path("/etc/tenant-gateway/master.key").read_text().strip())
        return first

    def clients(self):
        return json.loads(self("tenant-gatewayctl", "client", "list", "--output", "json").stdout)

    @contextmanager
    def serving(self, listen):
        with gateway_log() as log:
            command = ["chroot", self.folder, "tenant-gatewayctl", "serve"]
            process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        try:
            wait_until(lambda: is_ready(process, f"http://{listen}"), 30, "readiness")
            yield process
            process.terminate()
            assert process.wait(30) == 0, "SIGTERM did not end the gateway well"
        finally:
            end(process)


class Container:
    """The image's files as runc runs them: its own user, a root that is read-only, no capabilities, and a volume for the data.

    The network is that of the machine, so that the tests reach it.
    """

    def __init__(self, archive, folder, volume, environment):
        self.layout = folder / "layout"
        self.bundle = folder / "bundle"
        self.state = folder / "state"
        self.layout.mkdir()
        with tarfile.open(archive) as tar:
            tar.extractall(self.layout, filter="data")
        [manifest] = json.loads((self.layout / "index.json").read_text())["manifests"]
        self.manifest = self.blob(manifest)
        self.config = self.blob(self.manifest["config"])
        self.tag = manifest["annotations"]["org.opencontainers.image.ref.name"]
        run("umoci", "unpack", "--image", f"{self.layout}:{self.tag}", self.bundle)
        self.volume = volume
        self.environment = [f"{name}={value}" for name, value in environment.items()]
        self.spec = json.loads((self.bundle / "config.json").read_text())

    def blob(self, descriptor):
        algorithm, digest = descriptor["digest"].split(":")
        return json.loads((self.layout / "blobs" / algorithm / digest).read_text())

    def command(self, *arguments):
        """The command line that runs these arguments in a new container."""
        spec = json.loads(json.dumps(self.spec))
        spec["root"]["readonly"] = True
        spec["process"]["terminal"] = False
        spec["process"]["args"] = [*self.config["config"]["Entrypoint"], *arguments]
        spec["process"]["env"] += self.environment
        spec["process"]["capabilities"] = {}
        spec["linux"]["namespaces"] = [space for space in spec["linux"]["namespaces"] if space["type"] != "network"]
        [target] = self.config["config"]["Volumes"]
        spec["mounts"].append({"destination": target, "type": "bind", "source": str(self.volume), "options": ["rbind", "rw"]})
        (self.bundle / "config.json").write_text(json.dumps(spec))
        name = f"tenant-gateway-{secrets.token_hex(4)}"
        return name, ["runc", "--root", self.state, "run", "--bundle", self.bundle, name]

    def run(self, *arguments):
        _, command = self.command(*arguments)
        return run(*command).stdout

    def exec(self, name, *command, **options):
        return run("runc", "--root", self.state, "exec", name, *command, **options)

    @contextmanager
    def serving(self, listen):
        """Yields the name of the container."""
        name, command = self.command(*self.config["config"]["Cmd"])
        with gateway_log() as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            wait_until(lambda: is_ready(process, f"http://{listen}"), 30, "readiness")
            yield name
            run("runc", "--root", self.state, "kill", name, self.config["config"]["StopSignal"])
            assert process.wait(30) == 0, "the image's stop signal did not end the gateway well"
        finally:
            if process.poll() is None:
                run("runc", "--root", self.state, "delete", "--force", name, check=False)
            end(process)


def gateway_log():
    LOG_DIR.mkdir(parents=True, exist_ok=True)
    return (LOG_DIR / "packages.log").open("ab")


def user_and_capabilities(pid):
    """The user of a process, the same in all its ids, and its capabilities."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    [user] = set(status["Uid"].split())
    return int(user), int(status["CapEff"], 16)


def token(listen, client):
    answer = requests.post(
        f"http://{listen}/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(client["clientID"], client["clientSecret"]),
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    note_secret(answer.json()["access_token"])
    return answer.json()["access_token"]


def current_subject(listen, bearer):
    answer = requests.post(
        f"http://{listen}/graphql",
        json={"query": "{ currentSubject { id } }"},
        headers={"Authorization": f"Bearer {bearer}"},
        timeout=30,
    ).json()
    assert not answer.get("errors"), answer
    return answer["data"]["currentSubject"]["id"]
