//! Sessions of people: how they begin, what they open, and how they end.

mod graphql;
mod life;

use tenant_gateway::sessions::{NewSession, SessionState, Visitor};
use tenant_gateway::tokens::Authentication;
use tenant_gateway::users::SignInOrigin;

use crate::support::{TestApp, notes};

/// Begins a session of a person, as after a sign-in: its id.
pub async fn begun(app: &TestApp, user: &str) -> String {
    let user = user.parse().expect("the id of a user");
    let address = std::net::Ipv4Addr::LOCALHOST.into();
    let new = NewSession {
        user,
        authentication: Authentication { auth_time: app.now(), methods: vec!["pwd".to_owned()] },
        state: SessionState::Active,
        may_enrol: false,
        visitor: Visitor::new(address, "Test 1.0"),
    };
    let request_id = app.operator.scope(app.world.top).request_id().clone();
    let sessions = &app.operator.core.sessions;
    let origin = SignInOrigin { address, request_id };
    notes::note(sessions.begin(&new, &origin).await.unwrap().expose());
    sessions.list(user).await.unwrap()[0].id.to_string()
}
