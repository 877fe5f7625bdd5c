//! One-time links.

use serde_json::json;
use tenant_gateway::error::ErrorCode;
use tenant_gateway::roles::Role;

use super::{PASSWORD, enrol, invited, origin, records};
use crate::support::{TestApp, both_databases, notes};

both_databases! {
    async fn one_of_many_uses_of_a_link_wins_over_nodes(app: TestApp) {
        notes::note(PASSWORD);
        let administrator = app.administrator(app.world.north).await;
        let invitee = invited(&administrator, &[]).await;
        let other = app.another_node().await;
        let uses = [&app, &other].map(|node| {
            let users = node.operator.users.clone();
            let token = invitee.token.clone();
            tokio::spawn(async move { users.accept_invitation(&token, PASSWORD, &origin()).await })
        });
        let mut outcomes = Vec::new();
        for done in uses {
            outcomes.push(done.await.unwrap().map_err(|error| error.code()));
        }
        let refused: Vec<_> = outcomes.iter().filter_map(|done| done.as_ref().err()).collect();
        assert_eq!(refused, [&ErrorCode::NotFound]);
        assert!(app.operator.users.invitation(&invitee.token).await.unwrap().is_none());
        let operations = records(&administrator, &invitee.id).await;
        let set = operations.iter().filter(|record| record["operation"] == "setPassword");
        assert_eq!(set.collect::<Vec<_>>(), [&json!({
            "operation": "setPassword", "outcome": "SUCCEEDED", "actor": invitee.id,
        })]);
    }

    async fn link_ends_with_its_time_and_with_the_next_one(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let first = invited(&administrator, &[]).await;
        let open = async |token: &str| app.operator.users.invitation(token).await.unwrap();
        let found = open(&first.token).await.unwrap();
        assert_eq!((found.tenant_name.as_str(), found.user.id()), ("North", first.user()));
        let again = "mutation($id: ID!) { inviteUserAgain(id: $id) { inviteURL } }";
        let again = administrator.ask(again, json!({ "id": first.id })).await;
        let again = again.field("inviteUserAgain")["inviteURL"].as_str().unwrap().to_owned();
        let (_, second) = again.split_once("/invite/").unwrap();
        assert!(open(&first.token).await.is_none() && open(second).await.is_some());
        app.advance(7 * 24 * 3600);
        assert!(open(second).await.is_none());
        assert!(open("tgw_rubbish").await.is_none());
    }

    async fn link_ends_when_the_address_changes(app: TestApp) {
        notes::note(PASSWORD);
        let administrator = app.administrator(app.world.north).await;
        let update = "mutation($id: ID!, $input: UpdateUserInput!) {
            updateUser(id: $id, input: $input) { invitedUntil } }";
        let change = async |id: &str, input: serde_json::Value| {
            let variables = json!({ "id": id, "input": input });
            administrator.ask(update, variables).await.field("updateUser")["invitedUntil"].clone()
        };
        let users = &app.operator.users;
        let invitee = invited(&administrator, &[]).await;
        let same = json!({ "name": "Countess", "email": invitee.email });
        assert_ne!(change(&invitee.id, same).await, json!(null), "the address is the same");
        let another = json!({ "email": "countess@example.com" });
        assert_eq!(change(&invitee.id, another).await, json!(null));
        assert!(users.invitation(&invitee.token).await.unwrap().is_none());
        let late = users.accept_invitation(&invitee.token, PASSWORD, &origin()).await;
        assert_eq!(late.unwrap_err().code(), ErrorCode::NotFound);

        let reset = "mutation($id: ID!) { resetUserPassword(id: $id) { inviteURL } }";
        let reset = administrator.ask(reset, json!({ "id": invitee.id })).await;
        let link = reset.field("resetUserPassword")["inviteURL"].as_str().unwrap().to_owned();
        let (_, token) = link.split_once("/invite/").unwrap();
        assert_eq!(change(&invitee.id, json!({ "email": "ada@example.com" })).await, json!(null));
        assert!(users.invitation(token).await.unwrap().is_none());
    }

    async fn easily_guessed_password_is_refused_and_leaves_the_link_open(app: TestApp) {
        let administrator = app.administrator(app.world.north).await;
        let invitee = invited(&administrator, &[]).await;
        for password in ["elevenchars", "password1234", "ada lovelace", &"x".repeat(129)] {
            let refused =
                app.operator.users.accept_invitation(&invitee.token, password, &origin()).await;
            let refused = refused.expect_err(password);
            assert_eq!(refused.code(), ErrorCode::BadUserInput, "{password}");
            assert!(!refused.message().contains(password));
        }
        assert!(app.operator.users.invitation(&invitee.token).await.unwrap().is_some());
    }

    async fn reset_of_second_factors_takes_the_password_too(app: TestApp) {
        notes::note(PASSWORD);
        let administrator = app.administrator(app.world.north).await;
        let invitee = invited(&administrator, &[Role::Auditor]).await;
        app.operator.users.accept_invitation(&invitee.token, PASSWORD, &origin()).await.unwrap();
        enrol(&app, invitee.user()).await;
        let fields = "query($id: ID!) { user(id: $id) { hasPassword hasTotp } }";
        let state = async || {
            administrator.ask(fields, json!({ "id": invitee.id })).await.field("user")
        };
        assert_eq!(state().await, json!({ "hasPassword": true, "hasTotp": true }));
        let reset = "mutation($id: ID!) { resetUserPassword(id: $id) { inviteURL } }";
        administrator.ask(reset, json!({ "id": invitee.id })).await.data();
        assert_eq!(state().await, json!({ "hasPassword": false, "hasTotp": true }));
        let reset = "mutation($id: ID!) { resetUserMfa(id: $id) { inviteURL } }";
        administrator.ask(reset, json!({ "id": invitee.id })).await.data();
        assert_eq!(state().await, json!({ "hasPassword": false, "hasTotp": false }));
        let left = app.operator.users.recovery_codes_left(invitee.user()).await.unwrap();
        assert_eq!(left, 0);
    }
}
