"""Every program of examples/, and every command that the demo prints, run as a reader runs it, against the real binary."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from processes import demo_process, running_demo
from support import ROOT, note_pair, note_secret

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
    with running_demo("examples") as made:
        yield made


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
def test_works_with_clients_and_computers_of_the_tenant(demo, run, name):
    tenant = demo["customers"][0]["id"]
    ran = run(name)
    assert ran.returncode == 0, ran.stderr
    assert re.search(r"^0 clients$", ran.stdout, re.M), ran.stdout
    made, deleted = (re.search(rf"^{word} (\S+)$", ran.stdout, re.M) for word in ("made", "deleted"))
    assert made and deleted and made[1] == deleted[1], ran.stdout
    assert "tgw_" not in ran.stdout + ran.stderr
    assert re.findall(r"^  (\S+)  Ubuntu", ran.stdout, re.M) == [f"host-{n}.contoso-retail.example" for n in range(1, 6)]
    log = f'{{ auditLog(subject: "{made[1]}") {{ nodes {{ operation tenantID }} }} }}'
    done = ask(demo, log, tenant)["auditLog"]["nodes"]
    assert [record["operation"] for record in done] == ["deleteClient", "createClient"]
    assert {record["tenantID"] for record in done} == {tenant}


def test_watches_a_task_to_its_end(run):
    states = re.findall(r"^report: (\w+) ", run("urql").stdout, re.M)
    assert states[0] != "COMPLETED" and states[-1] == "COMPLETED"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_tenant_that_is_suspended_there_is_an_error(demo, run, name):
    ran = run(name, TENANT=demo["customers"][2]["id"])
    assert ran.returncode != 0
    assert "not active in Deep Security" in ran.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_wrong_secret_is_an_error(run, name):
    ran = run(name, CLIENT_SECRET="tgw_wrong")
    assert ran.returncode != 0
    assert "made" not in ran.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """One for several demos: the SDK caches tokens there, by the environment's name."""
    return tmp_path_factory.mktemp("home")


@pytest.mark.parametrize("demo_number", [1, 2])
def test_the_commands_of_each_demo_work_as_they_are_printed(home, demo_number):
    with demo_process("examples", "table") as process:
        # The last command ends with a quote on a line of its own.
        printed = "".join(iter(process.stdout.readline, "'\n")) + "'\n"
        note_pair(*(re.search(rf"{name} +(\S+)", printed)[1] for name in ("client_id", "client_secret")))
        customer = re.search(r"^  (\S+)  Contoso Retail$", printed, re.M)[1]
        commands = re.split(r"^\d\. .*:\n", printed, flags=re.M)[1:]
        script = "set -euo pipefail\n" + "\necho ----\n".join(commands)
        environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(home)}
        ran = subprocess.run(
            ["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert (ran.returncode, ran.stderr) == (0, "")
    token, of_customer, computers, watched, made = ran.stdout.split("----\n")
    assert not token.strip()
    nodes = json.loads(of_customer)["data"]["deepSecurity"]["computers"]["nodes"]
    assert [node["hostName"] for node in nodes] == [f"host-{n}.contoso-retail.example" for n in (1, 2, 3)]
    answer = json.loads(computers)
    found = [tenant["deepSecurity"]["computers"] is not None for tenant in answer["data"]["tenants"]["tenants"]]
    assert (found, len(answer["errors"])) == ([True, True, False], 1)
    events = [json.loads(line.removeprefix("data:")) for line in watched.splitlines() if line.startswith("data: {")]
    seen = [event["data"]["integrationServerTask"] for event in events if event.get("data")]
    assert seen[-1]["state"] == "COMPLETED" and seen[-1]["progress"] == 100
    between = {task["progress"] for task in seen if task["progress"] and 0 < task["progress"] < 100}
    assert len(between) >= 2, seen
    assert made.split()[1] == customer
