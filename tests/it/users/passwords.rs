//! Passwords: one outcome for every cause of a refusal.

use std::time::{Duration, Instant};

use serde_json::json;
use tenant_gateway::roles::Role;
use tenant_gateway::users::PasswordOutcome;

use super::{Invitee, PASSWORD, invited, origin};
use crate::support::{TestApp, both_databases};

#[expect(clippy::disallowed_methods, reason = "measures")]
async fn outcome(app: &TestApp, email: &str, password: &str) -> (PasswordOutcome, Duration) {
    let begun = Instant::now();
    let outcome = app.operator.users.verify_password(email, password, &origin()).await.unwrap();
    (outcome, begun.elapsed())
}

async fn with_password(app: &TestApp) -> Invitee {
    let administrator = app.administrator(app.world.north).await;
    let invitee = invited(&administrator, &[Role::Auditor]).await;
    crate::support::notes::note(PASSWORD);
    app.operator.users.accept_invitation(&invitee.token, PASSWORD, &origin()).await.unwrap();
    invitee
}

both_databases! {
    async fn right_password_is_accepted_and_every_refusal_is_alike(app: TestApp) {
        let invitee = with_password(&app).await;
        let (accepted, _) = outcome(&app, &invitee.email.to_uppercase(), PASSWORD).await;
        let PasswordOutcome::Accepted(user) = accepted else { panic!("{accepted:?}") };
        assert_eq!(user.id().to_string(), invitee.id);

        let (wrong, wrong_took) = outcome(&app, &invitee.email, "violet harbour copper 72").await;
        let (unknown, unknown_took) = outcome(&app, "nobody@example.com", PASSWORD).await;
        let (impossible, impossible_took) = outcome(&app, &invitee.email, "short").await;
        let administrator = app.administrator(app.world.north).await;
        let disable = "mutation($id: ID!) { disableUser(id: $id) { enabled } }";
        administrator.ask(disable, json!({ "id": invitee.id })).await.data();
        let (disabled, disabled_took) = outcome(&app, &invitee.email, PASSWORD).await;
        for refused in [wrong, unknown, impossible, disabled] {
            assert!(matches!(refused, PasswordOutcome::Refused), "{refused:?}");
        }
        // All hash once; what they read besides takes a few milliseconds.
        for took in [unknown_took, impossible_took, disabled_took] {
            assert!(took * 4 > wrong_took, "{took:?} and {wrong_took:?}");
        }
    }

    async fn password_of_a_closed_tenant_is_refused(app: TestApp) {
        let invitee = with_password(&app).await;
        let above = app.administrator(app.world.organization).await;
        let close = "mutation($id: ID!) {
            updateTenant(tenantID: $id, tenantUpdate: { enabled: false }) { id } }";
        above.ask(close, json!({ "id": app.world.north })).await.data();
        let (refused, _) = outcome(&app, &invitee.email, PASSWORD).await;
        assert!(matches!(refused, PasswordOutcome::Refused), "{refused:?}");
    }

    async fn address_of_two_tenants_signs_in_to_the_one_with_the_password(app: TestApp) {
        let one = with_password(&app).await;
        let south = app.administrator(app.world.south).await;
        let document = "mutation($email: String!) {
            inviteUser(input: { email: $email, name: \"Ada\" }) { user { id } inviteURL } }";
        let made = south.ask(document, json!({ "email": one.email })).await.field("inviteUser");
        let (_, token) = made["inviteURL"].as_str().unwrap().split_once("/invite/").unwrap();
        let other = "granite sunset 58 piano";
        crate::support::notes::note(other);
        app.operator.users.accept_invitation(token, other, &origin()).await.unwrap();
        for (password, id) in [(PASSWORD, &json!(one.id)), (other, &made["user"]["id"])] {
            let (accepted, _) = outcome(&app, &one.email, password).await;
            let PasswordOutcome::Accepted(user) = accepted else { panic!("{accepted:?}") };
            assert_eq!(&json!(user.id()), id);
        }
    }
}
