"""A token, a tenant, its clients, one made and deleted, and its computers: with gql (pip install 'gql[requests]').

Takes URL, CLIENT_ID, CLIENT_SECRET and TENANT (the id of a tenant) from the environment.
"""

import os

import requests
from gql import Client, gql
from gql.transport.requests import RequestsHTTPTransport

CLIENTS = gql("{ clientsSearch { totalCount results { name clientID } } }")
CREATE = gql("mutation ($name: String!) { createClient(name: $name) { clientSecret client { id name } } }")
COMPUTERS = gql("{ deepSecurity { computers(first: 5) { nodes { hostName platform } } } }")
DELETE = gql("mutation ($id: ID!) { deleteClient(id: $id) { id } }")


def token(url):
    answer = requests.post(
        f"{url}/oauth2/token",
        auth=(os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]),
        data={"grant_type": "client_credentials"},
        timeout=30,
    )
    answer.raise_for_status()
    return answer.json()["access_token"]


url = os.environ["URL"]
headers = {"Authorization": f"Bearer {token(url)}", "X-Tenant-Context": os.environ["TENANT"]}
client = Client(transport=RequestsHTTPTransport(f"{url}/graphql", headers=headers, timeout=30))


def execute(query, **variables):
    query.variable_values = variables
    return client.execute(query)


found = execute(CLIENTS)["clientsSearch"]
print(f"{found['totalCount']} clients")
for one in found["results"]:
    print(f"  {one['name']}  {one['clientID']}")

# The answer shows the secret of the new client, once: this is the place to put it into a vault.
made = execute(CREATE, name="made with gql")["createClient"]
print(f"made {made['client']['id']}")

deleted = execute(DELETE, id=made["client"]["id"])["deleteClient"]
print(f"deleted {deleted['id']}")

# The same tenant at its Deep Security manager: the gateway knows which that is, and has a key for it.
for computer in execute(COMPUTERS)["deepSecurity"]["computers"]["nodes"]:
    print(f"  {computer['hostName']}  {computer['platform']}")
