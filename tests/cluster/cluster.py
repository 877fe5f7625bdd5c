"""Three nodes on one PostgreSQL behind HAProxy, and simulators of the legacy systems."""

import base64
import json
import os
import secrets
import signal
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from processes import end, free_port, is_ready, running_postgres
from support import BINARY, LOG_DIR, Credentials, note_pair, note_secret, wait_until

ROOT = Path(__file__).resolve().parents[2]


class Node:
    """A process of the gateway, whose address stays the same over restarts."""

    def __init__(self, name, environment, log):
        self.name = name
        self.address = f"127.0.0.1:{free_port()}"
        self.admin = f"127.0.0.1:{free_port()}"
        self.environment = {
            **environment,
            "TENANT_GATEWAY__SERVER__LISTEN": self.address,
            "TENANT_GATEWAY__ADMIN__LISTEN": self.admin,
        }
        self.log = log
        self.process = None

    def start(self):
        self.process = subprocess.Popen([BINARY, "serve"], env=self.environment, stdout=self.log, stderr=self.log)
        wait_until(lambda: is_ready(self.process, f"http://{self.address}"), 30, f"node {self.name}")

    def terminate(self):
        """Stops the node as an operator does."""
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(60) == 0, f"node {self.name} did not end well"

    def kill(self):
        self.process.kill()
        self.process.wait()

    def figure(self, name, **labels):
        """The sum of a figure of `/metrics` over all its label sets that hold these labels."""
        text = requests.get(f"http://{self.admin}/metrics", timeout=10).text
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = [line for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if all(label in line for label in wanted))


class Cluster:
    def __init__(self, url, nodes, administrator):
        self.url = url
        self.nodes = nodes
        self.administrator = administrator
        self.token = self.token_of(administrator)

    def token_of(self, credentials):
        answer = requests.post(
            f"{self.url}/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(credentials.client_id, credentials.secret),
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        token = answer.json()["access_token"]
        note_secret(token)
        return token

    def ask(self, query, variables=None, tenant=None, url=None):
        headers = {"Authorization": f"Bearer {self.token}", **({"X-Tenant-Context": tenant} if tenant else {})}
        answer = requests.post(
            f"{url or self.url}/graphql", json={"query": query, "variables": variables or {}}, headers=headers, timeout=60
        )
        assert answer.status_code == 200, (answer.status_code, answer.text)
        body = answer.json()
        assert not body.get("errors"), body
        return body["data"]

    def wait_until_all_serve(self):
        """Waits until HAProxy sends requests to every node again."""
        for node in self.nodes:
            wait_until(lambda node=node: is_ready(node.process, f"http://{node.address}"), 30, f"node {node.name}")
        time.sleep(0.6)  # Two rounds of HAProxy's own checks.


class Load:
    """Callers who create clients and read lists without a pause, each over connections of its own."""

    def __init__(self, cluster, callers=6):
        self.cluster = cluster
        self.created = []
        self.failures = []
        self.requests = 0
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.call, args=(number,)) for number in range(callers)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def call(self, number):
        create = "mutation ($name: String!) { createClient(name: $name) { clientSecret client { id } } }"
        read = "{ clients(perPage: 10) { id } currentSubject { id } }"
        count = 0
        while not self.stopping.is_set():
            count += 1
            try:
                made = self.cluster.ask(create, {"name": f"load {number} {count}"})["createClient"]
                note_secret(made["clientSecret"])
                self.cluster.ask(read)
            except (AssertionError, requests.RequestException) as failure:
                with self.lock:
                    self.failures.append(str(failure))
            else:
                with self.lock:
                    self.created.append(made["client"]["id"])
            with self.lock:
                self.requests += 2

    def run_on(self, requests_more):
        """Waits until that many more requests were answered."""
        aim = self.requests + requests_more
        wait_until(lambda: self.requests >= aim, 60, f"{requests_more} more requests")


@contextmanager
def running_cluster():
    LOG_DIR.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        log = stack.enter_context((LOG_DIR / "cluster.log").open("ab"))
        master_key = base64.b64encode(secrets.token_bytes(32)).decode()
        note_secret(master_key)
        listen = f"127.0.0.1:{free_port()}"
        environment = {
            "PATH": os.environ["PATH"],
            "RUST_LOG": "debug",
            "TENANT_GATEWAY__LOG__FORMAT": "json",
            "TENANT_GATEWAY__SEAL__MASTER_KEY": master_key,
            "TENANT_GATEWAY__DATABASE__URL": stack.enter_context(running_postgres("cluster")),
            "TENANT_GATEWAY__SERVER__PUBLIC_URL": f"http://{listen}",
            "TENANT_GATEWAY__SERVER__TRUSTED_PROXIES": "127.0.0.1/32",
            "TENANT_GATEWAY__SERVER__SHUTDOWN_DELAY": "1s",
            "TENANT_GATEWAY__UPSTREAM__ALLOW_PRIVATE_ADDRESSES": "true",
            "TENANT_GATEWAY__RATE_LIMIT__CLIENT_PER_SECOND": "0",
            "TENANT_GATEWAY__RATE_LIMIT__TENANT_PER_SECOND": "0",
        }

        def run(*arguments):
            command = [BINARY, *arguments]
            return subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=log, check=True, timeout=60).stdout

        run("migrate", "up")
        first = json.loads(run("init", "--output", "json"))
        note_pair(first["clientID"], first["clientSecret"])
        nodes = [Node(name, environment, log) for name in "abc"]
        for node in nodes:
            node.start()
            stack.callback(lambda node=node: end(node.process))
        stack.enter_context(running_haproxy(listen, nodes, log))
        url = f"http://{listen}"
        wait_until(lambda: answers(url), 30, "HAProxy")
        yield Cluster(url, nodes, Credentials(first["clientID"], first["clientSecret"], first["tenantID"]))


@contextmanager
def running_haproxy(listen, nodes, log):
    environment = {"PATH": os.environ["PATH"], "LISTEN": listen}
    environment |= {f"NODE_{node.name.upper()}": node.address for node in nodes}
    command = ["haproxy", "-db", "-f", ROOT / "ops/haproxy/haproxy.cfg"]
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield
    finally:
        end(process, signal.SIGINT)


def answers(url):
    try:
        return requests.get(f"{url}/health/ready", timeout=5).status_code == 200
    except requests.ConnectionError:
        return False


@contextmanager
def running_simulator(name, *arguments):
    """Yields the description that the simulator prints; `/_control` counts its calls."""
    command = [BINARY, "simulate", name, "--listen", "127.0.0.1:0", "--control", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield json.loads(process.stdout.readline())
    finally:
        end(process)
