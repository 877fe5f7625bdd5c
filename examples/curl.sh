#!/usr/bin/env bash
# A token, a tenant, its clients, one made and deleted, and its computers: with curl and jq.
# Takes URL, CLIENT_ID, CLIENT_SECRET and TENANT (the id of a tenant) from the environment.
set -euo pipefail
: "${URL:?}" "${CLIENT_ID:?}" "${CLIENT_SECRET:?}" "${TENANT:?}"

# Secrets go to curl through pipes: everybody on the machine can read the arguments of a program.
token=$(curl -sS --fail-with-body "$URL/oauth2/token" \
    --config <(printf 'user = "%s:%s"\n' "$CLIENT_ID" "$CLIENT_SECRET") \
    --data grant_type=client_credentials | jq --exit-status --raw-output .access_token)

# graphql QUERY [VARIABLES]: prints the data, or fails with the errors.
graphql() {
    jq --null-input --arg query "$1" --argjson variables "${2:-{\}}" '{$query, $variables}' |
        curl -sS "$URL/graphql" \
            --header @<(printf 'Authorization: Bearer %s\n' "$token") \
            --header "X-Tenant-Context: $TENANT" \
            --header 'Content-Type: application/json' \
            --data @- |
        jq 'if .errors then error(.errors[0].message) else .data end'
}

graphql '{ clientsSearch { totalCount results { name clientID } } }' |
    jq --raw-output '.clientsSearch | "\(.totalCount) clients", (.results[] | "  \(.name)  \(.clientID)")'

# The answer shows the secret of the new client, once: this is the place to put it into a vault.
made=$(graphql 'mutation ($name: String!) { createClient(name: $name) { clientSecret client { id name } } }' \
    '{ "name": "made with curl" }')
id=$(jq --raw-output .createClient.client.id <<<"$made")
echo "made $id"

graphql 'mutation ($id: ID!) { deleteClient(id: $id) { id } }' "$(jq --null-input --arg id "$id" '{$id}')" |
    jq --raw-output '"deleted \(.deleteClient.id)"'

# The same tenant at its Deep Security manager: the gateway knows which that is, and has a key for it.
graphql '{ deepSecurity { computers(first: 5) { nodes { hostName platform } } } }' |
    jq --raw-output '.deepSecurity.computers.nodes[] | "  \(.hostName)  \(.platform)"'
