//! The permission to set the provider of a tenant, and the stored settings.

use serde_json::json;
use tenant_gateway::roles::Role;

use super::{CLIENT_ID, Rig, SET, input, provider_of, set, signed_in};
use crate::support::both_databases;
use crate::support::browser::{Browser, enrol, invite};
use crate::support::master_key::node_with_new_key_alone;

const ADMINISTRATOR: &str = "ba0fdcbd-e87d-4bdd-ae7d-ca6118b25068";

both_databases! {
    async fn secret_is_never_shown(rig: Rig) {
        let administrator = rig.app.administrator(rig.app.world.north).await;
        let document = "{ identityProvider { id issuer clientID domains enabled signInPath } }";
        let answer = administrator.ask(document, json!({})).await;
        let shown = answer.field("identityProvider");
        assert_eq!(shown["issuer"], rig.provider.issuer());
        let log = administrator.ask(
            "{ auditLog(first: 50) { edges { node { operation before after } } } }", json!({}),
        );
        let log = log.await.field("auditLog").to_string();
        assert!(log.contains("setIdentityProvider") && !log.contains(rig.provider.secret()));
    }

    async fn only_administrators_set_a_provider_and_only_in_their_own_tenants(rig: Rig) {
        let world = rig.app.world;
        let input = json!({ "input": input(&rig.provider, &json!({})) });
        for role in [Role::Analyst, Role::Responder, Role::Auditor] {
            let caller = rig.app.caller(world.north, role).await;
            assert_eq!(caller.ask(SET, input.clone()).await.code(), "FORBIDDEN");
        }
        let south = rig.app.administrator(world.south).await;
        let foreign = south.within(world.north).ask(SET, input.clone()).await;
        assert_eq!(foreign.code(), "FORBIDDEN");
        let read = "{ identityProvider { id } }";
        assert_eq!(south.ask(read, json!({})).await.field("identityProvider"), json!(null));
    }

    async fn provider_is_not_set_over_somebody_stronger(rig: Rig) {
        let world = rig.app.world;
        let (bob, _) = invite(&rig.app, world.north, Role::Auditor, "bob@north.example").await;
        let organization = rig.app.administrator(world.organization).await;
        let assign = "mutation($user: ID!, $tenant: ID!, $role: ID!) {
            assignUserRole(id: $user, role: { tenantID: $tenant, roleID: $role }) { id } }";
        let variables =
            json!({ "user": bob, "tenant": world.organization, "role": ADMINISTRATOR });
        organization.ask(assign, variables).await.data();
        let refused = set(&rig.app, world.north, &rig.provider, json!({})).await;
        assert_eq!(refused.code(), "FORBIDDEN");
        let input = json!({ "input": input(&rig.provider, &json!({})) });
        organization.within(world.north).ask(SET, input).await.data();
    }

    async fn last_administrator_does_not_shut_itself_out_with_a_provider(rig: Rig) {
        let south = rig.app.world.south;
        let (bob, browser) =
            enrol(&rig.app, south, Role::Administrator, "bob@south.example").await;
        let set = async |emergency: &str| {
            let document = format!(
                r#"mutation {{ setIdentityProvider(input: {{ issuer: "{}", clientID: "{}",
                clientSecret: "{}", domains: ["south.example"] {emergency} }}) {{ signInPath }} }}"#,
                rig.provider.issuer(),
                CLIENT_ID,
                rig.provider.secret(),
            );
            browser.graphql_as_page(&document).await
        };
        assert_eq!(set("").await.code(), "CONFLICT", "no password counts any longer");
        let set = set(&format!(r#"emergencyUserID: "{}""#, bob.id)).await;
        let set = set.field("setIdentityProvider");
        invite(&rig.app, south, Role::Administrator, "ann@south.example").await;
        rig.provider.script(|script| script.email = Some("ann@south.example".to_owned()));
        let ann = Browser::new(&rig.app.gateway);
        let location = ann.get(set["signInPath"].as_str().expect("a path")).await;
        ann.get(&rig.provider.approve(location.location())).await;
        let scope = rig.app.operator.scope(south);
        rig.app.operator.users.delete(&scope, &bob.id).await.unwrap();
        let removed = ann.graphql_as_page("mutation { removeIdentityProvider }").await;
        assert_eq!(removed.code(), "CONFLICT", "ann has no password");
    }

    async fn secret_is_kept_for_the_same_issuer_only(rig: Rig) {
        let world = rig.app.world;
        let other = provider_of(&rig.app).await;
        let kept = json!({ "clientSecret": null, "domains": ["north.example", "n.example"] });
        set(&rig.app, world.north, &rig.provider, kept.clone()).await.data();
        rig.invite("ann@north.example").await;
        assert!(signed_in(&rig.sign_in().await.0).await.is_some());
        let refused = set(&rig.app, world.north, &other, kept).await;
        assert_eq!(refused.code(), "BAD_USER_INPUT");
        assert!(refused.message().starts_with("clientSecret: "), "{}", refused.message());
    }

    async fn another_issuer_forgets_whose_accounts_were_whose(rig: Rig) {
        let ann = rig.invite("ann@north.example").await;
        rig.sign_in().await;
        let other = provider_of(&rig.app).await;
        other.script(|script| script.subject = "another subject".to_owned());
        set(&rig.app, rig.app.world.north, &other, json!({})).await.data();
        let browser = Browser::new(&rig.app.gateway);
        let location = browser.get(&rig.link).await.location().to_owned();
        browser.get(&other.approve(&location)).await;
        assert_eq!(signed_in(&browser).await, Some(ann));
    }

    async fn change_of_the_provider_ends_sign_ins_under_way(rig: Rig) {
        rig.invite("ann@north.example").await;
        let browser = Browser::new(&rig.app.gateway);
        let location = rig.depart(&browser).await;
        let callback = rig.provider.approve(&location);
        set(&rig.app, rig.app.world.north, &rig.provider, json!({})).await.data();
        assert_eq!(browser.get(&callback).await.status, 400);
    }

    async fn secret_is_resealed_when_the_master_key_changes(rig: Rig) {
        let ann = rig.invite("ann@north.example").await;
        let node = node_with_new_key_alone(&rig.app, |config| {
            config.upstream.allow_private_addresses = true;
        })
        .await;
        let browser = Browser::new(&node.gateway);
        let location = rig.depart(&browser).await;
        browser.get(&rig.provider.approve(&location)).await;
        assert_eq!(signed_in(&browser).await, Some(ann));
    }

    async fn emergency_user_is_one_of_the_tenant(rig: Rig) {
        let world = rig.app.world;
        let (foreign, _) = invite(&rig.app, world.south, Role::Auditor, "eve@south.example").await;
        for id in [foreign.as_str(), "6f0dd1c2-6d1a-4ef4-8f5e-1d2f7c0f3c11", "nobody"] {
            let fields = json!({ "emergencyUserID": id });
            let refused = set(&rig.app, world.north, &rig.provider, fields).await;
            let message = "emergencyUserID: must be a user of the tenant in context";
            assert_eq!((refused.code(), refused.message()), ("BAD_USER_INPUT", message));
        }
    }
}
