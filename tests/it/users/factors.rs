//! One-time passwords and recovery codes.

use std::sync::Arc;

use tenant_gateway::error::ErrorCode;
use tenant_gateway::ids::UserId;
use tenant_gateway::roles::Role;
use tenant_gateway::users::{SecondFactorOutcome, Users};

use super::{code_at, enrol, generation, invited_by_operator, origin, session};
use crate::support::{TestApp, both_databases};

async fn person(app: &TestApp) -> UserId {
    invited_by_operator(app, app.world.north, &[Role::Auditor]).await.user()
}

/// Tries a code on both nodes at once, twice each, and counts how often it was accepted.
async fn accepted_at_once(
    nodes: [&TestApp; 2],
    attempt: impl AsyncFn(Arc<Users>) -> SecondFactorOutcome,
) -> usize {
    let [one, other] = nodes.map(|node| node.operator.users.clone());
    let tried = tokio::join!(
        attempt(one.clone()),
        attempt(other.clone()),
        attempt(one.clone()),
        attempt(other.clone())
    );
    let tried = [tried.0, tried.1, tried.2, tried.3];
    tried.iter().filter(|outcome| **outcome == SecondFactorOutcome::Accepted).count()
}

both_databases! {
    async fn one_of_many_uses_of_a_step_wins_over_nodes(app: TestApp) {
        let user = person(&app).await;
        let (key, _) = enrol(&app, user).await;
        app.advance(30);
        let code = code_at(&key, app.now().seconds());
        let other = app.another_node().await;
        let accepted = accepted_at_once([&app, &other], async |users: Arc<Users>| {
            users.verify_totp(user, &code, &origin()).await.unwrap()
        });
        assert_eq!(accepted.await, 1);
    }

    async fn one_of_many_uses_of_a_recovery_code_wins_over_nodes(app: TestApp) {
        let user = person(&app).await;
        let (_, codes) = enrol(&app, user).await;
        assert_eq!(codes.len(), 10);
        let other = app.another_node().await;
        let accepted = accepted_at_once([&app, &other], async |users: Arc<Users>| {
            users.verify_recovery_code(user, &codes[3], &origin()).await.unwrap()
        });
        assert_eq!(accepted.await, 1);
        assert_eq!(app.operator.users.recovery_codes_left(user).await.unwrap(), 9);
    }

    async fn code_is_accepted_one_step_early_or_late_and_never_again(app: TestApp) {
        use SecondFactorOutcome::{Accepted, Refused};
        let user = person(&app).await;
        let (key, _) = enrol(&app, user).await;
        app.advance(600);
        let now = app.now().seconds();
        let verify = async |seconds: i64| {
            let code = code_at(&key, seconds);
            app.operator.users.verify_totp(user, &code, &origin()).await.unwrap()
        };
        assert_eq!(verify(now - 60).await, Refused, "two steps late");
        assert_eq!(verify(now + 60).await, Refused, "two steps early");
        assert_eq!(verify(now - 30).await, Accepted);
        assert_eq!(verify(now - 30).await, Refused, "used");
        assert_eq!(verify(now + 30).await, Accepted);
        assert_eq!(verify(now).await, Refused, "older than one that was used");
    }

    async fn code_of_another_person_is_refused(app: TestApp) {
        let one = person(&app).await;
        let other = person(&app).await;
        let (key, codes) = enrol(&app, one).await;
        enrol(&app, other).await;
        app.advance(30);
        let code = code_at(&key, app.now().seconds());
        let users = &app.operator.users;
        let refused = SecondFactorOutcome::Refused;
        assert_eq!(users.verify_totp(other, &code, &origin()).await.unwrap(), refused);
        let recovered = users.verify_recovery_code(other, &codes[0], &origin()).await.unwrap();
        assert_eq!(recovered, refused);
    }

    async fn sign_out_overtakes_the_confirmation_of_a_key(app: TestApp) {
        let user = person(&app).await;
        let (former, _) = enrol(&app, user).await;
        let users = &app.operator.users;
        let of_session = generation(&app, user).await;
        let pending = users.begin_totp(user, session()).await.unwrap();
        crate::support::notes::note(&pending.key);
        let scope = app.operator.scope(app.world.north);
        users.sign_out(&scope, &user.to_string()).await.unwrap();
        app.advance(30);
        let now = app.now().seconds();
        let code = code_at(&pending.key, now);
        let refused = users.confirm_totp((user, of_session), &code, &origin()).await;
        assert_eq!(refused.err().unwrap().code(), ErrorCode::Unauthenticated);
        let verified = users.verify_totp(user, &code_at(&former, now), &origin()).await.unwrap();
        assert_eq!(verified, SecondFactorOutcome::Accepted, "the former key stays");
    }

    async fn new_key_replaces_the_former_once_it_is_confirmed(app: TestApp) {
        let user = person(&app).await;
        let users = &app.operator.users;
        let (former, codes) = enrol(&app, user).await;
        let generation = generation(&app, user).await;
        let pending = users.begin_totp(user, session()).await.unwrap();
        crate::support::notes::note(&pending.key);
        assert!(pending.uri.contains(&pending.key) && pending.qr_svg.contains("<svg"));
        app.advance(30);
        let now = app.now().seconds();
        let wrong = users.confirm_totp((user, generation), &code_at(&former, now), &origin()).await;
        assert!(wrong.is_err());
        let verified = users.verify_totp(user, &code_at(&former, now), &origin()).await.unwrap();
        assert_eq!(verified, SecondFactorOutcome::Accepted);
        users.confirm_totp((user, generation), &code_at(&pending.key, now), &origin()).await.unwrap();
        app.advance(30);
        let now = app.now().seconds();
        let verified = users.verify_totp(user, &code_at(&former, now), &origin()).await.unwrap();
        assert_eq!(verified, SecondFactorOutcome::Refused);
        let recovered = users.verify_recovery_code(user, &codes[0], &origin()).await.unwrap();
        assert_eq!(recovered, SecondFactorOutcome::Refused);
    }
}
