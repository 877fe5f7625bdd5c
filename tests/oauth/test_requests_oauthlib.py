"""requests-oauthlib, the library below the Taegis SDK."""

import pytest
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from support import note_secret


def session_of(credentials):
    return OAuth2Session(client=BackendApplicationClient(client_id=credentials.client_id))


def fetched(session, metadata, **how):
    token = session.fetch_token(metadata["token_endpoint"], **how)
    note_secret(token["access_token"])
    return token


def test_client_credentials_in_the_header(gateway, metadata, client):
    session = session_of(client)
    token = fetched(session, metadata, auth=HTTPBasicAuth(client.client_id, client.secret))
    assert token["expires_in"] == 3600
    # The session sends the token by itself.
    answer = session.post(f"{gateway.url}/graphql", json={"query": "{ currentSubject { id } }"})
    assert answer.json()["data"]["currentSubject"]["id"] == client.id


def test_client_credentials_in_the_form(metadata, client):
    fetched(session_of(client), metadata, client_secret=client.secret, include_client_id=True)


def test_a_tenant_narrows_the_token(gateway, metadata, new_client, new_tenant):
    client, tenant = new_client(), new_tenant()
    auth = HTTPBasicAuth(client.client_id, client.secret)
    token = fetched(session_of(client), metadata, auth=auth, tenant=tenant)["access_token"]
    there = gateway.data(token, "{ requestTenantContext { tenantIDs } }")
    assert there["requestTenantContext"]["tenantIDs"] == [tenant]
    assert gateway.post(token, "{ __typename }", **{"X-Tenant-Context": client.tenant_id}).status_code == 403


def test_a_wrong_secret_is_invalid_client(metadata, client):
    with pytest.raises(InvalidClientError):
        fetched(session_of(client), metadata, auth=HTTPBasicAuth(client.client_id, "wrong"))
