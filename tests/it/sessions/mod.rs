//! Sessions of people: how they begin, what they open, and how they end.

mod graphql;
mod life;

use std::net::Ipv4Addr;

use tenant_gateway::ids::UserId;
use tenant_gateway::sessions::{NewSession, SessionState, Visitor};
use tenant_gateway::tokens::Authentication;
use tenant_gateway::users::SignInOrigin;

use crate::support::{TestApp, notes};

/// A session of a person that may begin now.
pub async fn new_session(app: &TestApp, user: UserId) -> NewSession {
    let person = app.operator.users.signed_in(user).await.unwrap();
    NewSession {
        user,
        generation: person.row.token_generation,
        authentication: Authentication { auth_time: app.now(), methods: vec!["pwd".to_owned()] },
        state: SessionState::Active,
        may_enrol: false,
        visitor: Visitor::new(Ipv4Addr::LOCALHOST.into(), "Test 1.0"),
    }
}

pub fn origin(app: &TestApp) -> SignInOrigin {
    let request_id = app.operator.scope(app.world.top).request_id().clone();
    SignInOrigin { address: Ipv4Addr::LOCALHOST.into(), request_id }
}

/// Begins a session of a person, as after a sign-in: its id.
pub async fn begun(app: &TestApp, user: &str) -> String {
    let user = user.parse().expect("the id of a user");
    let new = new_session(app, user).await;
    let sessions = &app.operator.core.sessions;
    notes::note(sessions.begin(&new, &origin(app)).await.unwrap().expose());
    sessions.list(user).await.unwrap()[0].id.to_string()
}
