//! A person's own sessions in the graph.

use async_graphql::{Context, ID, Object, SimpleObject};
use futures_util::FutureExt;

use super::{SessionInfo, Sessions};
use crate::auth::graphql::{request, service};
use crate::auth::{Caller, TenantScope};
use crate::error::{Error, Result};
use crate::graph::graphql::DateTime;
use crate::ids::{TenantId, UserId};
use crate::roles::Permission;
use crate::users::Users;

/// A session of a person who has signed in with a browser.
#[derive(SimpleObject)]
pub struct UserSession {
    /// The session's UUID.
    #[graphql(owned)]
    pub id: ID,
    /// Whether the person is signed in. False while the second factor is outstanding.
    is_active: bool,
    /// How the person authenticated, as RFC 8176 names it: `pwd`, `otp`, `hwk`, `mfa`.
    authentication_methods: Vec<String>,
    /// The network address that the session began from.
    address: String,
    /// The browser, as it names itself.
    user_agent: String,
    /// When the person authenticated.
    authenticated_at: DateTime,
    /// When the session began.
    created_at: DateTime,
    /// When the session was last used, to the minute.
    last_seen_at: DateTime,
}

impl From<SessionInfo> for UserSession {
    fn from(session: SessionInfo) -> Self {
        Self {
            id: session.id.to_string().into(),
            is_active: session.is_active,
            authentication_methods: session.methods,
            address: session.address,
            user_agent: session.user_agent,
            authenticated_at: session.authenticated_at.into(),
            created_at: session.created_at.into(),
            last_seen_at: session.last_seen_at.into(),
        }
    }
}

/// The result of `endSession` and `endUserSession`.
#[derive(SimpleObject)]
pub struct EndSessionPayload {
    /// The UUID of the session that has ended.
    id: ID,
}

/// Queries of sessions.
#[derive(Default)]
pub struct SessionQuery;

#[Object]
impl SessionQuery {
    /// Lists the browser sessions of the calling person, the last used first. FORBIDDEN for a
    /// client, which has none, and for a token with reduced rights unless it can read users in the
    /// person's own tenant.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Option<Vec<UserSession>>> {
        let (user, home) = person(ctx)?;
        narrowed_scope(ctx, home, Permission::ReadUsers).await?;
        let sessions = service::<Sessions>(ctx)?.list(user).boxed().await?;
        Ok(Some(sessions.into_iter().map(UserSession::from).collect()))
    }

    /// Lists the browser sessions of a user, the last used first. NOT_FOUND for a user outside the
    /// tenant in context and those below it. Requires the permission to read users.
    async fn user_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "userID", desc = "The user's UUID.")] user_id: ID,
    ) -> Result<Option<Vec<UserSession>>> {
        let scope = request(ctx)?.scope(Permission::ReadUsers)?;
        let user = service::<Users>(ctx)?.find(&scope, &user_id).boxed().await?;
        let sessions = service::<Sessions>(ctx)?.list(user.id()).boxed().await?;
        Ok(Some(sessions.into_iter().map(UserSession::from).collect()))
    }
}

/// Mutations of sessions.
#[derive(Default)]
pub struct SessionMutation;

#[Object]
impl SessionMutation {
    /// Ends a browser session of the calling person. NOT_FOUND for any other, and for one that has
    /// ended; FORBIDDEN for a token with reduced rights unless `endUserSession` would be permitted
    /// in the person's own tenant.
    async fn end_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The session's UUID.")] id: ID,
    ) -> Result<Option<EndSessionPayload>> {
        let (user, home) = person(ctx)?;
        let not_found = || Error::not_found("session");
        let session = id.parse().map_err(|_| not_found())?;
        let request_id = request(ctx)?.request_id();
        let sessions = service::<Sessions>(ctx)?;
        if let Some(scope) = narrowed_scope(ctx, home, Permission::ManageUsers).await? {
            sessions.end_of_user(&scope, &user.to_string(), session).boxed().await?;
            return Ok(Some(EndSessionPayload { id }));
        }
        let ended = sessions.end(user, home, session, "endSession", request_id).boxed().await?;
        if !ended {
            return Err(not_found());
        }
        Ok(Some(EndSessionPayload { id }))
    }

    /// Ends a browser session of a user. NOT_FOUND for a user outside the tenant in context and
    /// those below it, and for a session that is not theirs; FORBIDDEN for a user whose role permits
    /// more than the caller may do. Requires the permission to manage users; see `signOutUser` for
    /// all sessions and tokens.
    async fn end_user_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "userID", desc = "The user's UUID.")] user_id: ID,
        #[graphql(name = "sessionID", desc = "The session's UUID.")] session_id: ID,
    ) -> Result<Option<EndSessionPayload>> {
        let scope = request(ctx)?.scope(Permission::ManageUsers)?;
        let session = session_id.parse().map_err(|_| Error::not_found("session"))?;
        service::<Sessions>(ctx)?.end_of_user(&scope, &user_id, session).boxed().await?;
        Ok(Some(EndSessionPayload { id: session_id }))
    }
}

/// The calling person, and the tenant that they belong to.
fn person(ctx: &Context<'_>) -> Result<(UserId, TenantId)> {
    match request(ctx)?.caller() {
        Caller::User { id, home } => Ok((*id, *home)),
        _ => Err(Error::forbidden("only people who sign in have sessions; the caller is a client")),
    }
}

/// The scope in which a narrowed token acts on its own person, who is a user of their tenant like
/// any other to it; nothing for other tokens and for sessions.
async fn narrowed_scope(
    ctx: &Context<'_>,
    home: TenantId,
    permission: Permission,
) -> Result<Option<TenantScope>> {
    let scope = request(ctx)?.member_scope();
    if !scope.is_narrowed() {
        return Ok(None);
    }
    scope.within(home, permission).boxed().await.map(Some)
}
