from taegis_sdk_python import GraphQLService

service = GraphQLService()
results = service.clients.query.clients(name="%docs-test-client%")
print(results)
