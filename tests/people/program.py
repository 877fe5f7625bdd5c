"""A script with the vendor's SDK and no secret in hand: program.py URL NAME [TENANT].

The SDK prints a link for a person. Once they approve, the script makes a client and says who it was.
"""

import json
import sys
from configparser import ConfigParser
from pathlib import Path

from taegis_sdk_python import GraphQLService

url, name = sys.argv[1:3]
tenant = sys.argv[3] if len(sys.argv) > 3 else None
service = GraphQLService(environment="GATEWAY", environments={"GATEWAY": url}, tenant_id=tenant)
made = service.clients.mutation.create_client(name=name)
subject = service.subjects.query.current_subject()
person = service.users.query.current_tdruser()
config = ConfigParser()
config.read(Path.home() / ".taegis_sdk_python/config")
result = {
    "name": made.client.name,
    "tenantID": made.client.tenant_id,
    "clientSecret": made.client_secret,
    "subject": subject.id_,
    "email": person.email,
    "token": config["GATEWAY"]["access_token"],
}
print(json.dumps(result), flush=True)
