//! The schema document, and access to introspection.

use std::collections::HashSet;

use apollo_compiler::ast::DirectiveList;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Node, Schema};
use serde_json::{Value, json};
use tenant_gateway::config::Introspection;
use tenant_gateway::roles::Role;

use crate::support::{TestApp, both_databases};

/// The introspection query of the Taegis SDK: seven type levels deep, including deprecated items.
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
    name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef }
    isDeprecated deprecationReason
  }
  inputFields(includeDeprecated: true) { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated
deprecationReason }
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType {
  kind name ofType { kind name ofType { kind name } } } } } } }
}";

/// The arguments that the SDK always sends; any other required argument would break its calls.
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
    // Not used by the SDK.
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
fn schema_file_is_what_the_binary_prints() {
    let file = include_str!("../../schema.graphql");
    assert!(file == tenant_gateway::schema::sdl(), "run: tenant-gateway schema > schema.graphql");
}

/// Fields for legacy systems, identity providers, users and their sessions. The Taegis contract has
/// none of them under these names.
fn is_beyond_the_sdk(field: &str) -> bool {
    let words = [
        "pstream",
        "linkTenant",
        "eepSecurity",
        "ntegrationServer",
        "VirtualMachine",
        "dentityProvider",
        "Session",
    ];
    let of_users = field == "user" || (field.contains("User") && field != "currentTDRUser");
    of_users
        || words.iter().any(|word| field.contains(word))
        || ["unlinkTenant", "testLink", "userIdentity"].contains(&field)
}

fn schema() -> Schema {
    Schema::parse(tenant_gateway::schema::sdl(), "schema.graphql").expect("it is a schema")
}

type Described<'a> = (String, Option<&'a Node<str>>, Option<&'a DirectiveList>);

/// The types, fields, arguments, input fields and enum values that the gateway defines, with their
/// descriptions and directives.
fn items(schema: &Schema) -> Vec<Described<'_>> {
    let mut items =
        vec![("the schema".to_owned(), schema.schema_definition.description.as_ref(), None)];
    for (name, definition) in
        schema.types.iter().filter(|(_, definition)| !definition.is_built_in())
    {
        items.push((name.to_string(), definition.description(), None));
        let mut fields = Vec::new();
        match definition {
            ExtendedType::Object(of) => fields.extend(of.fields.values()),
            ExtendedType::Interface(of) => fields.extend(of.fields.values()),
            ExtendedType::Enum(of) => items.extend(of.values.iter().map(|(value, of)| {
                (format!("{name}.{value}"), of.description.as_ref(), Some(&of.directives))
            })),
            ExtendedType::InputObject(of) => items.extend(of.fields.iter().map(|(field, of)| {
                (format!("{name}.{field}"), of.description.as_ref(), Some(&of.directives))
            })),
            ExtendedType::Scalar(_) | ExtendedType::Union(_) => {}
        }
        for field in fields {
            let place = format!("{name}.{}", field.name);
            items.extend(field.arguments.iter().map(|of| {
                (format!("{place}({})", of.name), of.description.as_ref(), Some(&of.directives))
            }));
            items.push((place, field.description.as_ref(), Some(&field.directives)));
        }
    }
    items
}

#[test]
fn every_public_item_is_described_in_sentences() {
    let schema = schema();
    let items = items(&schema);
    assert!(items.len() > 900, "{}", items.len());
    for (place, description, _) in items {
        let description = description.unwrap_or_else(|| panic!("{place} has no description"));
        let begins = description.starts_with(|first: char| first.is_uppercase() || first == '`');
        assert!(begins && description.ends_with('.'), "{place}: {description}");
    }
}

/// Items that the Taegis contract itself deprecates stay as long as the contract has them.
const DEPRECATED_BY_CONTRACT: [&str; 6] = [
    "Client.",
    "ClientRoleAssignment.",
    "ClientRoleAssignmentInput.",
    "NewClient.",
    "TenantsQuery.",
    "Query.clients",
];

