//! Tenants of an installation in the graph.

use std::sync::Arc;

use async_graphql::{ID, Object};

use super::choices::{DeepSecurityLocale, DeepSecurityTenantState, DeepSecurityVisibleModule};
use super::module::{date, moment, text};
use crate::deep_security::manager::Manager;
use crate::deep_security::model::IdScope;
use crate::deep_security::wire::{Tenant, Word};
use crate::global_id::NodeKind;
use crate::graph::graphql::DateTime;

/// A tenant of an installation in the graph.
pub struct TenantObject {
    ids: IdScope,
    wire: Tenant,
}

impl TenantObject {
    /// A tenant that was read.
    pub fn new(manager: &Arc<Manager>, wire: Tenant) -> Self {
        Self { ids: manager.ids(), wire }
    }

    pub(super) fn wire(&self) -> &Tenant {
        &self.wire
    }
}

/// A tenant of an installation, as its primary manager knows it.
#[Object(name = "DeepSecurityTenant")]
impl TenantObject {
    /// The global id: opaque, and unique over all types, tenants and installations.
    pub async fn id(&self) -> ID {
        ID(self.ids.global(NodeKind::DeepSecurityTenant, self.wire.id))
    }

    /// The vendor's id, unique in its installation only: the `remoteTenantID` of a link.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        ID(self.wire.id.to_string())
    }

    /// The name.
    async fn name(&self) -> Option<&str> {
        self.wire.name.as_deref()
    }

    /// What it is.
    async fn description(&self) -> Option<&str> {
        self.wire.description.as_deref()
    }

    /// The GUID by which its managers know it.
    async fn guid(&self) -> Option<&str> {
        self.wire.guid.as_deref()
    }

    /// Its language and country.
    async fn locale(&self) -> Option<DeepSecurityLocale> {
        text(&self.wire.locale).map(DeepSecurityLocale::read)
    }

    /// The vendor's own word for the locale.
    async fn locale_text(&self) -> Option<&str> {
        text(&self.wire.locale)
    }

    /// The IANA name of its zone.
    async fn time_zone(&self) -> Option<&str> {
        self.wire.time_zone.as_deref()
    }

    /// Its state; the gateway works with active ones alone.
    async fn tenant_state(&self) -> Option<DeepSecurityTenantState> {
        text(&self.wire.tenant_state).map(DeepSecurityTenantState::read)
    }

    /// The vendor's own word for the state.
    async fn tenant_state_text(&self) -> Option<&str> {
        text(&self.wire.tenant_state)
    }

    /// The modules that it sees.
    async fn modules_visible(&self) -> Option<Vec<DeepSecurityVisibleModule>> {
        let modules = self.wire.modules_visible.as_ref()?;
        Some(
            modules.iter().map(|module| DeepSecurityVisibleModule::read(module.as_str())).collect(),
        )
    }

    /// The vendor's own words for the modules.
    async fn modules_visible_text(&self) -> Option<Vec<&str>> {
        Some(self.wire.modules_visible.as_ref()?.iter().map(Word::as_str).collect())
    }

    /// When somebody last signed in.
    async fn last_sign_in_at(&self) -> Option<DateTime> {
        moment(self.wire.last_sign_in)
    }

    /// When somebody last signed in, in RFC 3339.
    #[graphql(deprecation = "use lastSignInAt; offered until 2027-12-31")]
    async fn last_sign_in(&self) -> Option<String> {
        date(self.wire.last_sign_in)
    }
}
