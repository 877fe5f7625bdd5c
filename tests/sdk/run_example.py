"""Runs one of the vendor's examples unchanged, against a gateway instead of the vendor: run_example.py URL FILE."""

import sys

from taegis_sdk_python._consts import TAEGIS_ENVIRONMENT_URLS, TAEGIS_TENANTS_URLS

from support import note_secret

url, path = sys.argv[1:]
for table in (TAEGIS_ENVIRONMENT_URLS, TAEGIS_TENANTS_URLS):
    for environment in list(table):
        table[environment] = url

with open(path) as file:
    code = compile(file.read(), path, "exec")
names = {"__name__": "__main__"}
exec(code, names)

# The examples do not print all secrets that they create.
note_secret(*(value.client_secret for value in names.values() if getattr(value, "client_secret", None)))
