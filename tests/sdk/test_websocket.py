"""Subscriptions of the SDK: the older protocol, with the token and the tenant as subprotocols."""

import pytest

from processes import running_demo
from support import Credentials, refused

BEGIN = "createIntegrationServerReport"
WATCH = "integrationServerTask"


@pytest.fixture(scope="module")
def demo():
    """The gateway with an Integration Server behind it, whose tasks take seconds."""
    with running_demo("sdk-demo") as made:
        yield made


@pytest.fixture
def in_customer(sdk_at, demo):
    """The SDK in the context of one of the demo's customers."""
    administrator = Credentials(demo["clientID"], demo["clientSecret"], demo["tenantID"])

    def make(number):
        return sdk_at(demo["url"], administrator, demo["customers"][number]["id"])

    return make


def begin(service):
    return service.clients.execute_mutation(endpoint=BEGIN, output="id state", variables={})[BEGIN]


def watch(service, task):
    output = "id state progress result { ... on IntegrationServerReport { id } }"
    results = service.clients.execute_subscription(endpoint=WATCH, output=output, variables={"id": task["id"]})
    return [result[WATCH] for result in results]


def test_the_schema_comes_over_the_socket_too(root):
    assert root.clients.get_ws_schema().query_type.fields["clients"]


def test_a_tenant_is_chosen_by_subprotocol(root, tenant):
    with root(tenant_id=tenant):
        assert root.clients.get_ws_schema().query_type.fields["clients"]


def test_the_end_of_a_task_arrives(in_customer):
    service = in_customer(0)
    task = begin(service)
    events = watch(service, task)
    # The SDK drops the last event of every subscription, so the gateway sends the end twice.
    assert [event["state"] for event in events].count("COMPLETED") == 1
    assert events[0]["state"] != "COMPLETED"
    assert events[-1]["state"] == "COMPLETED"
    assert events[-1]["progress"] == 100
    assert events[-1]["result"]["id"]
    assert {event["id"] for event in events} == {task["id"]}


def test_a_task_that_has_ended_is_told_at_once(in_customer):
    service = in_customer(0)
    task = begin(service)
    watch(service, task)
    assert [event["state"] for event in watch(service, task)] == ["COMPLETED"]


def test_a_task_of_another_customer_is_not_found(in_customer):
    task = begin(in_customer(0))
    with refused("NOT_FOUND"):
        watch(in_customer(1), task)
