//! Tokens narrowed to a tenant or a scope (RFC 8707, RFC 6749 section 3.3).

use serde_json::{Value, json};
use tenant_gateway::clients::Grant;
use tenant_gateway::ids::TenantId;
use tenant_gateway::roles::Role;

use super::asking::{ask_token, narrowed, part};
use crate::support::{Caller, TestApp, both_databases};

const CONTEXT: &str = "{ requestTenantContext { tenantIDs } }";

async fn within(caller: &Caller, tenant: TenantId) -> Caller {
    narrowed(caller, &[("tenant", &tenant.to_string())]).await
}

async fn context(caller: &Caller) -> Value {
    caller.ask(CONTEXT, json!({})).await.field("requestTenantContext")["tenantIDs"].clone()
}

async fn give(caller: &Caller, client: &str, tenant: TenantId, role: Role) -> String {
    let document = "mutation($id: ID!, $tenant: ID!, $role: ID!) {
        appendClientRoles(id: $id, roles: [{ tenantID: $tenant, roleID: $role }]) { id } }";
    let variables = json!({ "id": client, "tenant": tenant, "role": role.id() });
    let answer = caller.ask(document, variables).await;
    if answer.body.get("errors").is_some() { answer.code().to_owned() } else { "given".to_owned() }
}

async fn created(caller: &Caller, role: Role) -> String {
    let document =
        "mutation($role: ID!) { createClient(name: \"made\", roles: [$role]) { clientSecret } }";
    let answer = caller.ask(document, json!({ "role": role.id() })).await;
    if answer.body.get("errors").is_some() {
        answer.code().to_owned()
    } else {
        "created".to_owned()
    }
}

fn tenants_of(assignments: &Value, field: &str) -> Vec<String> {
    assignments
        .as_array()
        .unwrap()
        .iter()
        .map(|held| held[field].as_str().unwrap().to_owned())
        .collect()
}