#[test]
fn deprecated_items_name_their_replacement_and_the_date_of_removal() {
    let schema = schema();
    let items = items(&schema);
    let places: HashSet<&str> = items.iter().map(|(place, ..)| &**place).collect();
    let mut count = 0;
    for (place, _, directives) in &items {
        let Some(deprecated) = directives.and_then(|all| all.get("deprecated")) else { continue };
        let reason =
            deprecated.specified_argument_by_name("reason").and_then(|reason| reason.as_str());
        let reason = reason.unwrap_or_else(|| panic!("{place} has no reason"));
        let is_of_contract = DEPRECATED_BY_CONTRACT.iter().any(|prefix| place.starts_with(prefix));
        let named = reason.strip_prefix("use ").unwrap_or_else(|| panic!("{place}: {reason}"));
        let replacement = match named.strip_suffix("; offered until 2027-12-31") {
            Some(replacement) => replacement,
            None if is_of_contract => named,
            None => panic!("{place}: {reason}"),
        };
        let sibling = format!("{}.{replacement}", place.split('.').next().unwrap());
        assert!(places.contains(&*sibling), "{place}: there is no {sibling}");
        count += 1;
    }
    assert!(count > 40, "{count}");
}

/// A failed root field must not null its siblings: one of them may be a secret that is shown once.
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
    async fn weakest_role_can_introspect_the_whole_schema(app: TestApp) {
        let mut schemas = Vec::new();
        for (tenant, role) in
            [(app.world.north, Role::Responder), (app.world.partner, Role::Administrator)]
        {
            let caller = app.caller(tenant, role).await;
            schemas.push(caller.ask(INTROSPECTION, json!({})).await.field("__schema"));
        }
        assert_eq!(schemas[0], schemas[1], "the SDK keeps one schema for all tenants and roles");
        assert!(
            schemas[0]["types"].as_array().unwrap().iter().any(|kind| kind["name"] == "Client")
        );
    }

    async fn introspection_describes_the_schema_and_its_interfaces(app: TestApp) {
        let caller = app.caller(app.world.north, Role::Responder).await;
        let document = "query($name: String!) { __schema { description queryType { name } }
            requestTenantContext { tenantIDs }
            __type(name: $name) { interfaces { name } possibleTypes { name } } none: __type(name:
            \"None\") { name } }";
        let answer = caller.ask(document, json!({ "name": "Node" })).await.data();
        assert!(
            answer["__schema"]["description"].as_str().unwrap().starts_with("Tenant Gateway: ")
        );
        assert_eq!(answer["__schema"]["queryType"], json!({ "name": "Query" }));
        assert_eq!(answer["requestTenantContext"], json!({ "tenantIDs": [app.world.north] }));
        assert_eq!(answer["__type"]["interfaces"], json!([]));
        assert!(
            answer["__type"]["possibleTypes"]
                .as_array()
                .unwrap()
                .contains(&json!({ "name": "Tenant" }))
        );
        assert_eq!(answer["none"], Value::Null);
    }

    async fn introspection_counts_towards_the_largest_response(engine: Engine) {
        let app = TestApp::with(engine, |config| config.limits.response = 64 * 1024).await;
        let caller = app.caller(app.world.north, Role::Auditor).await;
        assert_eq!(caller.ask(INTROSPECTION, json!({})).await.code(), "OPERATION_TOO_COSTLY");
        let small = caller.ask("{ __type(name: \"Role\") { name } }", json!({})).await;
        assert_eq!(small.field("__type"), json!({ "name": "Role" }));
    }

    async fn arguments_that_the_sdk_omits_are_optional(app: TestApp) {
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
                let place = format!(
                    "{}.{}",
                    field["name"].as_str().unwrap(),
                    argument["name"].as_str().unwrap()
                );
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

    async fn introspection_is_refused_when_turned_off(engine: Engine) {
        let app =
            TestApp::with(engine, |config| config.graphql.introspection = Introspection::Off).await;
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
