//! Tenant ids as values of a label, within bounds.

use std::collections::HashSet;
use std::fmt::{self, Write as _};
use std::sync::{PoisonError, RwLock};

use prometheus_client::encoding::{EncodeLabelValue, LabelValueEncoder};

use crate::ids::TenantId;

/// The most tenants whose id becomes a label; all others are counted together as `other`.
pub const TENANTS_MAX: usize = 1_000;

/// The value of the label `tenant`.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub(super) enum TenantLabel {
    /// No tenant is named, since the operator did not opt in.
    Hidden,
    One(TenantId),
    Other,
}

impl EncodeLabelValue for TenantLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self {
            Self::Hidden => Ok(()),
            Self::One(tenant) => write!(encoder, "{tenant}"),
            Self::Other => encoder.write_str("other"),
        }
    }
}

/// The tenants that have a label of their own: the first that were seen.
pub(super) struct TenantLabels(Option<RwLock<HashSet<TenantId>>>);

impl TenantLabels {
    pub(super) fn new(by_tenant: bool) -> Self {
        Self(by_tenant.then(RwLock::default))
    }

    pub(super) fn label(&self, tenant: TenantId) -> TenantLabel {
        let Some(known) = &self.0 else { return TenantLabel::Hidden };
        if known.read().unwrap_or_else(PoisonError::into_inner).contains(&tenant) {
            return TenantLabel::One(tenant);
        }
        let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= TENANTS_MAX && !known.contains(&tenant) {
            return TenantLabel::Other;
        }
        known.insert(tenant);
        TenantLabel::One(tenant)
    }
}