both_databases! {
    async fn narrowed_token_is_valid_only_in_its_tenant(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let narrow = within(&partner, app.world.north).await;
        let claims = part(&narrow.token, 1);
        assert_eq!(
            (&claims["tenant_id"], &claims["tenant_only"]),
            (&json!(app.world.north), &json!(true))
        );
        assert_eq!(claims["https://missione/octolabs/io/tenantIds"], json!(app.world.north));
        assert_eq!(
            context(&narrow).await,
            json!([app.world.north]),
            "it is the context if no header names one"
        );
        assert_eq!(context(&narrow.within(app.world.north)).await, json!([app.world.north]));
        let mut refusals = Vec::new();
        for tenant in [
            app.world.partner,
            app.world.organization,
            app.world.south,
            app.world.stranger,
            app.world.top,
        ] {
            let answer = narrow.within(tenant).ask(CONTEXT, json!({})).await;
            assert_eq!((answer.status, answer.code()), (403, "FORBIDDEN"));
            refusals.push(answer.learnt());
        }
        refusals.push(
            narrow
                .within("00000000-0000-4000-8000-000000000000")
                .ask(CONTEXT, json!({}))
                .await
                .learnt(),
        );
        refusals.push(narrow.within("no tenant").ask(CONTEXT, json!({})).await.learnt());
        assert!(refusals.iter().all(|other| *other == refusals[0]), "{refusals:#?}");
        assert_eq!(
            partner.within(app.world.south).status().await,
            200,
            "the client's full token still reaches it"
        );
    }

    async fn tenant_header_does_not_widen_a_narrowed_token(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let narrow = within(&partner, app.world.organization).await;
        assert_eq!(narrow.within(app.world.north).status().await, 403);
        let tenants = narrow.ask("{ tenants { totalCount } }", json!({})).await.field("tenants");
        assert_eq!(tenants["totalCount"], 3, "descendants are visible from the tenant itself");
    }

    async fn narrowed_token_grants_nothing_above_or_beside_its_tenant(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let narrow = within(&partner, app.world.north).await;
        let robot = app.credentials(app.world.north, Role::Auditor).await;
        assert_eq!(give(&narrow, &robot.id, app.world.north, Role::Responder).await, "given");
        for tenant in [app.world.south, app.world.organization, app.world.partner] {
            assert_eq!(give(&narrow, &robot.id, tenant, Role::Auditor).await, "FORBIDDEN");
            let owner = json!({ "owner": tenant });
            let document = "mutation($owner: ID!) { createClient(name: \"x\", input: { \
                ownerTenantID: $owner }) { clientSecret } }";
            assert_eq!(narrow.ask(document, owner).await.code(), "FORBIDDEN");
        }
        // The robot now holds a role in a sibling tenant: a caller who rotates its secret could act
        // there.
        assert_eq!(give(&partner, &robot.id, app.world.south, Role::Auditor).await, "given");
        let rotate = "mutation($id: ID!) { rotateClientSecret(id: $id) { clientSecret } }";
        assert_eq!(narrow.ask(rotate, json!({ "id": robot.id })).await.code(), "FORBIDDEN");
        let roles = narrow
            .ask("{ tenants { tenants { id effectiveRoles { via } } } }", json!({}))
            .await
            .field("tenants");
        assert_eq!(
            roles["tenants"],
            json!([{ "id": app.world.north, "effectiveRoles": [{ "via": app.world.partner }] }])
        );
    }

    async fn narrowed_token_reads_no_role_that_it_does_not_reach(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let robot = app.caller(app.world.organization, Role::Auditor).await;
        for tenant in [app.world.partner, app.world.stranger, app.world.north, app.world.south] {
            let top = app.operator.scope(app.world.top);
            let grant = Grant { tenant: Some(tenant), role: Role::Auditor, expires_at: None };
            app.operator.clients.append_roles(&top, robot.id(), vec![grant]).await.unwrap();
        }
        let world = app.world;
        let cases = [
            (
                robot.clone(),
                vec![world.organization, world.partner, world.stranger, world.north, world.south],
            ),
            (
                within(&robot, world.organization).await,
                vec![world.organization, world.partner, world.north, world.south],
            ),
            (
                within(&robot, world.north).await,
                vec![world.organization, world.partner, world.north],
            ),
            (
                narrowed(&robot, &[("tenant", &world.north.to_string()), ("scope", "legacy:read")])
                    .await,
                vec![world.organization, world.partner, world.north],
            ),
            (
                narrowed(&robot, &[("scope", "legacy:read")]).await,
                vec![world.organization, world.partner],
            ),
            (
                narrowed(&robot, &[("scope", "clients:read")]).await,
                vec![world.organization, world.partner, world.stranger, world.north, world.south],
            ),
        ];
        for (caller, reached) in cases {
            let own = caller
                .ask(
                    "{ currentSubject { identity { ... on Client { roles \
                roleAssignments { tenantID } role_assignments { tenant_id } } } } }",
                    json!({}),
                )
                .await;
            let own = own.field("currentSubject")["identity"].clone();
            let mut held = tenants_of(&own["roleAssignments"], "tenantID");
            assert_eq!(held, tenants_of(&own["role_assignments"], "tenant_id"));
            let mut reached: Vec<String> = reached.iter().map(ToString::to_string).collect();
            held.sort();
            reached.sort();
            assert_eq!(held, reached);
            assert_eq!(own["roles"], json!(Role::Auditor.id()));
        }
        // Through another client the narrowed token sees no more either.
        let narrow = within(&partner, world.organization).await;
        for document in [
            "query($id: ID!) { shown: client(id: $id) { roleAssignments { tenantID } } }",
            "mutation($id: ID!) { shown: updateClient(id: $id, input: { name: \"x\" }) { \
            roleAssignments { tenantID } } }",
        ] {
            let answer = narrow.ask(document, json!({ "id": robot.id() })).await;
            assert!(
                !answer.body.to_string().contains(&world.stranger.to_string()),
                "{}",
                answer.body
            );
        }
        let listed = narrow
            .ask("{ clients { roleAssignments { tenantID } } }", json!({}))
            .await
            .field("clients");
        assert!(
            !listed.to_string().contains(&world.stranger.to_string())
                && listed.to_string().contains(&world.south.to_string())
        );
    }

    async fn filters_and_orders_reveal_no_role_beyond_a_narrowed_token(
        app: TestApp,
    ) {
        let administrator = app.administrator(app.world.partner).await;
        let robot = app.credentials(app.world.north, Role::Responder).await;
        assert_eq!(give(&administrator, &robot.id, app.world.south, Role::Auditor).await, "given");
        let document = "query($role: ID!) { clients(roleIDs: [$role]) { id } }";
        let found = async |caller: &Caller| {
            caller
                .within(app.world.north)
                .ask(document, json!({ "role": Role::Auditor.id() }))
                .await
                .field("clients")
        };
        assert_eq!(found(&administrator).await, json!([{ "id": robot.id }]));
        assert_eq!(found(&within(&administrator, app.world.north).await).await, json!([]));
    }

    async fn narrowed_token_reads_credentials_of_its_own_client_only_where_it_may_read_clients(
        app: TestApp,
    ) {
        let administrator = app.administrator(app.world.partner).await;
        let add = r#"mutation($id: ID!) { addClientKey(id: $id, input: { jwk: { kty: "OKP", crv:
            "Ed25519", x: "PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw" } }) { id } }"#;
        administrator.ask(add, json!({ "id": administrator.id() })).await.data();
        let north = app.world.north.to_string();
        let home = app.world.partner.to_string();
        let cases: &[(&[(&str, &str)], bool)] = &[
            (&[], true),
            (&[("scope", "clients:read")], true),
            (&[("scope", "legacy:read")], false),
            (&[("tenant", &home)], true),
            (&[("tenant", &home), ("scope", "legacy:read")], false),
            (&[("tenant", &north)], false),
            (&[("tenant", &north), ("scope", "clients:read")], false),
        ];
        let document = "{ currentSubject { id name identity { ... on Client { id name clientID
            tenantID enabled
            ownerTenantID secrets { lastFour lastUsedAt lastUsedFrom } rotation {
            oldSecretLastUsedAt }
            keys { thumbprint lastUsedAt } createdBy updatedBy tokenRequestTime tokenRequestCount
            token_request_time } } } }";
        for (parameters, whole) in cases {
            let caller = narrowed(&administrator, parameters).await;
            let subject = caller.ask(document, json!({})).await.field("currentSubject");
            let client = &subject["identity"];
            assert_eq!(
                (&subject["id"], &client["id"]),
                (&json!(administrator.id()), &json!(administrator.id()))
            );
            assert_eq!(client["clientID"], json!(administrator.credentials.client_id));
            let credentials = [&client["secrets"], &client["keys"]]
                .iter()
                .all(|list| !list.as_array().unwrap().is_empty());
            assert_eq!(credentials, *whole, "{parameters:?}");
            for field in [
                "tokenRequestTime",
                "token_request_time",
                "tokenRequestCount",
                "createdBy",
                "updatedBy",
            ] {
                assert_eq!(!client[field].is_null(), *whole, "{parameters:?} {field}");
            }
            let four =
                &administrator.credentials.secret[administrator.credentials.secret.len() - 4..];
            assert_eq!(
                subject.to_string().contains(&format!("\"{four}\"")),
                *whole,
                "{parameters:?}"
            );
        }
    }

    async fn empty_tenant_counts_as_left_out(app: TestApp) {
        let north = app.administrator(app.world.north).await;
        let whole = narrowed(&north, &[("tenant", "")]).await;
        assert_eq!(part(&whole.token, 1)["tenant_only"], Value::Null);
    }

    async fn unreachable_tenant_is_an_invalid_target(app: TestApp) {
        let north = app.administrator(app.world.north).await;
        let organization = app.administrator(app.world.organization).await;
        let closed = organization
            .ask("mutation { createTenant(newTenant: { name: \"Closed\" }) { id } }", json!({}))
            .await;
        let closed = closed.field("createTenant")["id"].as_str().unwrap().to_owned();
        let close = "mutation($id: ID!) { updateTenant(tenantID: $id, tenantUpdate: { enabled: \
            false }) { id } }";
        organization.ask(close, json!({ "id": closed })).await.data();
        let mut learnt = Vec::new();
        for (by, tenant) in [
            (&north, app.world.south.to_string()),
            (&north, app.world.organization.to_string()),
            (&north, "00000000-0000-4000-8000-000000000000".to_owned()),
            (&north, "no tenant".to_owned()),
            (&organization, closed),
        ] {
            let answer = ask_token(&app, &by.credentials, &[("tenant", &tenant)]).await;
            assert_eq!(
                (answer.status, &answer.body["error"]),
                (400, &json!("invalid_target")),
                "{tenant}"
            );
            learnt.push(answer.learnt());
        }
        assert!(learnt.iter().all(|other| *other == learnt[0]));
    }

    async fn narrowed_token_ends_with_its_role(app: TestApp) {
        let administrator = app.administrator(app.world.organization).await;
        let robot = app.caller(app.world.north, Role::Auditor).await;
        let narrow = within(&robot, app.world.north).await;
        assert_eq!(narrow.status().await, 200);
        let remove =
            "mutation($id: ID!, $role: ID!) { removeClientRoles(id: $id, roles: [$role]) { id } }";
        administrator
            .ask(remove, json!({ "id": robot.id(), "role": Role::Auditor.id() }))
            .await
            .data();
        assert_eq!(narrow.status().await, 403);
        let again =
            ask_token(&app, &robot.credentials, &[("tenant", &app.world.north.to_string())]).await;
        assert_eq!(again.body["error"], "invalid_target");
    }

    async fn scope_narrows_token_to_its_permissions(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let reader = narrowed(&administrator, &[("scope", "clients:read")]).await;
        assert_eq!(part(&reader.token, 1)["scope"], "clients:read");
        assert!(reader.ask("{ clients { id } }", json!({})).await.field("clients").is_array());
        assert_eq!(
            reader.ask("{ auditLog { nodes { id } } }", json!({})).await.code(),
            "FORBIDDEN"
        );
        assert_eq!(created(&reader, Role::Auditor).await, "FORBIDDEN");
        assert_eq!(
            reader
                .ask("{ authzAssignableRoles { id } }", json!({}))
                .await
                .field("authzAssignableRoles"),
            json!([])
        );
        let auditor = narrowed(&administrator, &[("scope", "audit:read legacy:read")]).await;
        assert!(
            auditor
                .ask("{ auditLog { nodes { id } } }", json!({}))
                .await
                .field("auditLog")
                .is_object()
        );
        assert_eq!(auditor.ask("{ clients { id } }", json!({})).await.code(), "FORBIDDEN");
    }

    async fn narrowed_token_cannot_assign_roles_beyond_its_scope(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let strong = app.credentials(app.world.north, Role::Responder).await;
        let few = narrowed(&administrator, &[("scope", "clients:read clients:manage")]).await;
        for role in Role::ALL {
            assert_eq!(
                created(&few, role).await,
                "FORBIDDEN",
                "{role} permits more than the token"
            );
        }
        // All that an auditor may do, who reads users too.
        let scope = "clients:read clients:manage users:read legacy:read";
        let more = narrowed(&administrator, &[("scope", scope)]).await;
        assert_eq!(created(&more, Role::Auditor).await, "created");
        assert_eq!(created(&more, Role::Analyst).await, "FORBIDDEN");
        assert_eq!(
            give(&more, &strong.id, app.world.north, Role::Administrator).await,
            "FORBIDDEN"
        );
        for field in
            ["rotateClientSecret(id: $id) { clientSecret }", "deleteClient(id: $id) { id }"]
        {
            let answer = more
                .ask(&format!("mutation($id: ID!) {{ {field} }}"), json!({ "id": strong.id }))
                .await;
            assert_eq!(answer.code(), "FORBIDDEN", "it holds more than the token: {field}");
        }
        // Not even its own client: the new secret would get a token without the narrowing.
        let own = more
            .ask(
                "mutation($id: ID!) { rotateClientSecret(id: $id) { clientSecret } }",
                json!({ "id": more.id() }),
            )
            .await;
        assert_eq!(own.code(), "FORBIDDEN");
    }

    async fn scope_never_widens(app: TestApp) {
        let auditor = app.caller(app.world.north, Role::Auditor).await;
        for scope in [
            "clients:manage",
            "clients:read clients:manage",
            "tenants:manage",
            "openid",
            "Clients:read",
            "clients:read,legacy:read",
        ] {
            let answer = ask_token(&app, &auditor.credentials, &[("scope", scope)]).await;
            assert_eq!(
                (answer.status, &answer.body["error"]),
                (400, &json!("invalid_scope")),
                "{scope}"
            );
        }
        for scope in ["graphql", "clients:read graphql", "", " "] {
            let answer = ask_token(&app, &auditor.credentials, &[("scope", scope)]).await;
            // A scope of spaces names no permission; it is not the same as an absent scope.
            if scope == " " {
                assert_eq!(answer.body["error"], "invalid_scope");
                continue;
            }
            assert_eq!(answer.body["scope"], "graphql");
        }
        assert_eq!(created(&auditor, Role::Auditor).await, "FORBIDDEN");
        let administrator = app.administrator(app.world.north).await;
        let append = "mutation($id: ID!, $role: ID!) { appendClientRoles(id: $id, roles: [{ \
            roleID: $role }]) { id } }";
        let narrow = narrowed(&auditor, &[("scope", "clients:read")]).await;
        administrator
            .ask(append, json!({ "id": auditor.id(), "role": Role::Administrator.id() }))
            .await
            .data();
        assert_eq!(
            created(&auditor, Role::Auditor).await,
            "created",
            "the whole token grows with its client"
        );
        assert_eq!(created(&narrow, Role::Auditor).await, "FORBIDDEN", "the narrowed one does not");
    }

    async fn scope_is_checked_in_requested_tenant(app: TestApp) {
        let robot = app.caller(app.world.north, Role::Administrator).await;
        let organization = app.administrator(app.world.organization).await;
        assert_eq!(give(&organization, robot.id(), app.world.south, Role::Auditor).await, "given");
        let ask = async |tenant: TenantId| {
            let parameters = [("tenant", &*tenant.to_string()), ("scope", "clients:manage")];
            ask_token(&app, &robot.credentials, &parameters).await.body["error"].clone()
        };
        assert_eq!(ask(app.world.north).await, Value::Null);
        assert_eq!(ask(app.world.south).await, "invalid_scope");
    }
}
