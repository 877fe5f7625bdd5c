//! Setting, removing and testing the provider of a tenant.

use std::sync::Arc;

use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, ModelTrait, QuerySelect, Set};

use super::{SingleSignOn, with_domains};
use crate::audit::{self, Entry};
use crate::auth::{TenantScope, own_holds, require_administrators};
use crate::clock::Timestamp;
use crate::database::{AdvisoryLock, Write};
use crate::error::{Error, Result};
use crate::ids::{IdentityProviderId, UserId};
use crate::roles::{Permission, Role};
use crate::single_sign_on::entity::{domain, identity, person, provider};
use crate::single_sign_on::fault::ProviderFault;
use crate::single_sign_on::model::{NewProvider, Provider, binding};

const WHAT: &str = "identity provider";

/// The result of a test of a provider.
#[derive(Clone, Debug)]
pub struct Tested {
    /// The reason why people cannot sign in there; `None` if metadata and keys are fine.
    pub problem: Option<ProviderFault>,
    /// The provider's authorization endpoint.
    pub authorization_endpoint: Option<String>,
    /// Whether its answers name it (RFC 9207).
    pub names_itself: bool,
}

impl SingleSignOn {
    /// Sets the provider of the scope's tenant, in place of the one it has. Links of people to
    /// accounts of another issuer are deleted: they are found by their e-mail addresses anew.
    ///
    /// # Errors
    /// `CONFLICT` if no administrator who can sign in would be left; `FORBIDDEN` for a default role
    /// that the caller could not give, and if one of the tenant's people may do more than the
    /// caller, who could sign in as they through a provider of their own; `BAD_USER_INPUT` for an
    /// emergency user of another tenant, and without a secret for a new provider, another issuer or
    /// other certificates.
    pub async fn set(&self, scope: &TenantScope, new: NewProvider) -> Result<Provider> {
        let until = match new.default_role {
            // Accounts made with it later keep it no longer than the caller could give it.
            Some(role) => {
                scope.permitted_end(Permission::ManageUsers, scope.tenant(), role, None).await?
            }
            None => None,
        };
        let work = |write| self.set_in(write, scope, &new, until);
        scope.change(&self.with.database, work).await
    }

    async fn set_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
        new: &NewProvider,
        default_role_expires_at: Option<Timestamp>,
    ) -> Result<Provider> {
        write.lock(AdvisoryLock::IdentityProviders).await?;
        require_authority_over_all(&write, scope).await?;
        if let Some(user) = new.emergency_user {
            require_user(&write, scope, user).await?;
        }
        let before = self.present(&write, scope).await?;
        let id = match &before {
            Some(before) => before.row.id,
            None => IdentityProviderId::random(&*self.with.entropy),
        };
        let row = provider::Model {
            id,
            tenant_id: scope.tenant(),
            issuer: new.issuer.clone(),
            client_id: new.client_id.clone(),
            sealed_secret: self.sealed_secret(id, scope, new, before.as_ref())?,
            ca_certificate: new.ca_certificate.clone(),
            default_role_id: new.default_role.map(Role::id),
            default_role_expires_at,
            emergency_user_id: new.emergency_user,
            enabled: new.enabled,
            revision: before.as_ref().map_or(1, |before| before.row.revision + 1),
            created_at: before.as_ref().map_or(scope.now(), |before| before.row.created_at),
            updated_at: scope.now(),
            updated_by: scope.caller().name(),
        };
        let after = Provider { row, domains: new.domains.clone() };
        store(&write, before.as_ref(), &after).await?;
        require_way_in(&write, scope).await?;
        self.record(&write, scope, "setIdentityProvider", (before.as_ref(), Some(&after))).await?;
        Ok(after)
    }

    /// The secret in the input, else the stored one. The stored one is used only with the same issuer
    /// and certificates, so that it is never sent to another server.
    fn sealed_secret(
        &self,
        id: IdentityProviderId,
        scope: &TenantScope,
        new: &NewProvider,
        before: Option<&Provider>,
    ) -> Result<Vec<u8>> {
        if let Some(secret) = &new.client_secret {
            let binding = binding(id, scope.tenant());
            let plain = secret.expose().as_bytes();
            return Ok(self.with.master.seal(&*self.with.entropy, &binding, plain));
        }
        let is_same = |before: &&Provider| {
            before.row.issuer == new.issuer && before.row.ca_certificate == new.ca_certificate
        };
        let kept = before.filter(is_same);
        let must = "is required for a new provider, another issuer or other certificates";
        let kept = kept.ok_or_else(|| Error::bad_input("clientSecret", must))?;
        Ok(kept.row.sealed_secret.clone())
    }

    async fn present(&self, write: &Write<'_>, scope: &TenantScope) -> Result<Option<Provider>> {
        let locked = provider::Entity::of_this_tenant(scope).lock_exclusive();
        match locked.one(write.on()).await? {
            Some(row) => Ok(Some(with_domains(write.on(), row).await?)),
            None => Ok(None),
        }
    }

    /// Removes the provider of the scope's tenant and all links to its accounts: people sign in
    /// with passwords again. Returns its id.
    ///
    /// # Errors
    /// `NOT_FOUND` if there is none, `CONFLICT` and `FORBIDDEN` as for [`SingleSignOn::set`].
    pub async fn remove(&self, scope: &TenantScope) -> Result<IdentityProviderId> {
        scope.change(&self.with.database, |write| self.remove_in(write, scope)).await
    }

    async fn remove_in(
        &self,
        write: Arc<Write<'_>>,
        scope: &TenantScope,
    ) -> Result<IdentityProviderId> {
        write.lock(AdvisoryLock::IdentityProviders).await?;
        require_authority_over_all(&write, scope).await?;
        let before = self.present(&write, scope).await?.ok_or_else(|| Error::not_found(WHAT))?;
        identity::Entity::forget_all_of(scope.tenant()).exec(write.on()).await?;
        let id = before.row.id;
        self.record(&write, scope, "removeIdentityProvider", (Some(&before), None)).await?;
        before.row.delete(write.on()).await?;
        require_way_in(&write, scope).await?;
        Ok(id)
    }

    /// Reads the provider's metadata and keys as a sign-in would, and no older ones.
    ///
    /// # Errors
    /// `NOT_FOUND` if the scope's tenant has no provider.
    pub async fn test(&self, scope: &TenantScope) -> Result<Tested> {
        let provider = self.find(scope).await?.ok_or_else(|| Error::not_found(WHAT))?;
        let client = self.client(&provider.row, scope.request_id());
        Ok(match self.discovery.fresh(&provider.row, &client).await {
            Ok(metadata) => Tested {
                problem: None,
                authorization_endpoint: Some(metadata.authorization_endpoint().to_string()),
                names_itself: metadata
                    .additional_metadata()
                    .authorization_response_iss_parameter_supported,
            },
            Err(fault) => {
                Tested { problem: Some(fault), authorization_endpoint: None, names_itself: false }
            }
        })
    }

    async fn record(
        &self,
        write: &Write<'_>,
        scope: &TenantScope,
        operation: &'static str,
        (before, after): (Option<&Provider>, Option<&Provider>),
    ) -> Result<()> {
        let one = before.or(after).ok_or_else(|| Error::internal("nothing to record"))?;
        let entry = Entry {
            operation,
            tenant: scope.tenant(),
            subject: one.row.id.to_string(),
            before: before.map(Provider::state),
            after: after.map(Provider::state),
        };
        audit::record(write.on(), &*self.with.entropy, scope, entry).await
    }
}

