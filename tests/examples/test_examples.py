"""Every program of examples/, run as a reader runs it, against the real binary."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from support import BINARY, LOG_DIR, ROOT, note_pair, note_secret

EXAMPLES = ROOT / "examples"
# The test script has compiled it there, outside the sources.
URQL = Path(os.environ.get("TENANT_GATEWAY_EXAMPLE_URQL", EXAMPLES / "typescript/dist/urql.js"))

COMMANDS = {
    "curl": [EXAMPLES / "curl.sh"],
    "sdk": [sys.executable, EXAMPLES / "python/sdk.py"],
    "gql": [sys.executable, EXAMPLES / "python/gql_client.py"],
    "urql": ["node", URQL],
}


@pytest.fixture(scope="module")
def demo():
    LOG_DIR.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "RUST_LOG": "debug",
        "TENANT_GATEWAY__LOG__FORMAT": "json",
        "TENANT_GATEWAY__SERVER__LISTEN": "127.0.0.1:0",
        "TENANT_GATEWAY__ADMIN__LISTEN": "off",
    }
    with (LOG_DIR / "examples.log").open("ab") as log:
        process = subprocess.Popen(
            [BINARY, "demo", "--output", "json"], env=environment, stdout=subprocess.PIPE, stderr=log
        )
    try:
        made = json.loads(process.stdout.readline())
        note_pair(made["clientID"], made["clientSecret"])
        yield made
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def run(demo, tmp_path):
    def run(name, **changes):
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONDONTWRITEBYTECODE": "1",
            "URL": demo["url"],
            "CLIENT_ID": demo["clientID"],
            "CLIENT_SECRET": demo["clientSecret"],
            "TENANT": demo["customers"][0]["id"],
        }
        return subprocess.run(
            COMMANDS[name], env=environment | changes, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def ask(demo, query, tenant):
    body = {"grant_type": "client_credentials"}
    credentials = (demo["clientID"], demo["clientSecret"])
    token = requests.post(demo["tokenURL"], auth=credentials, data=body, timeout=30).json()["access_token"]
    note_secret(token)
    headers = {"Authorization": f"Bearer {token}", "X-Tenant-Context": tenant}
    return requests.post(demo["graphqlURL"], json={"query": query}, headers=headers, timeout=30).json()["data"]


@pytest.mark.parametrize("name", COMMANDS)
def test_lists_makes_and_deletes_a_client_in_the_tenant(demo, run, name):
    tenant = demo["customers"][0]["id"]
    ran = run(name)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"^0 clients$", ran.stdout, re.M), ran.stdout
    made, deleted = (re.search(rf"^{word} (\S+)$", ran.stdout, re.M) for word in ("made", "deleted"))
    assert made and deleted and made[1] == deleted[1], ran.stdout
    assert "tgw_" not in ran.stdout + ran.stderr
    done = ask(demo, "{ auditLog(first: 2) { nodes { operation subject } } }", tenant)["auditLog"]["nodes"]
    assert [record["operation"] for record in done] == ["deleteClient", "createClient"]
    assert {record["subject"] for record in done} == {made[1]}


@pytest.mark.parametrize("name", COMMANDS)
def test_wrong_secret_is_an_error(run, name):
    ran = run(name, CLIENT_SECRET="tgw_wrong")
    assert ran.returncode != 0
    assert "made" not in ran.stdout
