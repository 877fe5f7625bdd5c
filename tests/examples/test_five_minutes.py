"""The chapter "Five minutes with the SDK", run as a reader runs it: in an empty folder, with the values that `init` printed."""

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from processes import end, free_port, is_ready
from support import BINARY, LOG_DIR, ROOT, note_pair, wait_until

# The build and the packages are there: the commands are only compared.
PREPARED = [
    "cargo build --release",
    'export PATH="$PWD/target/release:$PATH"',
    "python3 -m venv venv && venv/bin/pip install taegis-sdk-python",
]
FILLED_IN = ["export CLIENT_ID=… CLIENT_SECRET=…", "export CUSTOMER=…", "export OAUTHLIB_INSECURE_TRANSPORT=1"]
ADDRESS = "http://127.0.0.1:8080"


def blocks(page):
    chapter = re.split(r"^## ", (ROOT / page).read_text(), flags=re.M)
    [chapter] = [text for text in chapter if text.startswith("Five minutes with the SDK\n")]
    shell, program = (re.search(rf"```{language}\n(.*?)```", chapter, re.S)[1] for language in ("sh", "python"))
    commands = [re.sub(r"\s+#.*", "", line) for line in shell.splitlines()]
    return commands, program


@pytest.mark.parametrize("page", ["README.md", "docs/quick-start.md"])
def test_five_minutes_with_the_sdk_work_as_they_are_printed(page, tmp_path):
    commands, program = blocks(page)
    run, serve = [line for line in commands if line.startswith("tenant-gateway ")], "tenant-gateway serve &"
    assert run[-1] == serve
    assert commands == [*PREPARED[:2], *run, PREPARED[2], *FILLED_IN, "venv/bin/python"]
    url = f"http://127.0.0.1:{free_port()}"
    environment = {
        "PATH": f"{Path(BINARY).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TENANT_GATEWAY__SERVER__LISTEN": url.removeprefix("http://"),
        "TENANT_GATEWAY__ADMIN__LISTEN": "off",
    }

    def output_of(command, **variables):
        ran = subprocess.run(
            command, cwd=tmp_path, env=environment | variables, capture_output=True, text=True, timeout=60, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    printed = "".join(output_of(["bash", "-c", line]) for line in run[:-1])
    found = {name: re.search(rf"^{name} +(\S+)$", printed, re.M)[1] for name in ("clientID", "clientSecret", "id")}
    note_pair(found["clientID"], found["clientSecret"])
    with ExitStack() as stack:
        LOG_DIR.mkdir(parents=True, exist_ok=True)
        log = stack.enter_context((LOG_DIR / "examples-five-minutes.log").open("ab"))
        command = serve.removesuffix(" &").split()
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
        stack.callback(end, process)
        wait_until(lambda: is_ready(process, url), 30, "readiness")
        assert ADDRESS in program
        ran = output_of(
            [sys.executable, "-c", program.replace(ADDRESS, url)],
            CLIENT_ID=found["clientID"],
            CLIENT_SECRET=found["clientSecret"],
            CUSTOMER=found["id"],
            OAUTHLIB_INSECURE_TRANSPORT="1",
        )
    holder, made, listed = ran.splitlines()[:3]
    client_id, secret = made.split()
    note_pair(client_id, secret)
    assert holder == "administrator"
    assert "my_awesome_app" in listed and "my_awesome_tenant_app" in listed
