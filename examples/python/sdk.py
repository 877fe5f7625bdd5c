"""A token, a tenant, its clients, a new one, and its end: with the Taegis SDK (pip install taegis-sdk-python).

Takes URL and TENANT (the id of a tenant) from the environment; the SDK takes CLIENT_ID and CLIENT_SECRET from there itself.
"""

import os

from taegis_sdk_python import GraphQLService

url = os.environ["URL"]
if url.startswith("http://127.0.0.1"):
    # Only on loopback, where nobody listens in.
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

# The SDK keeps its token in ~/.taegis_sdk_python/config, under the name of the environment.
service = GraphQLService(environment="GATEWAY", environments={"GATEWAY": url}, tenant_id=os.environ["TENANT"])

found = service.clients.query.clients_search()
print(f"{found.total_count} clients")
for client in found.results:
    print(f"  {client.name}  {client.client_id}")

# The answer shows the secret of the new client, once: this is the place to put it into a vault.
made = service.clients.mutation.create_client(name="made with the SDK", roles=None)
print(f"made {made.client.id_}")

deleted = service.clients.mutation.delete_client(made.client.id_)
print(f"deleted {deleted.id_}")
