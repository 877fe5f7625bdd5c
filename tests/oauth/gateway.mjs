// Shared by the tests: the address of the gateway, the credentials, and requests.
import * as oauth from "oauth4webapi";

export const { ISSUER, ALGORITHM, CLIENT_ID, CLIENT_SECRET, TENANT, CUSTOMER } = process.env;
export const AUDIENCE = "tenant-gateway";
// Plain http on loopback.
export const options = { [oauth.allowInsecureRequests]: true };
export const client = { client_id: CLIENT_ID };
export const bySecret = oauth.ClientSecretBasic(CLIENT_SECRET);

export async function discovered(algorithm = "oauth2") {
  const issuer = new URL(ISSUER);
  const response = await oauth.discoveryRequest(issuer, { ...options, algorithm });
  return oauth.processDiscoveryResponse(issuer, response);
}

export async function granted(server, who = client, authentication = bySecret, parameters = {}) {
  const form = new URLSearchParams(parameters);
  const response = await oauth.clientCredentialsGrantRequest(server, who, authentication, form, options);
  return oauth.processClientCredentialsResponse(server, who, response);
}

export function presented(token) {
  return new Request(`${ISSUER}/graphql`, { headers: { authorization: `Bearer ${token}` } });
}

export async function ask(token, query, headers = {}) {
  const response = await fetch(`${ISSUER}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}`, ...headers },
    body: JSON.stringify({ query }),
  });
  return { status: response.status, ...(await response.json()) };
}
