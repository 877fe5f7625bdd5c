//! The labels of each family of figures.

use prometheus_client::encoding::EncodeLabelSet;

use super::tenants::TenantLabel;

/// Of a request.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct RequestLabels {
    pub method: &'static str,
    pub status: u16,
}

/// Of an operation.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct OperationLabels {
    pub transport: &'static str,
    pub kind: &'static str,
    pub code: &'static str,
    pub tenant: TenantLabel,
}

/// Of the time of an operation.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct KindLabels {
    pub transport: &'static str,
    pub kind: &'static str,
}

/// Of a call of a legacy system.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct CallLabels {
    pub system: &'static str,
    pub kind: &'static str,
    pub outcome: &'static str,
    pub tenant: TenantLabel,
}

/// Of the time of a call.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct SystemLabels {
    pub system: &'static str,
    pub kind: &'static str,
}

/// Of a request for a token.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct TokenLabels {
    pub outcome: &'static str,
}

/// Of a budget.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct PoolLabels {
    pub pool: &'static str,
}

/// Of circuits.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct CircuitLabels {
    pub system: &'static str,
    pub state: &'static str,
}

/// Of things that are in a state.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct StateLabels {
    pub state: &'static str,
}
