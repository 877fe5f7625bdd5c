use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use super::integration_server;
use super::table::{MUTATIONS, NESTED, QUERIES, Row};
use crate::deep_security::Rig;
use crate::support::{Caller, TestApp, both_databases};

/// An id of no object.
const UNKNOWN: &str = "00000000-0000-4000-8000-000000000000";

fn rows() -> impl Iterator<Item = &'static Row> {
    QUERIES.iter().chain(MUTATIONS)
}

/// The objects of a tenant that mutations act on: the tenant, a client of the weakest role with an
/// older secret and a key, an unused upstream, and the link of a tenant below to another upstream. The
/// tenant has an identity provider.
async fn targets(app: &TestApp, administrator: &Caller, tenant: &str) -> Value {
    let administrator = administrator.within(tenant);
    let client = administrator.create("target", &[&Role::Auditor.id().to_string()]).await;
    app.advance(1);
    administrator.rotate(&client, 600).await;
    let secrets = administrator.client(&client.id, "{ secrets { id } }").await["secrets"].clone();
    let document = r#"mutation($id: ID!) { addClientKey(id: $id, input: { jwk: { kty: "OKP", crv:
        "Ed25519", x: "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw" } }) { keys { id } } }"#;
    let keyed = administrator.ask(document, json!({ "id": client.id })).await.field("addClientKey");
    let provider = r#"mutation { setIdentityProvider(input: { issuer: "https://id.invalid", clientID:
        "gateway", clientSecret: "secret of the gateway", domains: ["north.example"] }) { id } }"#;
    administrator.ask(provider, json!({})).await.data();
    let secret = &secrets[1]["id"];
    let key = &keyed["keys"][0]["id"];
    let (upstream, link, linked) = upstream_and_link(&administrator, tenant).await;
    let user = crate::users::invited(&administrator, &[Role::Auditor]).await;
    let session = crate::sessions::begun(app, &user.id).await;
    crate::single_sign_on::linked(app, &user.id).await;
    json!({
        "user": user.id,
        "session": session,
        "tenant": tenant,
        "client": client.id,
        "secret": secret,
        "key": key,
        "upstream": upstream,
        "link": link,
        "linked": linked,
    })
}

async fn upstream_and_link(administrator: &Caller, tenant: &str) -> (Value, Value, Value) {
    // Separate installations: a tenant of one installation is linked once, even if the installation
    // is registered twice.
    static NUMBERS: AtomicUsize = AtomicUsize::new(1);
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    let document = r#"mutation($tenant: ID!, $free: String!, $used: String!) {
        free: registerUpstream(input: { name: "free", system: INTEGRATION_SERVER, baseURL: $free,
            credential: { basic: { password: "free" } } }) { id }
        used: registerUpstream(input: { name: "used", system: DEEP_SECURITY, baseURL: $used,
            credential: { secretKey: "1:used" } }) { id }
        below: createTenant(newTenant: { name: "below", parentTenantID: $tenant }) { id }
    }"#;
    let free = format!("https://viis-{number}.example.com:7271");
    let used = format!("https://dsm-{number}.example.com:4119/api");
    let made = administrator
        .ask(document, json!({ "tenant": tenant, "free": free, "used": used }))
        .await
        .data();
    let document = "mutation($input: LinkTenantInput!) { linkTenant(input: $input) { id } }";
    let input = json!({
        "tenantID": made["below"]["id"],
        "upstreamID": made["used"]["id"],
        "remoteTenantID": "7",
    });
    let link = administrator.ask(document, json!({ "input": input })).await.field("linkTenant");
    (made["free"]["id"].clone(), link["id"].clone(), made["below"]["id"].clone())
}

