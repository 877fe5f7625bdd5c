from taegis_sdk_python import GraphQLService
from pprint import pprint as pp

service = GraphQLService(environment="US1", tenant_id="<tenant_id>")

results = service.clients.mutation.create_client(name="my_awesome_app", roles=None)

print(f"CLIENT_ID: {results.client.client_id}")
print(f"CLIENT_SECRET: {results.client_secret}")
pp(results)