/// Writes a provider with its domains. Links to accounts of another issuer are deleted.
async fn store(write: &Write<'_>, before: Option<&Provider>, after: &Provider) -> Result<()> {
    let row = after.row.clone().into_active_model();
    match before {
        Some(before) => {
            let row = row.reset_all();
            provider::Entity::update(row).exec(write.on()).await?;
            domain::Entity::forget(after.row.id).exec(write.on()).await?;
            if before.row.issuer != after.row.issuer {
                identity::Entity::forget_all_of(after.row.tenant_id).exec(write.on()).await?;
            }
        }
        None => {
            provider::Entity::insert(row).exec_without_returning(write.on()).await?;
        }
    }
    let domains = after.domains.iter().map(|name| domain::ActiveModel {
        provider_id: Set(after.row.id),
        domain: Set(name.clone()),
    });
    domain::Entity::insert_many(domains).exec_without_returning(write.on()).await?;
    Ok(())
}

/// Refuses a caller who may do less than one of the tenant's people: the provider that the caller
/// sets could sign in as any of them.
async fn require_authority_over_all(write: &Write<'_>, scope: &TenantScope) -> Result<()> {
    let held = person::roles_of_all(scope.tenant()).into_tuple::<person::Held>();
    for (role, tenant, expires_at) in held.all(write.on()).await? {
        if !scope.has_authority_over(role, tenant, expires_at).await? {
            let message = "a user of the tenant holds a role that permits more than the caller \
                           may do, or for longer";
            return Err(Error::forbidden(message));
        }
    }
    Ok(())
}

/// The emergency user is one of the tenant's own people; foreign ones and unknown ones look alike.
async fn require_user(write: &Write<'_>, scope: &TenantScope, user: UserId) -> Result<()> {
    let found = person::with_id(scope.tenant(), user).one(write.on()).await?;
    let must = "must be a user of the tenant in context";
    found.map(drop).ok_or_else(|| Error::bad_input("emergencyUserID", must))
}

/// Requires that an administrator who can sign in is left wherever the caller is one: a provider
/// rules out passwords, and without it its accounts lead nowhere.
async fn require_way_in(write: &Write<'_>, scope: &TenantScope) -> Result<()> {
    let own = own_holds(write, scope).await?;
    require_administrators(write, scope, &own).await
}
