"""Authlib as a client and as a resource server."""

import time
import uuid

import pytest
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6750.errors import InvalidTokenError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc import jwt
from joserfc.jwk import KeySet

from conftest import KEYS
from support import AUDITOR, note_secret


def session_of(credentials, method, **more):
    return OAuth2Session(credentials.client_id, credentials.secret, token_endpoint_auth_method=method, **more)


def fetched(session, metadata, **parameters):
    token = session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", **parameters)
    note_secret(token["access_token"])
    return token


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_client_credentials_by_secret(gateway, metadata, client, method):
    token = fetched(session_of(client, method), metadata)
    assert (token["token_type"], token["expires_in"], token["scope"]) == ("Bearer", 3600, "graphql")
    gateway.data(token["access_token"], "{ currentSubject { id } }")


def test_wrong_secret_is_invalid_client(metadata, client):
    wrong = OAuth2Session(client.client_id, client.secret[:-1] + "!", token_endpoint_auth_method="client_secret_basic")
    with pytest.raises(OAuthError) as caught:
        wrong.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
    assert caught.value.error == "invalid_client"


@pytest.fixture(params=["token_endpoint", "issuer"])
def audience(request, metadata):
    return metadata[request.param]


def test_client_credentials_by_key(gateway, metadata, keyed, audience):
    client, key, algorithm = keyed
    session = OAuth2Session(client.client_id, key, token_endpoint_auth_method="private_key_jwt")
    # Authlib gives an assertion an hour by default; the gateway takes five minutes at most.
    claims = {"exp": in_seconds(120)}
    session.register_client_auth_method(PrivateKeyJWT(audience, claims=claims, alg=algorithm))
    token = fetched(session, metadata)
    assert gateway.data(token["access_token"], "{ currentSubject { id } }")["currentSubject"]["id"] == client.id


def in_seconds(seconds):
    return int(time.time()) + seconds


def assertion(client_id, key, algorithm, audience, **changes):
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": audience,
        "exp": in_seconds(120),
        "iat": in_seconds(0),
        "jti": str(uuid.uuid4()),
    } | changes
    return jwt.encode({"alg": algorithm}, claims, key, algorithms=[algorithm])


def shown(metadata, signed, **more):
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form = {"grant_type": "client_credentials", "client_assertion_type": kind, "client_assertion": signed} | more
    return requests.post(metadata["token_endpoint"], data=form, timeout=30)


def test_an_assertion_is_good_once(metadata, keyed):
    client, key, algorithm = keyed
    signed = assertion(client.client_id, key, algorithm, metadata["issuer"])
    first, second = shown(metadata, signed), shown(metadata, signed)
    assert first.status_code == 200
    note_secret(first.json()["access_token"])
    assert (second.status_code, second.json()["error"]) == (401, "invalid_client")


def test_assertions_that_are_refused_are_refused_in_the_same_words(metadata, keyed):
    client, key, algorithm = keyed
    name, us = client.client_id, metadata["issuer"]
    refused = [
        assertion(name, KEYS[algorithm](), algorithm, us),
        assertion("nobody", key, algorithm, us),
        assertion(name, key, algorithm, "https://another.example"),
        assertion(name, key, algorithm, [us, "https://another.example"]),
        assertion(name, key, algorithm, us, iss="another"),
        assertion(name, key, algorithm, us, exp=in_seconds(-1)),
        assertion(name, key, algorithm, us, exp=in_seconds(3600)),
        assertion(name, key, algorithm, us, nbf=in_seconds(600)),
        assertion(name, key, algorithm, us, jti=""),
        assertion(name, key, algorithm, us)[:-4] + "AAAA",
        "rubbish",
    ]
    answers = {(answer.status_code, answer.text) for answer in (shown(metadata, signed) for signed in refused)}
    assert len(answers) == 1
    assert answers.pop()[0] == 401


def test_two_ways_at_once_are_refused(metadata, keyed):
    client, key, algorithm = keyed
    signed = assertion(client.client_id, key, algorithm, metadata["issuer"])
    answer = shown(metadata, signed, client_id=client.client_id, client_secret=client.secret)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


class ResourceServer(JWTBearerTokenValidator):
    """The validation of RFC 9068, section 4, by Authlib, which supports EdDSA only on request."""

    def __init__(self, metadata, audience):
        super().__init__(metadata["issuer"], audience)
        self.jwks_uri = metadata["jwks_uri"]

    def get_jwks(self):
        return KeySet.import_key_set(requests.get(self.jwks_uri, timeout=30).json())

    def read(self, token):
        claims = self.authenticate_token(token)
        claims.validate()
        return claims


def test_a_resource_server_reads_tokens(gateway, metadata, client):
    token = fetched(session_of(client, "client_secret_basic"), metadata)["access_token"]
    if gateway.algorithm == "EdDSA":
        # joserfc does not accept EdDSA by default, so the test verifies the signature directly.
        keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=30).json())
        claims = jwt.decode(token, keys, algorithms=["EdDSA"]).claims
    else:
        claims = ResourceServer(metadata, "tenant-gateway").read(token)
        with pytest.raises(Exception, match="aud"):
            ResourceServer(metadata, "another").read(token)
        with pytest.raises(InvalidTokenError):
            ResourceServer(metadata, "tenant-gateway").read(token[:-8] + "AAAAAAAA")
    assert (claims["iss"], claims["sub"], claims["client_id"]) == (metadata["issuer"], client.id, client.client_id)
    assert claims["tenant_id"] == client.tenant_id


def test_introspection_tells_of_a_live_token_and_of_nothing_else(gateway, metadata, client, new_client, new_tenant):
    session = session_of(client, "client_secret_basic")
    token = fetched(session, metadata)["access_token"]
    told = session.introspect_token(metadata["introspection_endpoint"], token=token).json()
    assert told["active"] is True
    assert (told["client_id"], told["sub"], told["token_type"]) == (client.client_id, client.id, "Bearer")
    stranger = session_of(new_client(tenant=new_tenant()), "client_secret_basic")
    nothing = stranger.introspect_token(metadata["introspection_endpoint"], token=token)
    assert nothing.json() == {"active": False}
    for rubbish in ("rubbish", token[:-8] + "AAAAAAAA", client.secret):
        answer = session.introspect_token(metadata["introspection_endpoint"], token=rubbish)
        assert (answer.status_code, answer.json()) == (200, {"active": False})
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_revoked_token_ends_at_once(gateway, metadata, client):
    session = session_of(client, "client_secret_post")
    token, other = (fetched(session, metadata)["access_token"] for _ in range(2))
    gateway.data(token, "{ currentSubject { id } }")
    answer = session.revoke_token(metadata["revocation_endpoint"], token=token, token_type_hint="access_token")
    assert answer.status_code == 200
    assert gateway.post(token, "{ currentSubject { id } }").status_code == 401
    told = session.introspect_token(metadata["introspection_endpoint"], token=token).json()
    assert told == {"active": False}
    gateway.data(other, "{ currentSubject { id } }")
    again = session.revoke_token(metadata["revocation_endpoint"], token=token)
    assert again.status_code == 200


def test_a_scope_narrows_and_never_widens(gateway, metadata, new_client):
    auditor = new_client(roles=[AUDITOR])
    session = session_of(auditor, "client_secret_basic", scope="clients:read")
    token = fetched(session, metadata)
    assert token["scope"] == "clients:read"
    gateway.data(token["access_token"], "{ clientsSearch { results { id } } }")
    with pytest.raises(OAuthError) as caught:
        fetched(session_of(auditor, "client_secret_basic", scope="clients:manage"), metadata)
    assert caught.value.error == "invalid_scope"
