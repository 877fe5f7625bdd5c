//! The labels of each family of figures.

use prometheus_client::encoding::EncodeLabelSet;

use super::tenants::TenantLabel;

/// The labels of HTTP requests.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct RequestLabels {
    pub method: &'static str,
    pub status: u16,
}

/// The labels of GraphQL operations.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct OperationLabels {
    pub transport: &'static str,
    pub kind: &'static str,
    pub code: &'static str,
    pub tenant: TenantLabel,
}

/// The labels of the operations' duration: fewer, since each combination is a whole histogram.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct KindLabels {
    pub transport: &'static str,
    pub kind: &'static str,
}

/// The labels of calls of legacy systems.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct CallLabels {
    pub system: &'static str,
    pub kind: &'static str,
    pub outcome: &'static str,
    pub tenant: TenantLabel,
}

/// The labels of the calls' duration: fewer, since each combination is a whole histogram.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct SystemLabels {
    pub system: &'static str,
    pub kind: &'static str,
}

/// The labels of requests of the token endpoint.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct TokenLabels {
    pub outcome: &'static str,
}

/// The labels of spans of traces.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct SpanLabels {
    pub outcome: &'static str,
}

/// The labels of budgets.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct PoolLabels {
    pub pool: &'static str,
}

/// The labels of circuits.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct CircuitLabels {
    pub system: &'static str,
    pub state: &'static str,
}

/// The label of figures by state: connections, tasks, keys.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct StateLabels {
    pub state: &'static str,
}

/// The labels of verifications of audit chains.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct AuditLabels {
    pub outcome: &'static str,
}
