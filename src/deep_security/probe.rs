//! Tests of an installation: whether it accepts the gateway's credential and has a link's tenant.

use std::sync::Arc;

use super::client::{self, ApiRequest};
use super::manager::Manager;
use super::model::{Expand, ObjectId};
use super::query::ListQuery;
use super::wire::{Computer, CurrentKey, Resource, Tenant};
use crate::error::{Error, Result};
use crate::outbound::Operation;
use crate::projection::Plan;
use crate::upstreams::Credential;

impl Manager {
    /// Reads the current key, or one computer with a Cloud One credential: not every edition of
    /// that API has a resource for the current key (`docs/reference/deep-security-api.md`, section
    /// 3).
    ///
    /// # Errors
    /// `UPSTREAM_UNAUTHORIZED` if the installation refuses the credential; as [`Manager::send`].
    pub(super) async fn probe(&self, operation: &Operation) -> Result<()> {
        match &*self.connection.credential {
            Credential::CloudOneApiKey(_) => {
                let one = ListQuery::parse(Some(1), None, None, Vec::new())?;
                let plan = Arc::new(Plan::of_identity(&Computer::identity()));
                let one = one.expanded(Expand::NONE);
                self.list::<Computer>(operation, &one, &plan, usize::MAX).await.map(drop)
            }
            _ => self.read::<CurrentKey>(operation, &ApiRequest::current_key()).await.map(drop),
        }
    }

    /// Verifies that the installation has the tenant that the link names. The primary manager is
    /// asked for the tenant; a link that names none means the tenant of the credential itself.
    ///
    /// # Errors
    /// `NOT_FOUND` or `BAD_USER_INPUT` naming the id if there is no such tenant; as
    /// [`Manager::send`].
    pub(super) async fn verify_link(&self, operation: &Operation) -> Result<()> {
        let Some(id) = self.connection.remote_tenant_id.as_deref() else {
            return self.probe(operation).await;
        };
        let id = ObjectId::parse(Tenant::KIND, id).map_err(|_| {
            let must = format!("`{id}` is not a Deep Security tenant: tenant ids are numbers");
            Error::bad_input("remoteTenantID", &must)
        })?;
        match self.find::<Tenant>(operation, id, None).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.explain_missing_tenant(operation, error, id).await),
        }
    }

    /// The error of a link whose tenant could not be read. A key of a tenant other than the primary
    /// sees no tenants, not even its own.
    async fn explain_missing_tenant(
        &self,
        operation: &Operation,
        error: Error,
        id: ObjectId,
    ) -> Error {
        let status = error.upstream().and_then(|upstream| upstream.status);
        let Some(status @ (401 | 403 | 404)) = status else { return error };
        if !matches!(&*self.connection.credential, Credential::SecretKey(_)) {
            return self.name_missing_tenant(error, id);
        }
        let own = self.read::<CurrentKey>(operation, &ApiRequest::current_key()).await;
        let Ok(own) = own else { return self.name_missing_tenant(error, id) };
        if own.tenant_id == Some(id.0) {
            let must = format!(
                "leave it out: the upstream's credential is a key of tenant {} itself, \
                 so a link without it means that tenant",
                id.0
            );
            return Error::bad_input("remoteTenantID", &must);
        }
        if status == 404 {
            self.name_missing_tenant(error, id)
        } else {
            client::lacks_right(&self.connection.installation_route(), status)
        }
    }
}
