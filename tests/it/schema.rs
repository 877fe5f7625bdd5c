//! The schema's text, and who may ask for it.

use serde_json::{Value, json};
use tenant_gateway::config::Introspection;
use tenant_gateway::roles::Role;

use crate::support::{TestApp, both_databases};

/// As the Taegis SDK asks: seven types deep, with everything deprecated.
const INTROSPECTION: &str = "query IntrospectionQuery {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType }
    directives { name description locations args(includeDeprecated: true) { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description
  fields(includeDeprecated: true) {
    name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason
  }
  inputFields(includeDeprecated: true) { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } }
}";

/// The arguments that the SDK always sends; any other that were required would break its calls.
const ALWAYS_SENT: &[&str] = &[
    "client.id",
    "tenant.id",
    "createClient.name",
    "rotateClientSecret.id",
    "forceRotateClientSecret.id",
    "appendClientRoles.id",
    "appendClientRoles.roles",
    "removeClientRoles.id",
    "removeClientRoles.roles",
    "deleteClient.id",
    "createTenant.newTenant",
    // Not of the SDK.
    "node.id",
    "nodes.ids",
    "updateClient.id",
    "updateClient.input",
    "retireClientSecret.id",
    "retireClientSecret.secretID",
    "createClientKey.id",
    "createClientKey.input",
    "deleteClientKey.id",
    "deleteClientKey.keyID",
    "addClientKey.id",
    "addClientKey.input",
    "removeClientKey.id",
    "removeClientKey.keyID",
    "updateTenant.tenantID",
    "updateTenant.tenantUpdate",
    "createDeepSecurityApiKey.input",
    "updateDeepSecurityApiKey.id",
    "updateDeepSecurityApiKey.input",
    "rotateDeepSecurityApiKeySecret.id",
    "deleteDeepSecurityApiKey.id",
    "generateDeepSecurityTenantApiKey.input",
    "createDeepSecurityPolicy.input",
    "updateDeepSecurityPolicy.id",
    "updateDeepSecurityPolicy.input",
    "deleteDeepSecurityPolicy.id",
    "updateDeepSecurityComputer.id",
    "updateDeepSecurityComputer.input",
    "deleteDeepSecurityComputer.id",
];

#[test]
fn the_file_is_what_the_binary_prints() {
    let file = include_str!("../../schema.graphql");
    assert!(file == tenant_gateway::schema::sdl(), "run: tenant-gateway schema > schema.graphql");
}

/// Fields about the legacy systems, which are no part of the Taegis contract.
fn is_beyond_the_sdk(field: &str) -> bool {
    let words = ["pstream", "linkTenant", "eepSecurity", "ntegrationServer", "VirtualMachine"];
    words.iter().any(|word| field.contains(word)) || field == "unlinkTenant"
}

#[test]
fn every_public_item_says_what_it_is() {
    let sdl = tenant_gateway::schema::sdl();
    let mut documented = false;
    let mut in_description = false;
    // The two that the library makes of every list have no text of ours.
    let of_library = |line: &str| line.contains("Connection {") || line.contains("Edge {");
    for line in sdl.lines().filter(|line| !of_library(line)) {
        if line.trim_start().starts_with("\"\"\"") {
            in_description = !in_description;
            documented = true;
            continue;
        }
        if in_description {
            continue;
        }
        let item = ["type ", "input ", "enum ", "union "].iter().any(|word| line.starts_with(word));
        let root = ["Query", "Mutation", "Subscription"]
            .iter()
            .any(|root| line.starts_with(&format!("type {root} ")));
        assert!(!item || documented || root, "{line}");
        documented = false;
    }
}

/// A root field that fails must not take its siblings' answers with it: one of them may be a secret
/// that is shown once.
#[test]
fn root_fields_are_nullable() {
    let sdl = tenant_gateway::schema::sdl();
    for root in ["Query", "Mutation"] {
        let fields =
            sdl.split(&format!("type {root} {{")).nth(1).unwrap().split("\n}").next().unwrap();
        // Arguments are indented further.
        let is_field = |line: &&str| {
            line.starts_with('\t') && !line.starts_with("\t\t") && line.contains("): ")
        };
        assert!(fields.lines().any(|line| is_field(&line)), "{root} has fields");
        for line in
            fields.lines().filter(|line| line.starts_with('\t') && !line.starts_with("\t\t"))
        {
            assert!(line.contains("\"\"\"") || !line.ends_with('!'), "{root}: {line}");
        }
    }
}

#[test]
fn scalars_name_their_specification() {
    let sdl = tenant_gateway::schema::sdl();
    for scalar in ["scalar DateTime @specifiedBy(url: ", "scalar JSON @specifiedBy(url: "] {
        assert!(sdl.contains(scalar), "{scalar}");
    }
}

both_databases! {
    async fn the_weakest_role_gets_the_whole_schema(app: TestApp) {
        let mut schemas = Vec::new();
        for (tenant, role) in [(app.world.north, Role::Responder), (app.world.partner, Role::Administrator)] {
            let caller = app.caller(tenant, role).await;
            schemas.push(caller.ask(INTROSPECTION, json!({})).await.field("__schema"));
        }
        assert_eq!(schemas[0], schemas[1], "the SDK keeps one schema for all tenants and roles");
        assert!(schemas[0]["types"].as_array().unwrap().iter().any(|kind| kind["name"] == "Client"));
    }

    async fn the_sdk_may_leave_out_what_it_leaves_out(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Auditor).await;
        let schema = caller.ask(INTROSPECTION, json!({})).await.field("__schema");
        let roots = schema["types"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|kind| kind["name"] == "Query" || kind["name"] == "Mutation");
        let fields = roots.flat_map(|root| root["fields"].as_array().unwrap());
        for field in fields.filter(|field| !is_beyond_the_sdk(field["name"].as_str().unwrap())) {
            for argument in field["args"].as_array().unwrap() {
                let place = format!("{}.{}", field["name"].as_str().unwrap(), argument["name"].as_str().unwrap());
                let required = argument["type"]["kind"] == "NON_NULL";
                assert!(
                    !required || ALWAYS_SENT.contains(&&*place),
                    "{place} is required and the SDK does not send it"
                );
                assert_eq!(
                    argument["defaultValue"],
                    Value::Null,
                    "{place}: an omitted variable does not fall back to a default"
                );
            }
        }
    }

    async fn introspection_can_be_turned_off(engine: Engine) {
        let app = TestApp::with(engine, |config| config.graphql.introspection = Introspection::Off).await;
        let administrator = app.administrator(app.world.north).await;
        for document in [
            INTROSPECTION,
            "{ __schema { queryType { name } } }",
            "{ __type(name: \"Client\") { name \
            } }",
        ] {
            let answer = administrator.ask(document, json!({})).await;
            let data = answer.body["data"].clone();
            let shown = ["__schema", "__type"].iter().any(|field| !data[*field].is_null());
            assert!(!shown && answer.body["errors"].is_array(), "{}", answer.body);
        }
        assert_eq!(
            administrator.ask("{ clients { __typename } }", json!({})).await.field("clients"),
            json!([{ "__typename": "Client" }])
        );
    }
}
