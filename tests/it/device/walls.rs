//! Tenant walls: people approve only for their own tenants, and programs learn of no tenant.

use serde_json::json;
use tenant_gateway::roles::Role;

use super::program::{ask, decide, error, poll, start};
use crate::oauth::asking::part;
use crate::support::browser::enrol;
use crate::support::{TestApp, both_databases};

const NOWHERE: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

both_databases! {
    async fn person_of_one_tenant_cannot_approve_for_another(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Administrator, "ana@north.example").await;
        let mut seen = Vec::new();
        let south = app.world.south.to_string();
        let above = app.world.organization.to_string();
        for tenant in [&*south, &*above, NOWHERE] {
            let codes = start(&app, &[("tenant", tenant)]).await;
            let page = browser.get(&format!("/device?user_code={}", codes.user)).await;
            assert!(!page.text.contains(tenant) && !page.text.contains("South"), "{}", page.text);
            let fields = [("user_code", &*codes.user), ("action", "approve")];
            let refused = browser.post("/device", &fields).await;
            seen.push((page.status, page.text, refused.status, refused.text));
            assert_eq!(error(&poll(&app, &codes).await), "authorization_pending");
        }
        assert_eq!(seen[0].0, 403);
        assert!(seen.iter().all(|pages| *pages == seen[0]), "{seen:#?}");
    }

    async fn program_is_told_the_same_for_every_tenant(app: TestApp) {
        let south = app.world.south.to_string();
        let mut members = Vec::new();
        for tenant in [&*south, NOWHERE] {
            let answer = ask(&app, &[("tenant", tenant)]).await;
            let names: Vec<_> = answer.body.as_object().unwrap().keys().cloned().collect();
            members.push((answer.status, names));
        }
        assert_eq!(members[0], members[1]);
    }

    async fn approved_tenant_is_the_only_one_of_the_token(app: TestApp) {
        let (_, browser) =
            enrol(&app, app.world.organization, Role::Administrator, "ana@org.example").await;
        let north = app.world.north.to_string();
        let codes = start(&app, &[("tenant", &*north), ("scope", "clients:read")]).await;
        let page = browser.get(&format!("/device?user_code={}", codes.user)).await;
        assert!(page.text.contains("North") && page.text.contains("read clients"), "{}", page.text);
        assert_eq!(decide(&browser, &codes, "approve").await, "Device connected");
        let granted = poll(&app, &codes).await;
        let token = granted.body["access_token"].as_str().unwrap().to_owned();
        let claims = part(&token, 1);
        assert_eq!((&claims["tenant_id"], &claims["tenant_only"]), (&json!(north), &json!(true)));
        let within = |tenant: String| {
            let request = app.graphql("{ currentSubject { id } }", &json!({})).bearer_auth(&token);
            request.header("x-tenant-context", tenant)
        };
        assert_eq!(app.send(within(north)).await.status, 200);
        assert_eq!(app.send(within(app.world.organization.to_string())).await.status, 403);
    }

    async fn scope_beyond_the_persons_roles_is_not_approved(app: TestApp) {
        let (_, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let codes = start(&app, &[("scope", "clients:manage")]).await;
        assert_eq!(browser.get(&format!("/device?user_code={}", codes.user)).await.status, 403);
        let fields = [("user_code", &*codes.user), ("action", "approve")];
        assert_eq!(browser.post("/device", &fields).await.status, 403);
        assert_eq!(error(&poll(&app, &codes).await), "authorization_pending");
    }

    async fn approval_dies_with_what_it_stood_on(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        for mutation in ["disableUser", "signOutUser"] {
            let email = format!("{mutation}@north.example").to_lowercase();
            let (person, browser) = enrol(&app, app.world.north, Role::Auditor, &email).await;
            let codes = start(&app, &[]).await;
            assert_eq!(decide(&browser, &codes, "approve").await, "Device connected");
            let document = format!("mutation($id: ID!) {{ {mutation}(id: $id) {{ id }} }}");
            administrator.ask(&document, json!({ "id": person.id })).await.data();
            assert_eq!(error(&poll(&app, &codes).await), "access_denied", "{mutation}");
        }
    }

    async fn approval_and_denial_are_recorded_with_the_person(app: TestApp) {
        let (ana, browser) = enrol(&app, app.world.north, Role::Auditor, "ana@north.example").await;
        let administrator = app.administrator(app.world.north).await;
        for (action, operation) in [("approve", "approveDevice"), ("deny", "denyDevice")] {
            let codes = start(&app, &[]).await;
            decide(&browser, &codes, action).await;
            let document = "query($operation: String) { auditLog(operation: $operation) {
                nodes { actor outcome } } }";
            let log = administrator.ask(document, json!({ "operation": operation })).await;
            let nodes = log.field("auditLog")["nodes"].clone();
            assert_eq!(nodes, json!([{ "actor": ana.id, "outcome": "SUCCEEDED" }]));
        }
    }
}
