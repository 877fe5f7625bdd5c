use serde::{Deserialize, Serialize};

/// What the GraphQL endpoint offers.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct GraphqlConfig {
    /// Who may read the schema through `__schema` and `__type`: `authenticated` or `off`.
    /// Variable `TENANT_GATEWAY__GRAPHQL__INTROSPECTION`, default `authenticated`.
    pub introspection: Introspection,
}

/// Who may read the schema. There is no mode for everybody: without a valid token a request is refused before its
/// document is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Introspection {
    /// Any valid token.
    #[default]
    Authenticated,
    /// Nobody.
    Off,
}
