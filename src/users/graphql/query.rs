//! Reading users through the graph.

use async_graphql::{Context, ID, Object};
use futures_util::FutureExt;

use super::inputs::UserFilterInput;
use super::objects::User;
use super::tdr_user::TdrUser;
use crate::auth::Caller;
use crate::auth::graphql::{request, service};
use crate::error::{Error, Result};
use crate::graph::graphql::{Connection, Edge, page_limit};
use crate::ids::UserId;
use crate::paging::{cursor, read_cursor};
use crate::roles::Permission;
use crate::users::service::Users;

/// The largest page.
const PAGE_MAX: u64 = 100;

/// A user of the tenant in context or of one below it.
///
/// # Errors
/// `NOT_FOUND` for any other, `FORBIDDEN` without the right to read users.
pub async fn find(ctx: &Context<'_>, id: &str) -> Result<User> {
    let scope = request(ctx)?.scope(Permission::ReadUsers)?;
    Ok(service::<Users>(ctx)?.find(&scope, id).boxed().await?.into())
}

/// Queries of users.
#[derive(Default)]
pub struct UserQuery;

#[Object]
impl UserQuery {
    /// Lists the users of the tenant in context and those below it, ordered by e-mail address and
    /// id. Requires the permission to read users.
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Filters; all must hold.")] filter: Option<UserFilterInput>,
        #[graphql(desc = "The page size, 1 to 100. Default: 50.")] first: Option<i32>,
        #[graphql(desc = "Returns items after this cursor.")] after: Option<String>,
    ) -> Result<Option<Connection<User>>> {
        let limit = page_limit(first, PAGE_MAX)?;
        let position = after.as_deref().map(|after| read_cursor("after", after)).transpose()?;
        let scope = request(ctx)?.scope(Permission::ReadUsers)?;
        let users = service::<Users>(ctx)?;
        let filter = filter.unwrap_or_default().parse()?;
        let mut found = users.list(&scope, &filter, position.as_ref(), limit + 1).boxed().await?;
        let has_more = u64::try_from(found.len()).unwrap_or(u64::MAX) > limit;
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let asked = ctx.look_ahead().field("totalCount").exists();
        let total = if asked { Some(users.count(&scope, &filter).boxed().await?) } else { None };
        let edges = found.into_iter().map(|user| {
            let position: (String, UserId) = (user.row.email_folded.clone(), user.id());
            Edge::new(cursor(&position), User::from(user))
        });
        Ok(Some(Connection::new(edges.collect(), position.is_some(), has_more, total)))
    }

    /// Returns a user of the tenant in context or one below it. NOT_FOUND for any other. Requires
    /// the permission to read users.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The user's UUID.")] id: ID,
    ) -> Result<Option<User>> {
        find(ctx, &id).await.map(Some)
    }

    /// Returns the person who sends the request, with the names of the Taegis contract. A token
    /// with reduced rights shows only the roles that apply to the tenant in context, unless it can
    /// read users in the person's own tenant. FORBIDDEN for a client; see `currentSubject`.
    #[graphql(name = "currentTDRUser")]
    async fn current_tdr_user(&self, ctx: &Context<'_>) -> Result<Option<TdrUser>> {
        let scope = request(ctx)?.member_scope();
        if !matches!(scope.caller(), Caller::User { .. }) {
            return Err(Error::forbidden("the token belongs to a client: this is for people"));
        }
        let user = service::<Users>(ctx)?.caller(&scope).boxed().await?;
        Ok(Some(TdrUser::at(scope.now(), user)))
    }
}
