//! The subject of a request's token.

use async_graphql::{Context, ID, Object, Union};
use futures_util::FutureExt;
use tokio::sync::OnceCell;

use super::objects::Client;
use crate::auth::graphql::service;
use crate::auth::{Caller, TenantScope};
use crate::clients::Clients;
use crate::error::{Error, Result};
use crate::users::Users;
use crate::users::graphql::TdrUser;

/// The identity behind a token.
#[derive(Union)]
pub enum SubjectIdentity {
    /// A client.
    Client(Box<Client>),
    /// A person.
    User(Box<TdrUser>),
}

/// The subject of the token that the request carries. The database is asked only for what the token
/// does not say.
pub struct Subject {
    scope: TenantScope,
    id: String,
    stored: OnceCell<Stored>,
}

/// The part of a subject that the database holds.
struct Stored {
    name: String,
    display_name: String,
    identity: SubjectIdentity,
}

impl Subject {
    /// The subject of the scope's token.
    ///
    /// # Errors
    /// Internal for the gateway itself, which sends no requests.
    pub fn of(scope: TenantScope) -> Result<Self> {
        let id = match scope.caller() {
            Caller::Client { id, .. } => id.to_string(),
            Caller::User { id, .. } => id.to_string(),
            Caller::Operator | Caller::Gateway => {
                return Err(Error::internal("a request of neither a client nor a person"));
            }
        };
        Ok(Self { scope, id, stored: OnceCell::new() })
    }

    /// Reads the stored part once for all fields.
    async fn stored(&self, ctx: &Context<'_>) -> Result<&Stored> {
        self.stored.get_or_try_init(|| read(ctx, &self.scope).boxed()).await
    }
}

async fn read(ctx: &Context<'_>, scope: &TenantScope) -> Result<Stored> {
    if let Caller::User { .. } = scope.caller() {
        let user = service::<Users>(ctx)?.caller(scope).await?;
        return Ok(Stored {
            name: user.row.email.clone(),
            display_name: user.row.name.clone(),
            identity: SubjectIdentity::User(Box::new(TdrUser::at(scope.now(), user))),
        });
    }
    let clients = service::<Clients>(ctx)?;
    let (client, whole) = clients.caller(scope).await?;
    let name = client.row.name.clone();
    let shown = Client::at(scope.now(), clients.limits().token_lifetime, client);
    let shown = if whole { shown } else { shown.identity_alone() };
    Ok(Stored {
        name: name.clone(),
        display_name: name,
        identity: SubjectIdentity::Client(Box::new(shown)),
    })
}

/// The subject of the token that the request carries.
#[Object]
impl Subject {
    /// The subject's UUID.
    async fn id(&self) -> ID {
        self.id.clone().into()
    }

    /// The name.
    async fn name(&self, ctx: &Context<'_>) -> Result<&str> {
        Ok(&self.stored(ctx).await?.name)
    }

    /// The display name.
    async fn display_name(&self, ctx: &Context<'_>) -> Result<&str> {
        Ok(&self.stored(ctx).await?.display_name)
    }

    /// The description.
    async fn identity(&self, ctx: &Context<'_>) -> Result<&SubjectIdentity> {
        Ok(&self.stored(ctx).await?.identity)
    }
}