/// The objects at a tenant's manager that mutations act on: a new policy, a new API key, and the
/// last computer.
async fn objects_of_manager(administrator: &Caller, variables: &mut Value) {
    static NUMBERS: AtomicUsize = AtomicUsize::new(1);
    let name = format!("made {}", NUMBERS.fetch_add(1, Ordering::Relaxed));
    let document = r#"mutation($name: String!) {
        policy: createDeepSecurityPolicy(input: { name: $name }) { id }
        key: createDeepSecurityApiKey(input: { keyName: $name, roleID: "2" }) { apiKey { id } }
    }"#;
    let made = administrator.ask(document, json!({ "name": name })).await.data();
    let computers =
        administrator.ask("{ deepSecurity { computers { nodes { id } } } }", json!({})).await;
    let computers =
        computers.field("deepSecurity")["computers"]["nodes"].as_array().unwrap().clone();
    variables["computer"] = computers.last().expect("a computer remains")["id"].clone();
    variables["policy"] = made["policy"]["id"].clone();
    variables["apiKey"] = made["key"]["apiKey"]["id"].clone();
    variables["name"] = json!(format!("{name} again"));
}

both_databases! {
    async fn every_field_has_an_expectation(app: TestApp) {
        let auditor = app.caller(app.world.north, Role::Auditor).await;
        let document = "{ __schema {
            queryType { fields(includeDeprecated: true) { name } }
            mutationType { fields(includeDeprecated: true) { name } }
            subscriptionType { fields(includeDeprecated: true) { name } }
            types { name kind fields(includeDeprecated: true) { name type { kind ofType { kind
            ofType { kind ofType { kind } } } } } }
        } }";
        let schema = auditor.ask(document, json!({})).await.field("__schema");
        for (kind, rows) in [
            ("queryType", [QUERIES, integration_server::QUERIES]),
            ("mutationType", [MUTATIONS, integration_server::MUTATIONS]),
            ("subscriptionType", [&[], integration_server::SUBSCRIPTIONS]),
        ] {
            let expected = rows.into_iter().flatten().map(|row| row.field.to_owned()).collect();
            assert_eq!(names(&schema[kind]["fields"]), expected, "{kind}");
        }
        let expected = NESTED.iter().map(|(field, _)| (*field).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(nested(&schema["types"]), expected);
    }

    async fn unrelated_tenants_learn_nothing(app: TestApp) {
        let variables = json!({
            "tenant": app.world.north,
            "client": UNKNOWN,
            "secret": UNKNOWN,
            "key": UNKNOWN,
            "upstream": UNKNOWN,
            "link": UNKNOWN,
            "user": UNKNOWN,
            "session": UNKNOWN,
            "linked": UNKNOWN,
        });
        for row in rows() {
            let answer = app.send(app.graphql(row.document, &variables)).await;
            assert_eq!((answer.status, answer.code()), (401, "UNAUTHENTICATED"), "{}", row.field);
        }
    }

    async fn each_role_has_the_permissions_of_the_table(rig: Rig) {
        let app = &rig.app;
        let administrator = app.administrator(app.world.partner).await;
        for role in Role::ALL {
            let caller = app.caller(app.world.north, role).await;
            for row in rows() {
                let mut variables =
                    targets(app, &administrator, &app.world.north.to_string()).await;
                if row.document.contains("DeepSecurity") {
                    objects_of_manager(&administrator.within(app.world.north), &mut variables)
                        .await;
                }
                let answer = caller.ask(row.document, variables).await;
                if row.allowed.contains(&role) {
                    assert!(!answer.field(row.field).is_null(), "{} as {role}", row.field);
                } else {
                    assert_eq!(
                        (answer.status, answer.code()),
                        (200, "FORBIDDEN"),
                        "{} as {role}",
                        row.field
                    );
                    assert_eq!(answer.body["errors"][0]["path"], json!([row.field]));
                }
            }
        }
    }

    async fn foreign_objects_look_like_unknown_ones(app: TestApp) {
        let stranger = app.administrator(app.world.stranger).await;
        let north = app.administrator(app.world.north).await;
        let south = app.administrator(app.world.south).await;
        let own = targets(&app, &north, &app.world.north.to_string()).await;
        let foreign = [
            targets(&app, &stranger, &app.world.stranger.to_string()).await,
            targets(&app, &south, &app.world.south.to_string()).await,
            // A tenant above the caller's own.
            json!({ "tenant": app.world.organization }),
        ];
        for row in rows() {
            let Some(object) = row.object else { continue };
            let ask = |id: &Value| {
                let mut variables = own.clone();
                variables[object] = id.clone();
                north.ask(row.document, variables)
            };
            let unknown = ask(&json!(UNKNOWN)).await;
            assert!(
                ["NOT_FOUND", "FORBIDDEN"].contains(&unknown.code()),
                "{}: {}",
                row.field,
                unknown.code()
            );
            assert_eq!(
                ask(&json!("no id of ours")).await.learnt(),
                unknown.learnt(),
                "{}",
                row.field
            );
            for foreign in &foreign {
                if foreign[object].is_string() {
                    assert_eq!(
                        ask(&foreign[object]).await.learnt(),
                        unknown.learnt(),
                        "{}",
                        row.field
                    );
                }
            }
        }
    }

    async fn lists_contain_no_rows_of_other_tenants(app: TestApp) {
        let north = app.administrator(app.world.north).await;
        app.administrator(app.world.stranger).await;
        app.administrator(app.world.organization).await;
        let clients = north
            .ask(
                "{ clients { tenantID } clientsSearch { totalCount totalUnfilteredCount } }",
                json!({}),
            )
            .await
            .data();
        assert_eq!(clients["clients"], json!([{ "tenantID": app.world.north }]));
        assert_eq!(clients["clientsSearch"], json!({ "totalCount": 1, "totalUnfilteredCount": 1 }));
        let widened = json!({ "tenants": [app.world.stranger, app.world.north, app.world.south] });
        let document = "query($tenants: [ID!]) { clients(tenantIDs: $tenants) { tenantID } }";
        assert_eq!(
            north.ask(document, widened).await.field("clients"),
            json!([{ "tenantID": app.world.north }])
        );
        let document = "{ tenants { totalCount tenants { id } } }";
        let tenants = north.ask(document, json!({})).await.field("tenants");
        assert_eq!(tenants, json!({ "totalCount": 1, "tenants": [{ "id": app.world.north }] }));
    }

    async fn caller_can_enter_tenants_below(app: TestApp) {
        let administrator = app.administrator(app.world.partner).await;
        for tenant in [app.world.partner, app.world.organization, app.world.north] {
            let context = administrator
                .within(tenant)
                .ask("{ requestTenantContext { tenantIDs } }", json!({}))
                .await;
            assert_eq!(context.field("requestTenantContext"), json!({ "tenantIDs": [tenant] }));
        }
        let target = targets(&app, &administrator, &app.world.north.to_string()).await;
        let from_above =
            administrator.client(target["client"].as_str().unwrap(), "{ tenantID }").await;
        assert_eq!(from_above, json!({ "tenantID": app.world.north }));
    }
}

fn names(fields: &Value) -> BTreeSet<String> {
    fields
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["name"].as_str().unwrap().to_owned())
        .collect()
}

/// The fields of objects below the root that return objects.
fn nested(types: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for object in types.as_array().unwrap() {
        let name = object["name"].as_str().unwrap();
        if object["kind"] != "OBJECT"
            || name.starts_with("__")
            || ["Query", "Mutation", "Subscription"].contains(&name)
        {
            continue;
        }
        for field in object["fields"].as_array().unwrap() {
            if ["OBJECT", "UNION", "INTERFACE"].contains(&named_kind(&field["type"])) {
                found.insert(format!("{name}.{}", field["name"].as_str().unwrap()));
            }
        }
    }
    found
}

/// The kind of a type without its list and non-null wrappers.
fn named_kind(of: &Value) -> &str {
    if of["ofType"].is_object() { named_kind(&of["ofType"]) } else { of["kind"].as_str().unwrap() }
}
