//! The user that an account signs in as.

use serde_json::json;
use tenant_gateway::roles::Role;

use super::{Rig, set, signed_in};
use crate::support::both_databases;
use crate::support::browser::{Browser, enrol, invite};

const AUDITOR: &str = "ace1cae4-59fd-4fd1-9500-40077dc529a7";

both_databases! {
    async fn invited_person_signs_in_by_verified_address_and_then_by_subject(rig: Rig) {
        let ann = rig.invite("ann@north.example").await;
        let (browser, page) = rig.sign_in().await;
        assert_eq!(page.location(), "/account");
        assert_eq!(signed_in(&browser).await, Some(ann.clone()));
        // The address at the provider may change later, and need not be verified any more.
        rig.provider.script(|script| {
            script.email = Some("ann.married@elsewhere.example".to_owned());
            script.email_verified = false;
        });
        let (browser, _) = rig.sign_in().await;
        assert_eq!(signed_in(&browser).await, Some(ann));
    }

    async fn session_tells_the_methods_of_the_provider(rig: Rig) {
        rig.invite("ann@north.example").await;
        let (browser, _) = rig.sign_in().await;
        let answer = browser.graphql_as_page("{ currentSubject { id } }").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    async fn address_that_only_user_information_tells_is_enough(rig: Rig) {
        let ann = rig.invite("ann@north.example").await;
        rig.provider.script(|script| script.email_in_user_info = true);
        let (browser, _) = rig.sign_in().await;
        assert_eq!(signed_in(&browser).await, Some(ann));
        assert!(rig.provider.take_calls().contains(&"userinfo".to_owned()));
    }

    async fn provider_that_answers_another_subject_is_refused(rig: Rig) {
        rig.invite("ann@north.example").await;
        rig.sign_in().await;
        rig.provider.script(|script| script.subject = "subject-2".to_owned());
        let (browser, page) = rig.sign_in().await;
        assert_eq!((page.status, page.heading()), (403, "You are not signed in"));
        assert_eq!(signed_in(&browser).await, None);
        assert_eq!(rig.reasons().await, ["another_subject"]);
    }

    async fn account_without_a_user_is_refused(rig: Rig) {
        let (browser, page) = rig.sign_in().await;
        assert_eq!((page.status, signed_in(&browser).await), (403, None));
        rig.invite("ann@north.example").await;
        rig.provider.script(|script| script.email_verified = false);
        let (_, page) = rig.sign_in().await;
        assert_eq!(page.status, 403);
        rig.provider.script(|script| {
            script.email_verified = true;
            script.email = Some("ann@south.example".to_owned());
        });
        let (_, page) = rig.sign_in().await;
        assert_eq!(page.status, 403);
        let mut reasons = rig.reasons().await;
        reasons.sort();
        assert_eq!(reasons, ["email_domain", "email_not_verified", "user_unknown"]);
    }

    async fn account_of_another_tenants_person_is_not_found(rig: Rig) {
        let world = rig.app.world;
        let south = invite(
            &rig.app, world.south, Role::Auditor, "ann@north.example",
        );
        south.await;
        let (browser, page) = rig.sign_in().await;
        assert_eq!((page.status, signed_in(&browser).await), (403, None));
    }

    async fn new_account_gets_the_default_role(rig: Rig) {
        let fields = json!({ "defaultRole": AUDITOR });
        let changed = set(&rig.app, rig.app.world.north, &rig.provider, fields).await;
        changed.data();
        let (browser, page) = rig.sign_in().await;
        assert_eq!(page.location(), "/account");
        let id = signed_in(&browser).await.expect("a new user");
        let administrator = rig.app.administrator(rig.app.world.north).await;
        let document = "query($id: ID!) {
            user(id: $id) { email name roleAssignments { roleID } } }";
        let user = administrator.ask(document, json!({ "id": id })).await.field("user");
        assert_eq!(user["email"], "ann@north.example");
        assert_eq!(user["name"], "Ann North");
        assert_eq!(user["roleAssignments"], json!([{ "roleID": AUDITOR }]));
        // The same person again, not one more.
        let (again, _) = rig.sign_in().await;
        assert_eq!(signed_in(&again).await, Some(id));
    }

    async fn disabled_person_is_refused(rig: Rig) {
        let ann = rig.invite("ann@north.example").await;
        rig.sign_in().await;
        let administrator = rig.app.administrator(rig.app.world.north).await;
        let disable = "mutation($id: ID!) { disableUser(id: $id) { id } }";
        administrator.ask(disable, json!({ "id": ann })).await.data();
        let (browser, page) = rig.sign_in().await;
        assert_eq!((page.status, signed_in(&browser).await), (403, None));
    }

    async fn concurrent_first_sign_ins_make_one_user(rig: Rig) {
        let fields = json!({ "defaultRole": AUDITOR });
        set(&rig.app, rig.app.world.north, &rig.provider, fields).await.data();
        let node = rig.app.another_node_with(|config| {
            config.upstream.allow_private_addresses = true;
        })
        .await;
        let browsers = [Browser::new(&rig.app.gateway), Browser::new(&node.gateway)];
        let mut paths = Vec::new();
        for browser in &browsers {
            let location = browser.get(&rig.link).await.location().to_owned();
            paths.push(rig.provider.approve(&location));
        }
        tokio::join!(browsers[0].get(&paths[0]), browsers[1].get(&paths[1]));
        let first = signed_in(&browsers[0]).await;
        assert!(first.is_some() && first == signed_in(&browsers[1]).await);
    }

    async fn password_is_off_but_for_the_emergency_account(rig: Rig) {
        let north = rig.app.world.north;
        let administrator = rig.app.administrator(north).await;
        let remove = "mutation { removeIdentityProvider }";
        administrator.ask(remove, json!({})).await.data();
        let role = Role::Auditor;
        let (ann, _) =
            enrol(&rig.app, north, role, "ann@north.example").await;
        let (bob, _) =
            enrol(&rig.app, north, role, "bob@north.example").await;
        let fields = json!({ "emergencyUserID": bob.id });
        set(&rig.app, north, &rig.provider, fields).await.data();
        let browser = Browser::new(&rig.app.gateway);
        let page = browser.password(&ann, "").await;
        let wrong = [("email", &*ann.email), ("password", "another lantern, another harbour 8")];
        let refused = Browser::new(&rig.app.gateway).post("/login", &wrong).await;
        assert_eq!((page.status, page.heading()), (refused.status, refused.heading()));
        assert_eq!(signed_in(&browser).await, None);
        let browser = Browser::new(&rig.app.gateway);
        browser.sign_in(&rig.app, &bob, "").await;
        assert_eq!(signed_in(&browser).await, Some(bob.id.clone()));
    }
}
