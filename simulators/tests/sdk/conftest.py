"""Fixtures: a simulator of its own for each test, and the SDK as a script of the vendor's would use it."""

import json
import os
import subprocess
from contextlib import contextmanager

import deepsecurity as api
import pytest
import requests

BINARY = os.environ["DEEP_SECURITY_SIMULATOR"]
VERSION = "v1"


class Simulator:
    """A running simulator, with the orders that a test can give it."""

    def __init__(self, introduction):
        self.url = introduction["baseURL"]
        self.primary, *self.customers = introduction["tenants"]

    def order(self, fault, times=1, **calls):
        self.control("POST", "faults", {"calls": calls, "fault": fault, "times": times})

    def advance(self, milliseconds):
        self.control("POST", "clock", {"advanceMillis": milliseconds})

    def count(self, method, path):
        calls = self.control("GET", "calls").json()
        return sum(call["method"] == method and call["path"] == path for call in calls)

    def control(self, method, path, body=None):
        answer = requests.request(method, self.url.replace("/api", f"/_control/{path}"), json=body, timeout=10)
        answer.raise_for_status()
        return answer


@contextmanager
def running(*arguments):
    process = subprocess.Popen([BINARY, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        yield Simulator(json.loads(process.stdout.readline()))
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def simulator():
    with running() as simulator:
        yield simulator


@pytest.fixture
def other_simulator():
    """One that answers the open questions of the reference the other way."""
    with running("25", "other") as simulator:
        yield simulator


def configured(simulator, secret):
    configuration = api.Configuration()
    configuration.host = simulator.url
    # All configurations share one dictionary, unless each is given its own.
    configuration.api_key = {"api-secret-key": secret}
    return configuration


def client(simulator, secret):
    """An ApiClient for that secret key."""
    return api.ApiClient(configured(simulator, secret))


@pytest.fixture
def configuration(simulator):
    """The primary tenant's, as the vendor's examples have it."""
    return configured(simulator, simulator.primary["secretKey"])


@pytest.fixture
def primary(configuration):
    return api.ApiClient(configuration)
