from taegis_sdk_python import GraphQLService
service = GraphQLService()
print(service.access_token)
