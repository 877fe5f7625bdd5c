//! Users of several tenants with one address: none of them helps with guesses at another, or tells
//! that there is another.

use serde_json::json;
use tenant_gateway::ids::TenantId;
use tenant_gateway::names::Name;
use tenant_gateway::users::{EmailAddress, NewUser, PasswordOutcome, SignInOrigin};

use super::{PASSWORD, invited_by_operator, origin, origin_at};
use crate::support::{TestApp, both_databases, notes};

/// The password of a namesake.
const OTHER_PASSWORD: &str = "granite sunset 58 piano";

const WRONG: &str = "no password of anybody";

/// A person of north who has [`PASSWORD`]. Returns their address.
async fn person(app: &TestApp, from: &SignInOrigin) -> String {
    let invitee = invited_by_operator(app, app.world.north, &[]).await;
    notes::note(PASSWORD);
    app.operator.users.accept_invitation(&invitee.token, PASSWORD, from).await.unwrap();
    invitee.email
}

/// A person of another tenant with the same address, who has [`OTHER_PASSWORD`].
async fn add_namesake(app: &TestApp, email: &str) {
    let new = NewUser {
        email: EmailAddress::read(email).unwrap(),
        name: Name::parse("name", "Eve").unwrap(),
        roles: Vec::new(),
    };
    let users = &app.operator.users;
    let invited = users.invite(&app.operator.scope(app.world.stranger), &new).await.unwrap();
    let token = invited.token.expose().to_owned();
    notes::note(&token);
    notes::note(OTHER_PASSWORD);
    users.accept_invitation(&token, OTHER_PASSWORD, &origin()).await.unwrap();
}

/// The outcome of a sign-in, without who signed in.
async fn attempt(app: &TestApp, email: &str, password: &str, from: &SignInOrigin) -> String {
    match app.operator.users.verify_password(email, password, from).await.unwrap() {
        PasswordOutcome::Accepted(user) => format!("accepted {}", user.tenant()),
        PasswordOutcome::Refused => "refused".to_owned(),
        PasswordOutcome::SlowDown { retry_after } => format!("slowed for {retry_after:?}"),
    }
}

/// The reasons of refused sign-ins in a tenant's audit log.
async fn reasons(app: &TestApp, tenant: TenantId) -> Vec<String> {
    app.background_jobs.run_once().await.unwrap();
    let document = r#"{ auditLog(operation: "signIn", outcome: REFUSED) { nodes { reason } } }"#;
    let log = app.administrator(tenant).await.ask(document, json!({})).await.field("auditLog");
    let nodes = log["nodes"].as_array().unwrap();
    let reasons = nodes.iter().map(|node| node["reason"].as_str().unwrap().to_owned());
    let mut reasons: Vec<String> = reasons.collect();
    reasons.dedup();
    reasons
}

both_databases! {
    async fn sign_in_of_a_namesake_takes_back_no_guess(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_user = 3).await;
        let home = origin_at("198.51.100.7");
        let email = person(&app, &home).await;
        add_namesake(&app, &email).await;
        for _ in 0..3 {
            assert_eq!(attempt(&app, &email, WRONG, &origin()).await, "refused");
            if attempt(&app, &email, OTHER_PASSWORD, &origin()).await.starts_with("slowed") {
                break;
            }
        }
        let guess = attempt(&app, &email, WRONG, &origin()).await;
        assert!(guess.starts_with("slowed"), "{guess}");
        let accepted = format!("accepted {}", app.world.north);
        assert_eq!(attempt(&app, &email, PASSWORD, &home).await, accepted);
    }

    /// Otherwise an administrator elsewhere could find out whom another tenant has.
    async fn sign_ins_are_slowed_alike_whether_a_namesake_exists_or_not(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_user = 3).await;
        let mut outcomes = Vec::new();
        for has_namesake in [false, true] {
            let email = person(&app, &origin()).await;
            if has_namesake {
                add_namesake(&app, &email).await;
            }
            let mut told = Vec::new();
            for is_right in [false, false, true, false, true, false] {
                let typed = if is_right { PASSWORD } else { WRONG };
                told.push(attempt(&app, &email, typed, &origin()).await);
            }
            outcomes.push(told);
        }
        assert_eq!(outcomes[0], outcomes[1]);
        let accepted = format!("accepted {}", app.world.north);
        assert_eq!(outcomes[0][..3], ["refused", "refused", &accepted]);
    }

    async fn known_network_admits_a_person_whatever_namesakes_do_elsewhere(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_user = 100).await;
        let home = origin_at("198.51.100.7");
        let email = person(&app, &home).await;
        let accepted = format!("accepted {}", app.world.north);
        assert_eq!(attempt(&app, &email, PASSWORD, &home).await, accepted);
        add_namesake(&app, &email).await;
        while !attempt(&app, &email, WRONG, &origin()).await.starts_with("slowed") {}
        assert_eq!(attempt(&app, &email, PASSWORD, &home).await, accepted);
    }

    async fn known_network_of_a_namesake_admits_no_guess_at_others(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_address = 2).await;
        let home = origin_at("198.51.100.7");
        let email = person(&app, &home).await;
        add_namesake(&app, &email).await;
        let namesake = format!("accepted {}", app.world.stranger);
        assert_eq!(attempt(&app, &email, OTHER_PASSWORD, &origin()).await, namesake);
        for stranger in ["one@example.com", "two@example.com"] {
            assert_eq!(attempt(&app, stranger, WRONG, &origin()).await, "refused");
        }
        for password in [PASSWORD, WRONG] {
            assert_eq!(attempt(&app, &email, password, &origin()).await, "refused");
        }
        assert_eq!(reasons(&app, app.world.north).await, ["slowed"]);
        assert_eq!(reasons(&app, app.world.stranger).await, ["password_refused"]);
        assert_eq!(attempt(&app, &email, OTHER_PASSWORD, &origin()).await, namesake);
        let accepted = format!("accepted {}", app.world.north);
        assert_eq!(attempt(&app, &email, PASSWORD, &home).await, accepted);
        app.advance(3600);
        assert_eq!(attempt(&app, &email, PASSWORD, &origin()).await, accepted);
    }

    async fn guesses_from_the_known_network_of_a_namesake_count_for_address_and_network(
        engine: Engine
    ) {
        let app = TestApp::with(engine, |config| config.users.failures_per_address = 2).await;
        let email = person(&app, &origin_at("198.51.100.7")).await;
        add_namesake(&app, &email).await;
        attempt(&app, &email, OTHER_PASSWORD, &origin()).await;
        for _ in 0..2 {
            assert_eq!(attempt(&app, &email, WRONG, &origin()).await, "refused");
        }
        assert_eq!(attempt(&app, &email, PASSWORD, &origin()).await, "refused");
        let elsewhere = attempt(&app, "nobody@example.com", WRONG, &origin()).await;
        assert!(elsewhere.starts_with("slowed"), "{elsewhere}");
    }
}
