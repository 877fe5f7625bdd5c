"""Callers behind HAProxy while nodes are killed, stopped and replaced."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from cluster import Load, running_cluster, running_simulator
from support import note_secret, wait_until

CREATE_TENANT = "mutation ($name: String!) { createTenant(newTenant: { name: $name }) { id } }"
CREATE_UPSTREAM = "mutation ($input: RegisterUpstreamInput!) { createUpstream(input: $input) { id } }"
LINK = "mutation ($input: LinkTenantInput!) { linkTenant(input: $input) { id } }"
COMPUTERS = "{ deepSecurity { computers(first: 10) { nodes { hostName } } } }"
CANCEL = "mutation ($id: ID!) { cancelIntegrationServerTask(id: $id) { id state } }"
BEGIN = "mutation { createIntegrationServerReport { id state } }"
WATCH = "subscription ($id: ID!) { integrationServerTask(id: $id) { id state progress } }"

# The default of upstream.task_poll_min.
POLL_MIN_MILLIS = 1_000


@pytest.fixture(scope="module")
def cluster():
    with running_cluster() as cluster:
        yield cluster


def acknowledged_but_missing(cluster, created):
    clients = {client["id"] for client in every_client(cluster)}
    return [client for client in created if client not in clients]


def every_client(cluster):
    query = "query ($page: Int!) { clients(page: $page, perPage: 100) { id } }"
    for page in itertools.count(1):
        clients = cluster.ask(query, {"page": page})["clients"]
        yield from clients
        if len(clients) < 100:
            return


def linked_tenant(cluster, name, system, base_url, credential, remote):
    tenant = cluster.ask(CREATE_TENANT, {"name": name})["createTenant"]["id"]
    new = {"name": name, "system": system, "baseURL": base_url, "credential": credential}
    upstream = cluster.ask(CREATE_UPSTREAM, {"input": new})["createUpstream"]["id"]
    link = {"tenantID": tenant, "upstreamID": upstream, "remoteTenantID": remote}
    cluster.ask(LINK, {"input": link})
    return tenant


def test_rolling_restart_fails_no_request(cluster):
    with Load(cluster) as load:
        load.run_on(100)
        for node in cluster.nodes:
            node.terminate()
            load.run_on(50)
            node.start()
            cluster.wait_until_all_serve()
        load.run_on(100)
    assert load.failures == []
    assert acknowledged_but_missing(cluster, load.created) == []


def test_killed_node_fails_only_what_was_on_its_connections(cluster):
    victim = cluster.nodes[0]
    with Load(cluster, callers=6) as load:
        load.run_on(100)
        victim.kill()
        load.run_on(200)
        failed = list(load.failures)
        load.run_on(100)
        # At most one request of each caller was in flight when the node died.
        assert len(failed) <= 6, failed
        assert load.failures == failed, "nothing fails once HAProxy knows"
        victim.start()
        cluster.wait_until_all_serve()
    assert acknowledged_but_missing(cluster, load.created) == []


def test_key_of_a_tenant_is_minted_once_for_all_nodes(cluster):
    with running_simulator("deep-security", "--tenants", "2", "--computers", "3") as manager:
        for tenant in manager["tenants"]:
            note_secret(tenant["secretKey"])
        credential = {"secretKey": manager["tenants"][0]["secretKey"]}
        tenant = linked_tenant(cluster, "Contoso", "DEEP_SECURITY", manager["baseURL"], credential, "1")
        nodes = [f"http://{node.address}" for node in cluster.nodes] * 4
        with ThreadPoolExecutor(len(nodes)) as callers:
            answers = list(callers.map(lambda url: cluster.ask(COMPUTERS, tenant=tenant, url=url), nodes))
        assert all(answer == answers[0] for answer in answers)
        calls = requests.get(manager["baseURL"].removesuffix("/api") + "/_control/calls", timeout=10).json()
        minted = [call for call in calls if call["method"] == "POST" and "/tenants/" in call["path"]]
        assert len(minted) == 1, [call["path"] for call in minted]


def follow(cluster, tenant, task, seen):
    """Reads events until the task has ended or the node closes the socket. Returns which of the two."""
    url = cluster.url.replace("http", "ws") + "/graphql"
    with connect(url, subprotocols=["graphql-transport-ws"], open_timeout=10) as socket:
        socket.send(json.dumps({
            "type": "connection_init",
            "payload": {"Authorization": f"Bearer {cluster.token}", "X-Tenant-Context": tenant},
        }))
        assert json.loads(socket.recv(timeout=10))["type"] == "connection_ack"
        socket.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": WATCH, "variables": {"id": task}}}))
        while True:
            try:
                message = json.loads(socket.recv(timeout=60))
            except ConnectionClosed:
                return False
            if message["type"] == "complete":
                return True
            if message["type"] == "next":
                seen.append(message["payload"]["data"]["integrationServerTask"])


def test_watch_of_a_task_goes_on_while_every_node_is_replaced(cluster):
    with running_simulator("integration-server", "--tenants", "1") as server:
        note_secret(server["password"])
        control = server["baseURL"] + "/_control"
        order = {"type": "CreateTenantReport", "fate": {"kind": "neverEnds"}, "times": 1}
        assert requests.post(f"{control}/tasks", json=order, timeout=10).status_code == 204
        credential = {"basic": {"userName": server["user"], "password": server["password"]}}
        remote = server["tenants"][0]["id"]
        tenant = linked_tenant(cluster, "Fabrikam", "INTEGRATION_SERVER", server["baseURL"], credential, remote)
        task = cluster.ask(BEGIN, tenant=tenant)["createIntegrationServerReport"]["id"]
        seen = []
        with ThreadPoolExecutor(1) as watcher:
            watching = watcher.submit(follow, cluster, tenant, task, seen)
            wait_until(lambda: seen, 30, "the first event")
            for node in cluster.nodes:
                node.terminate()
                node.start()
                cluster.wait_until_all_serve()
            assert watching.result(timeout=60) is False, "each node closed its sockets when it stopped"
            watching = watcher.submit(follow, cluster, tenant, task, seen)
            cluster.ask(CANCEL, {"id": task}, tenant=tenant)
            assert watching.result(timeout=60) is True
        assert seen[-1]["state"] == "CANCELED"
        assert {event["id"] for event in seen} == {task}
        polls = [call["at"] for call in requests.get(f"{control}/calls", timeout=10).json() if is_poll(call)]
        # One node at a time: only a node that takes the task over or cancels it polls at once.
        early = [later - earlier for earlier, later in zip(polls, polls[1:]) if later - earlier < POLL_MIN_MILLIS * 0.9]
        assert len(polls) >= 3
        assert len(early) <= len(cluster.nodes) + 2, early


def is_poll(call):
    return call["method"] == "GET" and "/tasks/" in call["path"]
