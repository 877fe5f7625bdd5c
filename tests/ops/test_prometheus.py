"""A real Prometheus scrapes the real gateway, and fires the alerts of ops/prometheus."""

import json
import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from processes import end, running_gateway
from support import LOG_DIR, wait_until

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = os.environ.get("PROMETHEUS", "prometheus")
WAIT = 30


class Prometheus:
    def __init__(self, url):
        self.url = url

    def ask(self, path, **parameters):
        answer = requests.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=10).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def target(self):
        targets = self.ask("targets")["activeTargets"]
        return targets[0] if targets else {"health": "unknown"}

    def value(self, query):
        result = self.ask("query", query=query)["result"]
        return float(result[0]["value"][1]) if result else None

    def firing(self):
        return {alert["labels"]["alertname"]: alert for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"}


def rules_without_delay(folder):
    """The rules with `for: 0s`: the delays themselves are tested by promtool."""
    rules = (ROOT / "ops/prometheus/alerts.yaml").read_text()
    without, count = re.subn(r"(?m)^(\s+for:) .*$", r"\1 0s", rules)
    assert count == rules.count("- alert:"), "each rule has its delay"
    (folder / "alerts.yaml").write_text(without)


@contextmanager
def running_prometheus(folder, target):
    rules_without_delay(folder)
    # JSON is YAML.
    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["alerts.yaml"],
        "scrape_configs": [{"job_name": "tenant-gateway", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(settings))
    log = LOG_DIR / "ops-prometheus.log"
    command = [
        PROMETHEUS,
        f"--config.file={folder}/prometheus.yml",
        f"--storage.tsdb.path={folder}/data",
        "--web.listen-address=127.0.0.1:0",
    ]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        yield Prometheus(wait_until(lambda: address_of(process, log), WAIT, "the address of Prometheus"))
    finally:
        end(process)


def address_of(process, log):
    """The address of Prometheus, once it is ready: before, it listens and answers 503."""
    assert process.poll() is None, f"Prometheus ended with {process.returncode}; see {log}"
    found = re.search(r'msg="Listening on" address=(127\.0\.0\.1:\d+)', log.read_text())
    return f"http://{found[1]}" if found and requests.get(f"http://{found[1]}/-/ready", timeout=10).ok else None


def admin_address():
    for line in (LOG_DIR / "ops-sqlite.log").read_text().splitlines():
        record = json.loads(line)
        if admin := record.get("admin"):
            return admin
    raise AssertionError("no address of the admin listener in the log")


def evaluated(prometheus):
    """The rules, once each was evaluated."""
    rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    return rules if rules and all(rule["health"] != "unknown" for rule in rules) else None


@pytest.fixture
def data(tmp_path):
    (tmp_path / "gateway").mkdir(mode=0o700)
    (tmp_path / "prometheus").mkdir()
    return tmp_path


def test_prometheus_reads_every_figure_and_fires_the_alert_of_a_lost_database(data):
    settings = {"TENANT_GATEWAY__ADMIN__LISTEN": "127.0.0.1:0"}
    with running_gateway("sqlite", data / "gateway", suite="ops", settings=settings):
        target = admin_address()
        with running_prometheus(data / "prometheus", target) as prometheus:
            scrape_and_lose_the_database(prometheus, data / "gateway", target)


def scrape_and_lose_the_database(prometheus, folder, target):
    wait_until(lambda: prometheus.target()["health"] == "up", WAIT, "a scrape")
    assert prometheus.target()["lastError"] == ""
    assert wait_until(lambda: prometheus.value("tenant_gateway_database_up"), WAIT, "a sample") == 1
    assert prometheus.value('tenant_gateway_tasks{state="lost"}') == 0
    assert prometheus.value('tenant_gateway_tenant_keys{state="stray"}') == 0
    exposed = requests.get(f"http://{target}/metrics", timeout=10).text
    families = dict(re.findall(r"(?m)^# TYPE (\S+) (\S+)$", exposed))
    known = prometheus.ask("targets/metadata", limit=1000)
    # Prometheus names a counter without its suffix in metadata, as OpenMetrics does.
    assert {entry["metric"]: entry["type"] for entry in known} == families

    rules = wait_until(lambda: evaluated(prometheus), WAIT, "the evaluation of every rule")
    assert {rule["lastError"] for rule in rules if "lastError" in rule} <= {""}, rules
    assert prometheus.firing() == {}, "nothing fires for a healthy gateway"

    (folder / "tenant-gateway.db").unlink()
    alert = wait_until(lambda: prometheus.firing().get("TenantGatewayDatabaseDown"), WAIT, "the alert of the database")
    assert alert["labels"]["severity"] == "critical" and alert["labels"]["instance"] == target
    assert (ROOT / alert["annotations"]["runbook"]).is_file()
    assert "TenantGatewayDown" not in prometheus.firing(), "it still answers scrapes"


def test_prometheus_fires_the_alert_of_a_stopped_node(data):
    settings = {"TENANT_GATEWAY__ADMIN__LISTEN": "127.0.0.1:0"}
    with running_gateway("sqlite", data / "gateway", suite="ops", settings=settings):
        target = admin_address()
    with running_prometheus(data / "prometheus", target) as prometheus:
        alert = wait_until(lambda: prometheus.firing().get("TenantGatewayDown"), WAIT, "the alert of the node")
        assert alert["annotations"]["summary"] == f"{target} does not answer"
