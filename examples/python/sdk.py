"""A tenant, its clients, one made and deleted, and its computers: with the Taegis SDK (pip install taegis-sdk-python).

Takes URL and TENANT (the id of a tenant) from the environment; the SDK takes CLIENT_ID and CLIENT_SECRET from there itself.
"""

import os

from taegis_sdk_python import GraphQLService

url = os.environ["URL"]
if url.startswith("http://127.0.0.1"):
    # Only on loopback, where nobody listens in.
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

# The SDK caches its token in ~/.taegis_sdk_python/config under the name of the environment: one name for each client keeps
# the token of another gateway out.
name = "GATEWAY_" + os.environ["CLIENT_ID"][:8]
service = GraphQLService(environment=name, environments={name: url}, tenant_id=os.environ["TENANT"])

found = service.clients.query.clients_search()
print(f"{found.total_count} clients")
for client in found.results:
    print(f"  {client.name}  {client.client_id}")

# The answer shows the secret of the new client, once: this is the place to put it into a vault.
made = service.clients.mutation.create_client(name="made with the SDK", roles=None)
print(f"made {made.client.id_}")

deleted = service.clients.mutation.delete_client(made.client.id_)
print(f"deleted {deleted.id_}")

# The same tenant at its Deep Security manager: the gateway knows which that is, and has a key for it. The SDK has no
# method for that; each of its services runs what it is given.
output = "computers(first: 5) { nodes { hostName platform } }"
answer = service.clients.execute_query("deepSecurity", output=output, variables={})
for computer in answer["deepSecurity"]["computers"]["nodes"]:
    print(f"  {computer['hostName']}  {computer['platform']}")
