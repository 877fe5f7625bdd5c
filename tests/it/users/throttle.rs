//! Failed sign-ins are slowed down, on all nodes together.

use std::time::Duration;

use tenant_gateway::roles::Role;
use tenant_gateway::users::{PasswordOutcome, SecondFactorOutcome};

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

    async fn attempt_that_found_no_room_to_hash_is_no_failure(engine: Engine) {
        let app = TestApp::with(engine, |config| config.users.failures_per_user = 2).await;
        // As if others were hashed there all the time.
        let full = app.another_node_with(|config| config.users.hashes_at_once = 0).await;
        let attempt = async |node: &TestApp| {
            let users = &node.operator.users;
            users.verify_password("ana@example.com", PASSWORD, &origin()).await.unwrap()
        };
        let outcome = attempt(&full).await;
        let PasswordOutcome::SlowDown { retry_after } = outcome else { panic!("{outcome:?}") };
        assert_eq!(retry_after, Duration::from_secs(5));
        for _ in 0..2 {
            let outcome = attempt(&app).await;
            assert!(matches!(outcome, PasswordOutcome::Refused), "{outcome:?}");
        }
        assert!(matches!(attempt(&app).await, PasswordOutcome::SlowDown { .. }));
        // An attempt that was not counted takes nothing back.
        assert!(matches!(attempt(&full).await, PasswordOutcome::SlowDown { .. }));
        app.advance(1);
        assert!(matches!(attempt(&app).await, PasswordOutcome::Refused));
        let outcome = attempt(&app).await;
        let PasswordOutcome::SlowDown { retry_after } = outcome else { panic!("{outcome:?}") };
        assert_eq!(retry_after, Duration::from_secs(2), "the third failure");
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
