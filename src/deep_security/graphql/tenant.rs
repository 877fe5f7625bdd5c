//! The GraphQL type of tenants of an installation.

use std::sync::Arc;

use async_graphql::{ID, Object};

use super::connection_node::ConnectionNode;
use super::convert::{date_text, date_time, text};
use super::enums::{DeepSecurityLocale, DeepSecurityTenantState, DeepSecurityVisibleModule};
use crate::deep_security::manager::Manager;
use crate::deep_security::model::IdScope;
use crate::deep_security::wire::{EnumText, Tenant};
use crate::global_id::NodeKind;
use crate::graph::graphql::DateTime;

/// The GraphQL type of a tenant of an installation.
pub struct TenantObject {
    ids: IdScope,
    wire: Tenant,
}

impl TenantObject {
    /// A tenant of an installation.
    pub fn new(manager: &Arc<Manager>, wire: Tenant) -> Self {
        Self { ids: manager.ids(), wire }
    }
}

impl ConnectionNode for TenantObject {
    type Resource = Tenant;
    const CONNECTION: &'static str = "DeepSecurityTenantConnection";
    const EDGE: &'static str = "DeepSecurityTenantEdge";
}

/// A tenant of a Deep Security installation, as its primary manager knows it.
#[Object(name = "DeepSecurityTenant")]
impl TenantObject {
    /// The global id. Opaque; unique across types, tenants and upstreams.
    pub async fn id(&self) -> ID {
        ID(self.ids.global(NodeKind::DeepSecurityTenant, self.wire.id))
    }

    /// The vendor's id, unique only within the installation. `UpstreamLink.remoteTenantID` refers
    /// to it.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        ID(self.wire.id.to_string())
    }

    /// The name.
    async fn name(&self) -> Option<&str> {
        self.wire.name.as_deref()
    }

    /// The description.
    async fn description(&self) -> Option<&str> {
        self.wire.description.as_deref()
    }

    /// The managers' GUID of the tenant.
    async fn guid(&self) -> Option<&str> {
        self.wire.guid.as_deref()
    }

    /// The locale.
    async fn locale(&self) -> Option<DeepSecurityLocale> {
        text(&self.wire.locale).map(DeepSecurityLocale::from_vendor)
    }

    /// The locale as the vendor spells it.
    async fn locale_text(&self) -> Option<&str> {
        text(&self.wire.locale)
    }

    /// The IANA name of the time zone.
    async fn time_zone(&self) -> Option<&str> {
        self.wire.time_zone.as_deref()
    }

    /// The tenant's state. The gateway serves only active tenants.
    async fn tenant_state(&self) -> Option<DeepSecurityTenantState> {
        text(&self.wire.tenant_state).map(DeepSecurityTenantState::from_vendor)
    }

    /// The state as the vendor spells it.
    async fn tenant_state_text(&self) -> Option<&str> {
        text(&self.wire.tenant_state)
    }

    /// The modules that the tenant sees.
    async fn modules_visible(&self) -> Option<Vec<DeepSecurityVisibleModule>> {
        let modules = self.wire.modules_visible.as_ref()?;
        let modules = modules.iter().map(EnumText::as_str);
        Some(modules.map(DeepSecurityVisibleModule::from_vendor).collect())
    }

    /// The modules as the vendor spells them.
    async fn modules_visible_text(&self) -> Option<Vec<&str>> {
        Some(self.wire.modules_visible.as_ref()?.iter().map(EnumText::as_str).collect())
    }

    /// When a user last signed in.
    async fn last_sign_in_at(&self) -> Option<DateTime> {
        date_time(self.wire.last_sign_in)
    }

    /// When a user last signed in, in RFC 3339.
    #[graphql(deprecation = "use lastSignInAt; offered until 2027-12-31")]
    async fn last_sign_in(&self) -> Option<String> {
        date_text(self.wire.last_sign_in)
    }
}
