from taegis_sdk_python import GraphQLService
from pprint import pprint as pp

service = GraphQLService()

# service context let's you change out values per call!
with service(environment="US1", tenant_id="<tenant_id>"):
    results = service.clients.mutation.create_client(name="my_awesome_tenant_app", roles=None)

with service(environment="US1", tenant_id="<another_tenant_id>"):
    results2 = service.clients.mutation.create_client(name="my_awesome_another_tenant_app", roles=None)

print(f"CLIENT_ID: {results.client.client_id}")
print(f"CLIENT_SECRET: {results.client_secret}")
pp(results)
