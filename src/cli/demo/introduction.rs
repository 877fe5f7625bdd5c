//! The text that `demo` prints for a person: where it listens, and commands to try.

use serde_json::Value;

/// The text about what `demo` created.
pub(super) fn introduction(made: &Value) -> String {
    format!("{}{}", addresses(made), commands(made))
}

fn text<'a>(made: &'a Value, key: &str) -> &'a str {
    made[key].as_str().unwrap_or_default()
}

fn addresses(made: &Value) -> String {
    let url = text(made, "url");
    let id = text(made, "clientID");
    let secret = text(made, "clientSecret");
    let customers = made["customers"].as_array().into_iter().flatten();
    let customers: String = customers
        .map(|customer| format!("  {}  {}\n", text(customer, "id"), text(customer, "name")))
        .collect();
    let partner = text(made, "tenantID");
    let deep_security = text(made, "deepSecurityURL");
    let integration_server = text(made, "integrationServerURL");
    let playground = made["playgroundURL"].as_str().unwrap_or("not in this build");
    format!(
        r"
Tenant Gateway is running on a database that disappears with it. Ctrl-C ends it; each request logs a line here.
Open the playground in a browser, or paste the commands into a second terminal.

  GraphQL             {url}/graphql
  Token endpoint      {url}/oauth2/token
  Playground          {playground}
  Deep Security       {deep_security} (a stand-in; one customer is suspended there)
  Integration Server  {integration_server} (a stand-in; it knows two of the customers)
  client_id           {id}
  client_secret       {secret}

  {partner}  Partner
{customers}
"
    )
}

fn commands(made: &Value) -> String {
    let url = text(made, "url");
    let id = text(made, "clientID");
    let secret = text(made, "clientSecret");
    let first = text(&made["customers"][0], "id");
    let environment = format!("DEMO_{}", &id[..id.len().min(8)]);
    format!(
        r#"1. Get a token:

  TOKEN=$(curl -sS -u '{id}:{secret}' -d grant_type=client_credentials {url}/oauth2/token | sed 's/.*"access_token":"\([^"]*\)".*/\1/')

2. List computers of a customer; the header chooses the tenant:

  curl -sS -w '\n' {url}/graphql -H "Authorization: Bearer $TOKEN" -H 'X-Tenant-Context: {first}' \
    -H 'Content-Type: application/json' -d '{{"query":"{{ deepSecurity {{ computers(first: 3) {{ nodes {{ hostName platform }} }} }} }}"}}'

3. See the computers of every customer at once; one of them is suspended at its Deep Security manager, and says so:

  curl -sS -w '\n' {url}/graphql -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
    -d '{{"query":"{{ tenants(tenantsQuery: {{ isOrganization: true }}) {{ tenants {{ name deepSecurity {{ computers(first: 3) {{ nodes {{ hostName intrusionPrevention {{ state }} }} }} }} }} }} }}"}}'

4. Let the Integration Server report on a customer, which takes a few seconds, and watch it:

  TASK=$(curl -sS {url}/graphql -H "Authorization: Bearer $TOKEN" -H 'X-Tenant-Context: {first}' \
    -H 'Content-Type: application/json' -d '{{"query":"mutation {{ createIntegrationServerReport {{ id }} }}"}}' | sed 's/.*"id":"\([^"]*\)".*/\1/')
  curl -sSN {url}/graphql -H "Authorization: Bearer $TOKEN" -H 'X-Tenant-Context: {first}' \
    -H 'Content-Type: application/json' -H 'Accept: text/event-stream' \
    -d '{{"query":"subscription ($id: ID!) {{ integrationServerTask(id: $id) {{ state progress stage }} }}","variables":{{"id":"'$TASK'"}}}}'

5. Make a client for a customer with the Taegis SDK (pip install taegis-sdk-python), which caches tokens by the environment's name:

  CLIENT_ID='{id}' CLIENT_SECRET='{secret}' OAUTHLIB_INSECURE_TRANSPORT=1 python3 -c '
from taegis_sdk_python import GraphQLService
service = GraphQLService(environment="{environment}", environments={{"{environment}": "{url}"}}, tenant_id="{first}")
made = service.clients.mutation.create_client(name="my_awesome_app", roles=None)
print(made.client.client_id, made.client.tenant_id)
'

"#
    )
}
