//! Passwords: one outcome for every cause of a refusal.

use std::time::{Duration, Instant};

use serde_json::json;
use tenant_gateway::names::Name;
use tenant_gateway::roles::Role;
use tenant_gateway::users::{EmailAddress, NewUser, PasswordOutcome, UserChange};

use super::{Invitee, PASSWORD, invited, invited_by_operator, origin};
use crate::support::{TestApp, both_databases, notes};

#[expect(clippy::disallowed_methods, reason = "measures")]
async fn outcome(app: &TestApp, email: &str, password: &str) -> (PasswordOutcome, Duration) {
    let begun = Instant::now();
    let outcome = app.operator.users.verify_password(email, password, &origin()).await.unwrap();
    (outcome, begun.elapsed())
}

async fn with_password(app: &TestApp) -> Invitee {
    let administrator = app.administrator(app.world.north).await;
    let invitee = invited(&administrator, &[Role::Auditor]).await;
    notes::note(PASSWORD);
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

    async fn address_of_many_tenants_signs_in_to_each(app: TestApp) {
        let users = &app.operator.users;
        let mut people = Vec::new();
        for number in 0..7 {
            let name = format!("Customer {number}");
            let tenant = app.operator.tenant(app.world.organization, &name, false).await;
            let new = NewUser {
                email: EmailAddress::read("ada@example.com").unwrap(),
                name: Name::parse("name", "Ada").unwrap(),
                roles: vec![Role::Auditor],
            };
            let made = users.invite(&app.operator.scope(tenant), &new).await.unwrap();
            let password = format!("granite sunset {number} piano");
            notes::note(&password);
            let token = made.token.expose().to_owned();
            notes::note(&token);
            users.accept_invitation(&token, &password, &origin()).await.unwrap();
            people.push((made.user.id(), password));
        }
        for (id, password) in people {
            let (accepted, _) = outcome(&app, "ada@example.com", &password).await;
            let PasswordOutcome::Accepted(user) = accepted else { panic!("{accepted:?}") };
            assert_eq!(user.id(), id);
        }
    }

    /// Few salts are tried for an address: users who had another one before come last.
    async fn users_who_take_over_an_address_push_nobody_out(app: TestApp) {
        let world = app.world;
        notes::note(PASSWORD);
        let users = &app.operator.users;
        let mut others = Vec::new();
        for tenant in [world.partner, world.organization, world.south, world.stranger] {
            let other = invited_by_operator(&app, tenant, &[]).await;
            users.accept_invitation(&other.token, PASSWORD, &origin()).await.unwrap();
            others.push((tenant, other));
        }
        app.advance(60);
        let victim = invited_by_operator(&app, world.north, &[]).await;
        let password = "granite sunset 58 piano";
        notes::note(password);
        users.accept_invitation(&victim.token, password, &origin()).await.unwrap();
        app.advance(60);
        for (tenant, other) in others {
            let email = Some(EmailAddress::read(&victim.email).unwrap());
            let change = UserChange { email, ..UserChange::default() };
            let scope = app.operator.scope(tenant);
            users.update(&scope, &other.id, "updateUser", change).await.unwrap();
        }
        let (accepted, _) = outcome(&app, &victim.email, password).await;
        assert!(matches!(accepted, PasswordOutcome::Accepted(_)), "{accepted:?}");
    }

    async fn refused_password_is_told_to_every_tenant_with_the_address(app: TestApp) {
        let world = app.world;
        for tenant in [world.north, world.south] {
            let new = NewUser {
                email: EmailAddress::read("ada@example.com").unwrap(),
                name: Name::parse("name", "Ada").unwrap(),
                roles: vec![Role::Auditor],
            };
            let made = app.operator.users.invite(&app.operator.scope(tenant), &new).await.unwrap();
            let token = made.token.expose().to_owned();
            notes::note(&token);
            app.operator.users.accept_invitation(&token, PASSWORD, &origin()).await.unwrap();
        }
        let (refused, _) = outcome(&app, "ada@example.com", "violet harbour copper 72").await;
        assert!(matches!(refused, PasswordOutcome::Refused), "{refused:?}");
        app.background_jobs.run_once().await.unwrap();
        for tenant in [world.north, world.south] {
            let administrator = app.administrator(tenant).await;
            let document = r#"{ auditLog(operation: "signIn") { edges { node { reason } } } }"#;
            let log = administrator.ask(document, json!({})).await.field("auditLog");
            assert_eq!(log["edges"][0]["node"]["reason"], "password_refused", "{log}");
        }
    }

    async fn address_of_two_tenants_signs_in_to_the_one_with_the_password(app: TestApp) {
        let one = with_password(&app).await;
        let south = app.administrator(app.world.south).await;
        let document = "mutation($email: String!) {
            inviteUser(input: { email: $email, name: \"Ada\" }) { user { id } inviteURL } }";
        let made = south.ask(document, json!({ "email": one.email })).await.field("inviteUser");
        let (_, token) = made["inviteURL"].as_str().unwrap().split_once("/invite/").unwrap();
        let other = "granite sunset 58 piano";
        notes::note(other);
        app.operator.users.accept_invitation(token, other, &origin()).await.unwrap();
        for (password, id) in [(PASSWORD, &json!(one.id)), (other, &made["user"]["id"])] {
            let (accepted, _) = outcome(&app, &one.email, password).await;
            let PasswordOutcome::Accepted(user) = accepted else { panic!("{accepted:?}") };
            assert_eq!(&json!(user.id()), id);
        }
    }
}
