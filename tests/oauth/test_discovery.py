"""The gateway's metadata (RFC 8414), read by Authlib, and its keys (RFC 7517)."""

import requests
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from joserfc.jwk import KeySet

PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "k"}


def test_metadata_is_valid_and_the_same_at_both_paths(gateway, metadata):
    assert metadata["issuer"] == gateway.url
    AuthorizationServerMetadata(metadata).validate()
    for path in ("oauth-authorization-server", "openid-configuration"):
        answer = requests.get(f"{gateway.url}/.well-known/{path}", timeout=30)
        assert answer.json() == metadata
        assert answer.headers["Content-Type"].startswith("application/json")
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_every_endpoint_that_is_announced_is_there(metadata):
    for name in ("token_endpoint", "introspection_endpoint", "revocation_endpoint"):
        answer = requests.get(metadata[name], timeout=30)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
        answer = requests.post(metadata[name], data={"token": "rubbish"}, timeout=30)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
        assert answer.headers["Cache-Control"] == "no-store"
    device_code = "urn:ietf:params:oauth:grant-type:device_code"
    assert metadata["grant_types_supported"] == ["client_credentials", device_code]
    endpoint = metadata["device_authorization_endpoint"]
    assert requests.get(endpoint, timeout=30).headers["Allow"] == "POST"
    # Public clients: they name themselves without authentication.
    answer = requests.post(endpoint, data={"scope": "graphql"}, timeout=30)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    assert "authorization_endpoint" not in metadata and "registration_endpoint" not in metadata


def test_keys_are_public_and_may_be_kept_for_a_while(gateway, metadata):
    answer = requests.get(metadata["jwks_uri"], timeout=30)
    assert answer.headers["Cache-Control"] == "public, max-age=600"
    keys = answer.json()["keys"]
    assert [key["alg"] for key in keys] == [gateway.algorithm]
    for key in keys:
        assert key["use"] == "sig" and key["kid"] and not PRIVATE & key.keys()
    KeySet.import_key_set(answer.json())
