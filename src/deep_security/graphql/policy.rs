//! Policies in the graph.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::choices::{DeepSecurityScanMode, DeepSecuritySwitch};
use super::module::{PolicyModuleObject, reference, text};
use super::reading::once;
use crate::deep_security::manager::Manager;
use crate::deep_security::wire::Policy;
use crate::error::Result;
use crate::global_id::NodeKind;

/// A policy in the graph.
pub struct PolicyObject {
    manager: Arc<Manager>,
    wire: Arc<Policy>,
}

impl PolicyObject {
    /// A policy that was read.
    pub fn new(manager: &Arc<Manager>, wire: impl Into<Arc<Policy>>) -> Self {
        Self { manager: manager.clone(), wire: wire.into() }
    }

    pub(super) fn wire(&self) -> &Policy {
        &self.wire
    }
}

/// A policy, with what it inherits from its parent.
#[Object(name = "DeepSecurityPolicy")]
impl PolicyObject {
    /// The global id: opaque, and unique over all types, tenants and installations.
    pub async fn id(&self) -> ID {
        ID(self.manager.ids().global(NodeKind::DeepSecurityPolicy, self.wire.id))
    }

    /// The vendor's id, unique in its tenant only.
    #[graphql(name = "remoteID")]
    async fn remote_id(&self) -> ID {
        ID(self.wire.id.to_string())
    }

    /// The policy that it inherits from; absent at the top.
    #[graphql(name = "parentID")]
    async fn parent_id(&self) -> Option<ID> {
        reference(self.wire.parent_id)
    }

    /// The policy that it inherits from. Each policy is asked for once an operation.
    async fn parent(&self, ctx: &Context<'_>) -> Result<Option<Self>> {
        match self.wire.parent_id.filter(|id| *id != 0) {
            Some(id) => {
                Ok(Some(Self::new(&self.manager, once::<Policy>(ctx, &self.manager, id).await?)))
            }
            None => Ok(None),
        }
    }

    /// The name.
    async fn name(&self) -> Option<&str> {
        self.wire.name.as_deref()
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.wire.description.as_deref()
    }

    /// Whether changes reach computers by themselves.
    async fn auto_requires_update(&self) -> Option<DeepSecuritySwitch> {
        text(&self.wire.auto_requires_update).map(DeepSecuritySwitch::read)
    }

    /// The vendor's own word for it.
    async fn auto_requires_update_text(&self) -> Option<&str> {
        text(&self.wire.auto_requires_update)
    }

    /// Whether recommendation scans go on by themselves.
    async fn recommendation_scan_mode(&self) -> Option<DeepSecurityScanMode> {
        text(&self.wire.recommendation_scan_mode).map(DeepSecurityScanMode::read)
    }

    /// The vendor's own word for it.
    async fn recommendation_scan_mode_text(&self) -> Option<&str> {
        text(&self.wire.recommendation_scan_mode)
    }

    /// Anti-malware.
    async fn anti_malware(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.anti_malware.as_deref().map(PolicyModuleObject)
    }

    /// Web reputation.
    async fn web_reputation(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.web_reputation.as_deref().map(PolicyModuleObject)
    }

    /// Activity monitoring.
    async fn activity_monitoring(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.activity_monitoring.as_deref().map(PolicyModuleObject)
    }

    /// Firewall.
    async fn firewall(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.firewall.as_deref().map(PolicyModuleObject)
    }

    /// Intrusion prevention.
    async fn intrusion_prevention(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.intrusion_prevention.as_deref().map(PolicyModuleObject)
    }

    /// Integrity monitoring.
    async fn integrity_monitoring(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.integrity_monitoring.as_deref().map(PolicyModuleObject)
    }

    /// Log inspection.
    async fn log_inspection(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.log_inspection.as_deref().map(PolicyModuleObject)
    }

    /// Application control.
    async fn application_control(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.application_control.as_deref().map(PolicyModuleObject)
    }

    /// Protection of SAP systems.
    async fn sap(&self) -> Option<PolicyModuleObject<'_>> {
        self.wire.sap.as_deref().map(PolicyModuleObject)
    }
}
