//! Links of users to accounts, as administrators see and remove them.

use serde_json::{Value, json};
use tenant_gateway::roles::Role;

use super::{CLIENT_ID, Rig, signed_in};
use crate::support::browser::{Browser, enrol, invite};
use crate::support::{Caller, both_databases};

const UNLINK: &str = "mutation($id: ID!) { unlinkUserIdentity(id: $id) { id email } }";
const LINK: &str = "query($id: ID!) { userIdentity(userID: $id) { issuer subject } }";

async fn link(administrator: &Caller, user: &str) -> Value {
    administrator.ask(LINK, json!({ "id": user })).await.field("userIdentity")
}

both_databases! {
    async fn unlinked_user_is_signed_out_and_found_by_address_anew(rig: Rig) {
        let administrator = rig.app.administrator(rig.app.world.north).await;
        let ann = rig.invite("ann@north.example").await;
        assert_eq!(link(&administrator, &ann).await, json!(null));
        let (browser, _) = rig.sign_in().await;
        let linked = link(&administrator, &ann).await;
        assert_eq!(linked["issuer"], rig.provider.issuer());
        let unlinked = administrator.ask(UNLINK, json!({ "id": ann })).await;
        let expected = json!({ "id": ann, "email": "ann@north.example" });
        assert_eq!(unlinked.field("unlinkUserIdentity"), expected);
        assert_eq!(signed_in(&browser).await, None, "its sessions are over");
        assert_eq!(link(&administrator, &ann).await, json!(null));
        rig.provider.script(|script| script.subject = "subject-2".to_owned());
        let (browser, _) = rig.sign_in().await;
        assert_eq!(signed_in(&browser).await, Some(ann.clone()), "by another account");
        assert_eq!(link(&administrator, &ann).await["subject"], "subject-2");
        let document = r#"{ auditLog(operation: "unlinkUserIdentity") {
            nodes { actor subject outcome before after } } }"#;
        let log = administrator.ask(document, json!({})).await.field("auditLog");
        assert_eq!(log["nodes"].as_array().unwrap().len(), 1);
        assert_eq!(log["nodes"][0]["subject"], json!(ann));
        assert!(log["nodes"][0]["before"].to_string().contains("issuer"), "{log}");
        assert_eq!(log["nodes"][0]["after"], json!(null));
    }

    async fn nobody_unlinks_strangers_or_the_stronger(rig: Rig) {
        let world = rig.app.world;
        let ann = rig.invite("ann@north.example").await;
        rig.sign_in().await;
        let unlink = async |caller: &Caller, id: &str| {
            caller.ask(UNLINK, json!({ "id": id })).await.code().to_owned()
        };
        for role in [Role::Analyst, Role::Responder, Role::Auditor] {
            let caller = rig.app.caller(world.north, role).await;
            assert_eq!(unlink(&caller, &ann).await, "FORBIDDEN");
        }
        let south = rig.app.administrator(world.south).await;
        assert_eq!(unlink(&south, &ann).await, "NOT_FOUND");
        let north = rig.app.administrator(world.north).await;
        let (bob, _) = invite(&rig.app, world.north, Role::Auditor, "bob@north.example").await;
        assert_eq!(unlink(&north, &bob).await, "NOT_FOUND", "bob has no account");
        let organization = rig.app.administrator(world.organization).await;
        let assign = "mutation($user: ID!, $tenant: ID!, $role: ID!) {
            assignUserRole(id: $user, role: { tenantID: $tenant, roleID: $role }) { id } }";
        let role = Role::Administrator.id();
        let variables = json!({ "user": ann, "tenant": world.organization, "role": role });
        organization.ask(assign, variables).await.data();
        assert_eq!(unlink(&north, &ann).await, "FORBIDDEN", "ann may do more");
        assert_ne!(link(&north, &ann).await, json!(null));
    }

    async fn last_administrator_is_not_unlinked(rig: Rig) {
        let south = rig.app.world.south;
        let (bob, browser) =
            enrol(&rig.app, south, Role::Administrator, "bob@south.example").await;
        let set = format!(
            r#"mutation {{ setIdentityProvider(input: {{ issuer: "{}", clientID: "{}",
            clientSecret: "{}", domains: ["south.example"], emergencyUserID: "{}" }}) {{
            signInPath }} }}"#,
            rig.provider.issuer(), CLIENT_ID, rig.provider.secret(), bob.id,
        );
        let set = browser.graphql_as_page(&set).await.field("setIdentityProvider");
        let (ann, _) =
            invite(&rig.app, south, Role::Administrator, "ann@south.example").await;
        rig.provider.script(|script| script.email = Some("ann@south.example".to_owned()));
        let browser = Browser::new(&rig.app.gateway);
        let location = browser.get(set["signInPath"].as_str().expect("a path")).await;
        browser.get(&rig.provider.approve(location.location())).await;
        let scope = rig.app.operator.scope(south);
        rig.app.operator.users.delete(&scope, &bob.id).await.unwrap();
        let unlink = format!(r#"mutation {{ unlinkUserIdentity(id: "{ann}") {{ id }} }}"#);
        assert_eq!(browser.graphql_as_page(&unlink).await.code(), "CONFLICT");
        assert_eq!(signed_in(&browser).await, Some(ann));
    }
}
