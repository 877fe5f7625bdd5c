"""Starts and stops the real processes: PostgreSQL and the gateway."""

import base64
import glob
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from support import BINARY, LOG_DIR, Credentials, note_pair, note_secret, wait_until


class Gateway:
    """A gateway that runs on a fresh database."""

    def __init__(self, url, administrator):
        self.url = url
        self.administrator = administrator

    def post(self, token, query, variables=None, **headers):
        """A GraphQL request by hand, for what the SDK has no method for."""
        return requests.post(
            f"{self.url}/graphql",
            json={"query": query, "variables": variables or {}},
            headers={"Authorization": f"Bearer {token}", **headers},
            timeout=30,
        )

    def data(self, token, query, variables=None, **headers):
        answer = self.post(token, query, variables, **headers).json()
        assert not answer.get("errors"), answer
        return answer["data"]


@contextmanager
def running_gateway(database, folder, suite="sdk", settings=None):
    LOG_DIR.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        # The most verbose level in use: the scan searches these logs for secrets.
        "RUST_LOG": "debug",
        "RUST_BACKTRACE": "1",
        "TENANT_GATEWAY__SERVER__LISTEN": "127.0.0.1:0",
        "TENANT_GATEWAY__ADMIN__LISTEN": "off",
        "TENANT_GATEWAY__DATA__DIR": str(folder),
        "TENANT_GATEWAY__LOG__FORMAT": "json",
        **(settings or {}),
    }
    with ExitStack() as stack:
        log = stack.enter_context((LOG_DIR / f"{suite}-{database}.log").open("wb"))
        setup_log = stack.enter_context((LOG_DIR / f"{suite}-{database}-setup.log").open("wb"))

        def run(*arguments):
            return subprocess.run(
                [BINARY, *arguments], env=environment, stdout=subprocess.PIPE, stderr=setup_log, check=True, timeout=60
            ).stdout

        if database == "postgres":
            master_key = base64.b64encode(secrets.token_bytes(32)).decode()
            note_secret(master_key)
            environment["TENANT_GATEWAY__SEAL__MASTER_KEY"] = master_key
            environment["TENANT_GATEWAY__DATABASE__URL"] = stack.enter_context(running_postgres(suite))
            run("migrate", "up")
        first = json.loads(run("init", "--output", "json"))
        note_pair(first["clientID"], first["clientSecret"])

        process = subprocess.Popen([BINARY, "serve"], env=environment, stdout=log, stderr=log)
        stack.callback(end, process)
        url = wait_until(lambda: address_of(process, log.name), 30, "address in the log")
        wait_until(lambda: is_ready(process, url), 30, "readiness")
        yield Gateway(url, Credentials(first["clientID"], first["clientSecret"], first["tenantID"]))

        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, "SIGTERM did not end the gateway well"


@contextmanager
def demo_process(suite, output):
    """The gateway with simulated legacy systems; it prints the objects that it created."""
    LOG_DIR.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "RUST_LOG": "debug",
        "TENANT_GATEWAY__LOG__FORMAT": "json",
        "TENANT_GATEWAY__SERVER__LISTEN": "127.0.0.1:0",
        "TENANT_GATEWAY__ADMIN__LISTEN": "off",
    }
    command = [BINARY, "demo", "--output", output]
    with (LOG_DIR / f"{suite}.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        yield process
    finally:
        end(process)


@contextmanager
def running_demo(suite):
    """Yields the description that the demo prints for scripts."""
    with demo_process(suite, "json") as process:
        made = json.loads(process.stdout.readline())
        note_pair(made["clientID"], made["clientSecret"])
        wait_until(lambda: is_ready(process, made["url"]), 30, "readiness")
        yield made


def address_of(process, log):
    """The address in the first record that has one: records of the debug level may stand before it."""
    assert process.poll() is None, f"the gateway ended with {process.returncode}; see {log}"
    for line in Path(log).read_text(errors="replace").splitlines(keepends=True):
        # The last line may be half written.
        if not line.endswith("\n") or not line.startswith("{"):
            continue
        record = json.loads(line)
        if listen := record.get("listen") or record.get("fields", {}).get("listen"):
            return f"http://{listen}"
    return None


def is_ready(process, url):
    assert process.poll() is None, f"the gateway ended with {process.returncode}"
    try:
        return requests.get(f"{url}/health/ready", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


@contextmanager
def running_postgres(suite):
    """A server of its own, without durability; yields the URL of an empty database."""
    programs = postgres_programs()
    # initdb refuses to run as root.
    owner = {"user": unprivileged(), "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix=f"tenant-gateway-{suite}-"))
    # Hexadecimal: the same characters in the URL and in a log.
    password = secrets.token_hex(16)
    note_secret(password)
    password_file = folder / "password"
    password_file.write_text(password)
    if owner:
        for path in (folder, password_file):
            shutil.chown(path, owner["user"])
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        log = stack.enter_context((LOG_DIR / f"{suite}-postgres-server.log").open("wb"))
        subprocess.run(
            [
                f"{programs}/initdb",
                "--no-sync",
                "--username=gateway",
                "--auth=scram-sha-256",
                f"--pwfile={password_file}",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                f"--pgdata={folder}/data",
            ],
            cwd=folder,
            stdout=log,
            stderr=log,
            check=True,
            timeout=60,
            **owner,
        )
        port = free_port()
        settings = [
            "listen_addresses=127.0.0.1",
            f"port={port}",
            "unix_socket_directories=",
            "fsync=off",
        ]
        command = [f"{programs}/postgres", "-D", f"{folder}/data"]
        for setting in settings:
            command += ["-c", setting]
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, **owner)
        # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients.
        stack.callback(end, process, signal.SIGINT)
        wait_until(lambda: accepts(process, programs, port), 30, "PostgreSQL")
        yield f"postgres://gateway:{password}@127.0.0.1:{port}/postgres"


def accepts(process, programs, port):
    assert process.poll() is None, f"PostgreSQL ended with {process.returncode}"
    return subprocess.run([f"{programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)], timeout=10).returncode == 0


def postgres_programs():
    versions = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    newest = max(versions, key=lambda path: float(path.split("/")[4]), default=None)
    found = newest or shutil.which("initdb")
    assert found, "PostgreSQL's initdb is missing"
    return str(Path(found).resolve().parent)


def unprivileged():
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            pass
    raise AssertionError("neither a user postgres nor nobody to run PostgreSQL as")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def end(process, number=signal.SIGTERM):
    """Ends a process, also after a failed test."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
