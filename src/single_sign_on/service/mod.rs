//! The providers of tenants and sign-ins at them.

mod accounts;
mod links;
mod policy;
mod providers;
mod sign_in;
mod tokens;

use std::sync::Arc;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::discovery::Discovery;
use super::entity::{domain, person, provider};
use super::http_client::ProviderClient;
use super::model::{Provider, binding};
use crate::audit::Audit;
use crate::auth::{RequestId, TenantScope};
use crate::clock::Clock;
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::IdentityProviderId;
use crate::outbound::{AddressPolicy, Outbound};
use crate::seal::MasterKey;
use crate::users::EmailAddress;

pub use links::Link;
pub use policy::PasswordPolicy;
pub use providers::Tested;
pub use sign_in::{Callback, Departure, SignedIn};

/// The path that providers send people back to.
pub const CALLBACK_PATH: &str = "/login/sso/callback";

/// The dependencies of the service.
pub struct Dependencies {
    /// The database.
    pub database: Arc<Database>,
    /// Seals client secrets, and the secrets of sign-ins in progress.
    pub master: Arc<MasterKey>,
    /// The source of states, nonces and verifiers.
    pub entropy: Arc<dyn Entropy>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Calls providers.
    pub outbound: Arc<Outbound>,
    /// The addresses that providers may have.
    pub policy: AddressPolicy,
    /// Records links and refused sign-ins.
    pub audit: Arc<Audit>,
    /// How many users a tenant may have.
    pub users_per_tenant: u64,
    /// The URL that people know the gateway by, if it was set.
    pub public_url: Option<String>,
}

/// The single sign-on of all tenants.
pub struct SingleSignOn {
    with: Dependencies,
    discovery: Discovery,
}

impl SingleSignOn {
    /// Creates the service.
    pub fn new(with: Dependencies) -> Self {
        let discovery = Discovery::new(with.clock.clone());
        Self { with, discovery }
    }

    /// The addresses that providers may have.
    pub fn policy(&self) -> AddressPolicy {
        self.with.policy
    }

    /// The redirect URIs to register at a provider: the second is used where the provider does not
    /// name itself in its answers (RFC 9207), so that answers of two providers cannot be mixed up.
    /// None if the gateway's public URL was not set.
    pub fn redirect_uris(&self, id: IdentityProviderId) -> Vec<String> {
        let of = |base: &String| {
            let shared = format!("{base}{CALLBACK_PATH}");
            let own = format!("{shared}/{id}");
            vec![shared, own]
        };
        self.with.public_url.as_ref().map(of).unwrap_or_default()
    }

    /// The provider of the scope's tenant.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn find(&self, scope: &TenantScope) -> Result<Option<Provider>> {
        let reader = self.with.database.reader();
        match provider::Entity::of_this_tenant(scope).one(reader).await? {
            Some(row) => Ok(Some(with_domains(reader, row).await?)),
            None => Ok(None),
        }
    }

    /// The provider of a sign-in link, if it is enabled.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn of_link(&self, id: IdentityProviderId) -> Result<Option<Provider>> {
        let reader = self.with.database.reader();
        match provider::Entity::of_sign_in(id).one(reader).await? {
            Some(row) => Ok(Some(with_domains(reader, row).await?)),
            None => Ok(None),
        }
    }

    /// The provider that an e-mail address leads to by its domain alone: whether somebody has the
    /// address makes no difference. A domain leads nowhere if several enabled providers name it, or
    /// if a tenant other than the provider's has people of that domain: nobody can have another
    /// tenant's people sent to a page of their own by naming their domain.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn provider_for_email(&self, email: &str) -> Result<Option<Provider>> {
        let Some(email) = EmailAddress::read(email) else { return Ok(None) };
        let domain = email.domain();
        let reader = self.with.database.reader();
        let naming = provider::Entity::naming(&domain).limit(2).all(reader).await?;
        let Ok([row]) = <[_; 1]>::try_from(naming) else { return Ok(None) };
        let backend = reader.get_database_backend();
        if person::elsewhere(row.tenant_id, &domain, backend).one(reader).await?.is_some() {
            return Ok(None);
        }
        Ok(Some(with_domains(reader, row).await?))
    }

    fn client(&self, provider: &provider::Model, request_id: &RequestId) -> ProviderClient {
        let outbound = self.with.outbound.clone();
        ProviderClient::new(outbound, self.with.policy, Arc::new(provider.clone()), request_id)
    }

    fn secret(&self, provider: &provider::Model) -> Result<String> {
        let binding = binding(provider.id, provider.tenant_id);
        let bytes = self.with.master.open(&binding, &provider.sealed_secret)?;
        String::from_utf8(bytes).map_err(|_| Error::internal("a sealed client secret is no text"))
    }
}

async fn with_domains(on: &impl ConnectionTrait, row: provider::Model) -> Result<Provider> {
    let domains = domain::Entity::of_provider(row.id).order_by_asc(domain::Column::Domain);
    let domains = domains.all(on).await?.into_iter().map(|domain| domain.domain).collect();
    Ok(Provider { row, domains })
}

/// Reseals every client secret that the previous master key sealed, and returns how many. It may
/// be stopped and run again.
///
/// # Errors
/// If the database fails, or a secret was sealed by neither key.
pub async fn rewrap(database: &Database, master: &MasterKey, entropy: &dyn Entropy) -> Result<u64> {
    let mut count = 0;
    for row in provider::Entity::all_rows().all(database.reader()).await? {
        let binding = binding(row.id, row.tenant_id);
        let Some(anew) = master.rewrap(entropy, &binding, &row.sealed_secret)? else { continue };
        // Replaces only the value that was read: a secret changed meanwhile is sealed by the new
        // key already.
        let reseal = provider::Entity::update_many()
            .col_expr(provider::Column::SealedSecret, Expr::val(anew))
            .filter(provider::Column::Id.eq(row.id))
            .filter(provider::Column::SealedSecret.eq(row.sealed_secret));
        let work = async |write: Arc<Write<'_>>| Ok(reseal.clone().exec(write.on()).await?);
        database.transaction(work).await?;
        count += 1;
    }
    Ok(count)
}
