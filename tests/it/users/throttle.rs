//! Failed sign-ins are slowed down, on all nodes together.

use std::time::Duration;

use tenant_gateway::names::Name;
use tenant_gateway::roles::Role;
use tenant_gateway::users::{EmailAddress, NewUser, PasswordOutcome, SecondFactorOutcome};

use super::{PASSWORD, code_at, enrol, invited_by_operator, origin, origin_at};
use crate::oauth::asking::rows;
use crate::support::{TestApp, both_databases, notes};

both_databases! {
    async fn failures_slow_the_pair_down_on_all_nodes_and_never_lock_it(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_user = 2).await;
        let other = app.another_node_with(|config| config.users.failures_per_user = 2).await;
        let invitee = invited_by_operator(&app, app.world.north, &[]).await;
        let wrong = "no password of anybody";
        let attempt = async |node: &TestApp, address: &str| {
            let from = origin_at(address);
            node.operator.users.verify_password(&invitee.email, wrong, &from).await.unwrap()
        };
        for node in [&app, &other] {
            let outcome = attempt(node, "192.0.2.10").await;
            assert!(matches!(outcome, PasswordOutcome::Refused), "{outcome:?}");
        }
        let outcome = attempt(&app, "192.0.2.10").await;
        let PasswordOutcome::SlowDown { retry_after } = outcome else { panic!("{outcome:?}") };
        assert_eq!(retry_after, Duration::from_secs(1));
        let elsewhere = attempt(&other, "198.51.100.7").await;
        assert!(matches!(elsewhere, PasswordOutcome::Refused), "{elsewhere:?}");
        app.advance(1);
        let outcome = attempt(&other, "192.0.2.10").await;
        assert!(matches!(outcome, PasswordOutcome::Refused), "{outcome:?}");
    }

    async fn network_that_guesses_at_many_addresses_is_slowed_down(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_address = 2).await;
        let attempt = async |email: &str| {
            let users = &app.operator.users;
            users.verify_password(email, "no password of anybody", &origin()).await.unwrap()
        };
        for email in ["one@example.com", "two@example.com"] {
            assert!(matches!(attempt(email).await, PasswordOutcome::Refused));
        }
        assert!(matches!(attempt("three@example.com").await, PasswordOutcome::SlowDown { .. }));
    }

    async fn own_sign_in_takes_back_no_guess_at_others(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_address = 2).await;
        let insider = invited_by_operator(&app, app.world.north, &[]).await;
        let users = &app.operator.users;
        notes::note(PASSWORD);
        users.accept_invitation(&insider.token, PASSWORD, &origin()).await.unwrap();
        let sign_in = async || {
            users.verify_password(&insider.email, PASSWORD, &origin()).await.unwrap()
        };
        let guess = async |email: &str| {
            users.verify_password(email, "no password of anybody", &origin()).await.unwrap()
        };
        assert!(matches!(sign_in().await, PasswordOutcome::Accepted(_)));
        for email in ["one@example.com", "two@example.com"] {
            assert!(matches!(guess(email).await, PasswordOutcome::Refused));
            assert!(matches!(sign_in().await, PasswordOutcome::Accepted(_)));
        }
        assert!(matches!(guess("three@example.com").await, PasswordOutcome::SlowDown { .. }));
    }

    async fn networks_of_one_site_are_slowed_down_together(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_address = 1).await;
        let attempt = async |number: u32, address: &str| {
            let email = format!("person-{number}@example.com");
            let users = &app.operator.users;
            let from = origin_at(address);
            users.verify_password(&email, "no password of anybody", &from).await.unwrap()
        };
        for number in 1..=8 {
            let outcome = attempt(number, &format!("2001:db8:0:{number}00::1")).await;
            assert!(matches!(outcome, PasswordOutcome::Refused), "{number}: {outcome:?}");
        }
        let counted = rows(&app, "sign_in_failures").await;
        let outcome = attempt(9, "2001:db8:0:900::1").await;
        assert!(matches!(outcome, PasswordOutcome::SlowDown { .. }), "{outcome:?}");
        assert_eq!(rows(&app, "sign_in_failures").await, counted, "nothing is written for it");
        let elsewhere = attempt(10, "2001:db8:1::1").await;
        assert!(matches!(elsewhere, PasswordOutcome::Refused), "{elsewhere:?}");
    }

    async fn one_address_does_not_shut_out_its_neighbours(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_address = 1).await;
        let attempt = async |number: u32, address: &str| {
            let email = format!("person-{number}@example.com");
            let users = &app.operator.users;
            let from = origin_at(address);
            users.verify_password(&email, "no password of anybody", &from).await.unwrap()
        };
        // For hours, each time it may.
        for number in 0..40 {
            attempt(number, "192.0.2.1").await;
            app.advance(600);
        }
        let neighbour = attempt(100, "192.0.2.9").await;
        assert!(matches!(neighbour, PasswordOutcome::Refused), "{neighbour:?}");
    }

    async fn counts_are_swept_once_they_are_forgotten(app: TestApp) {
        let user = invited_by_operator(&app, app.world.north, &[]).await.user();
        enrol(&app, user).await;
        let users = &app.operator.users;
        let guess = "no password of anybody";
        users.verify_password("nobody@example.com", guess, &origin()).await.unwrap();
        users.verify_totp(user, "000000", &origin()).await.unwrap();
        let counted = rows(&app, "sign_in_failures").await;
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(rows(&app, "sign_in_failures").await, counted);
        app.advance(3600);
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(rows(&app, "sign_in_failures").await, 1, "codes are counted for a day");
        app.advance(23 * 3600);
        app.background_jobs.run_once().await.unwrap();
        assert_eq!(rows(&app, "sign_in_failures").await, 0);
    }

    async fn few_networks_of_a_person_are_known(app: TestApp) {
        let invitee = invited_by_operator(&app, app.world.north, &[]).await;
        notes::note(PASSWORD);
        let users = &app.operator.users;
        users.accept_invitation(&invitee.token, PASSWORD, &origin()).await.unwrap();
        for host in 1..=12 {
            let from = origin_at(&format!("192.0.2.{host}"));
            let accepted = users.verify_password(&invitee.email, PASSWORD, &from).await.unwrap();
            assert!(matches!(accepted, PasswordOutcome::Accepted(_)), "{accepted:?}");
            app.advance(1);
        }
        let known = "sign_in_failures WHERE failures = 0 AND identity IS NOT NULL";
        assert_eq!(rows(&app, known).await, 10);
    }

    /// Two tenants may have a person with one address, and one of the two can guess at the other.
    async fn namesake_in_another_tenant_takes_back_no_guess(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_user = 3).await;
        let victim = invited_by_operator(&app, app.world.north, &[]).await;
        let users = &app.operator.users;
        notes::note(PASSWORD);
        users.accept_invitation(&victim.token, PASSWORD, &origin_at("198.51.100.7")).await.unwrap();
        let own_password = "granite sunset 58 piano";
        notes::note(own_password);
        let new = NewUser {
            email: EmailAddress::read(&victim.email).unwrap(),
            name: Name::parse("name", "Eve").unwrap(),
            roles: Vec::new(),
        };
        let stranger = app.operator.scope(app.world.stranger);
        let namesake = users.invite(&stranger, &new).await.unwrap();
        let token = namesake.token.expose().to_owned();
        notes::note(&token);
        users.accept_invitation(&token, own_password, &origin()).await.unwrap();
        let attempt = async |password: &str| {
            users.verify_password(&victim.email, password, &origin()).await.unwrap()
        };
        for _ in 0..3 {
            let guess = attempt("no password of anybody").await;
            assert!(matches!(guess, PasswordOutcome::Refused), "{guess:?}");
            if matches!(attempt(own_password).await, PasswordOutcome::SlowDown { .. }) {
                break;
            }
        }
        let guess = attempt("no password of anybody").await;
        assert!(matches!(guess, PasswordOutcome::SlowDown { .. }), "{guess:?}");
        let from = origin_at("198.51.100.7");
        let person = users.verify_password(&victim.email, PASSWORD, &from).await.unwrap();
        assert!(matches!(person, PasswordOutcome::Accepted(_)), "{person:?}");
    }

    /// Otherwise an administrator elsewhere could find out whom another tenant has.
    async fn sign_ins_are_slowed_alike_whether_a_namesake_exists_or_not(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_user = 3).await;
        let users = &app.operator.users;
        notes::note(PASSWORD);
        let mut outcomes = Vec::new();
        for has_namesake in [false, true] {
            let insider = invited_by_operator(&app, app.world.north, &[]).await;
            users.accept_invitation(&insider.token, PASSWORD, &origin()).await.unwrap();
            if has_namesake {
                let new = NewUser {
                    email: EmailAddress::read(&insider.email).unwrap(),
                    name: Name::parse("name", "Eve").unwrap(),
                    roles: Vec::new(),
                };
                let stranger = app.operator.scope(app.world.stranger);
                let namesake = users.invite(&stranger, &new).await.unwrap();
                let token = namesake.token.expose().to_owned();
                notes::note(&token);
                let other = "granite sunset 58 piano";
                notes::note(other);
                users.accept_invitation(&token, other, &origin()).await.unwrap();
            }
            let mut told = Vec::new();
            for is_right in [false, false, true, false, true, false] {
                let typed = if is_right { PASSWORD } else { "no password of anybody" };
                let outcome = users.verify_password(&insider.email, typed, &origin()).await;
                told.push(match outcome.unwrap() {
                    PasswordOutcome::Accepted(_) => "accepted".to_owned(),
                    PasswordOutcome::Refused => "refused".to_owned(),
                    PasswordOutcome::SlowDown { retry_after } => format!("{retry_after:?}"),
                });
            }
            outcomes.push(told);
        }
        assert_eq!(outcomes[0], outcomes[1]);
        assert_eq!(outcomes[0][..3], ["refused", "refused", "accepted"]);
    }

    async fn known_network_admits_a_person_whatever_namesakes_do_elsewhere(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_user = 100).await;
        let users = &app.operator.users;
        let victim = invited_by_operator(&app, app.world.north, &[]).await;
        notes::note(PASSWORD);
        let home = origin_at("198.51.100.7");
        users.accept_invitation(&victim.token, PASSWORD, &home).await.unwrap();
        let first = users.verify_password(&victim.email, PASSWORD, &home).await.unwrap();
        assert!(matches!(first, PasswordOutcome::Accepted(_)), "{first:?}");
        let new = NewUser {
            email: EmailAddress::read(&victim.email).unwrap(),
            name: Name::parse("name", "Eve").unwrap(),
            roles: Vec::new(),
        };
        let namesake = users.invite(&app.operator.scope(app.world.stranger), &new).await.unwrap();
        let token = namesake.token.expose().to_owned();
        notes::note(&token);
        let other = "granite sunset 58 piano";
        notes::note(other);
        users.accept_invitation(&token, other, &origin()).await.unwrap();
        loop {
            let wrong = "no password of anybody";
            let guess = users.verify_password(&victim.email, wrong, &origin()).await.unwrap();
            if matches!(guess, PasswordOutcome::SlowDown { .. }) {
                break;
            }
        }
        let person = users.verify_password(&victim.email, PASSWORD, &home).await.unwrap();
        assert!(matches!(person, PasswordOutcome::Accepted(_)), "{person:?}");
    }

    async fn guessing_at_codes_is_slowed_down_even_for_the_right_one(app: TestApp) {
        let user = invited_by_operator(&app, app.world.north, &[Role::Auditor]).await.user();
        let (key, codes) = enrol(&app, user).await;
        app.advance(30);
        let users = &app.operator.users;
        let right = code_at(&key, app.now().seconds());
        let wrong = if right == "000000" { "000001" } else { "000000" };
        for _ in 0..5 {
            let refused = users.verify_totp(user, wrong, &origin()).await.unwrap();
            assert_eq!(refused, SecondFactorOutcome::Refused);
        }
        let slow = users.verify_totp(user, &right, &origin()).await.unwrap();
        assert!(matches!(slow, SecondFactorOutcome::SlowDown { .. }), "{slow:?}");
        let slow = users.verify_recovery_code(user, &codes[0], &origin_at("198.51.100.7")).await;
        assert!(matches!(slow.unwrap(), SecondFactorOutcome::SlowDown { .. }));
        app.advance(1);
        let accepted = users.verify_totp(user, &right, &origin()).await.unwrap();
        assert_eq!(accepted, SecondFactorOutcome::Accepted);
        let refused = users.verify_totp(user, wrong, &origin()).await.unwrap();
        assert_eq!(refused, SecondFactorOutcome::Refused, "the count began anew");
    }
}
