use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// Limits of one GraphQL request. They are the same over POST, GET, WebSocket and server-sent
/// events; all but the time limits are checked before any resolver runs. The size of a body is
/// limited by `server.body_limit`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// The maximum length of a document in bytes, from 256 to 1048576.
    /// Variable `TENANT_GATEWAY__LIMITS__DOCUMENT`, default `65536`.
    pub document: usize,

    /// The maximum length of a URL's path and query in bytes, from 256 to 65000.
    /// Variable `TENANT_GATEWAY__LIMITS__URL`, default `8192`.
    pub url: usize,

    /// The maximum number of tokens of a document, from 10 to 100000.
    /// Variable `TENANT_GATEWAY__LIMITS__TOKENS`, default `2000`.
    pub tokens: usize,

    /// The maximum depth of nested fields, from 1 to 64.
    /// Variable `TENANT_GATEWAY__LIMITS__DEPTH`, default `15`.
    pub depth: usize,

    /// The maximum depth of fields from `__schema` and `__type` on, these included, from 1 to 64.
    /// Variable `TENANT_GATEWAY__LIMITS__INTROSPECTION_DEPTH`, default `25`.
    pub introspection_depth: usize,

    /// The maximum depth of nested brackets of a document, and of nested selection sets after
    /// fragment expansion, from 4 to 128. It bounds the stack of the parser. Variable
    /// `TENANT_GATEWAY__LIMITS__NESTING`, default `64`.
    pub nesting: usize,

    /// The maximum depth of objects and lists of a JSON body, from 4 to 120.
    /// Variable `TENANT_GATEWAY__LIMITS__JSON_NESTING`, default `64`.
    pub json_nesting: usize,

    /// The maximum number of fields of an operation after fragment expansion and field merging,
    /// from 1 to 1000000. Variable `TENANT_GATEWAY__LIMITS__FIELDS`, default `10000`.
    pub fields: u64,

    /// The maximum cost of an operation, from 100 to 1000000000. A field costs 1; one that returns
    /// objects costs 5 more for each object, plus the cost of the object's selection. The number of
    /// objects is `first`, `last`, `count`, `perPage` or `limit`, or 50 if absent; a list without
    /// such an argument counts as 20. Variable `TENANT_GATEWAY__LIMITS__COST`, default `500000`.
    pub cost: u64,

    /// The maximum number of aliases of an operation after fragment expansion and field merging, at
    /// most 10000. Variable `TENANT_GATEWAY__LIMITS__ALIASES`, default `30`.
    pub aliases: u64,

    /// The maximum number of root fields of an operation, from 1 to 10000.
    /// Variable `TENANT_GATEWAY__LIMITS__ROOT_FIELDS`, default `20`.
    pub root_fields: u64,

    /// The maximum number of fragment definitions of a document, at most 1000.
    /// Variable `TENANT_GATEWAY__LIMITS__FRAGMENTS`, default `50`.
    pub fragments: usize,

    /// The maximum number of operations of a document, from 1 to 1000.
    /// Variable `TENANT_GATEWAY__LIMITS__OPERATIONS`, default `10`.
    pub operations: usize,

    /// The maximum number of directives of a document, at most 10000.
    /// Variable `TENANT_GATEWAY__LIMITS__DIRECTIVES`, default `20`.
    pub directives: u64,

    /// The maximum size of a response in bytes of JSON, from 65536 to 1099511627776. Its memory
    /// while it is built also counts against the caller's share of `budget.responses`. Variable
    /// `TENANT_GATEWAY__LIMITS__RESPONSE`, default `33554432`.
    pub response: usize,

    /// The maximum number of errors of a response, from 1 to 10000; `extensions.errorsOmitted` is
    /// the number of the others. Variable `TENANT_GATEWAY__LIMITS__ERRORS`, default `20`.
    pub errors: usize,

    /// The maximum number of operations of a batch if `graphql.batching` is on, from 1 to 100.
    /// Variable `TENANT_GATEWAY__LIMITS__BATCH`, default `10`.
    pub batch: usize,

    /// The time limit of a query, from 100 milliseconds to 10 minutes. Mutations are never cut
    /// short. Variable `TENANT_GATEWAY__LIMITS__EXECUTION`, default `30s`.
    #[serde(with = "friendly_duration")]
    pub execution: Duration,

    /// The maximum number of operations running on one WebSocket, from 1 to 10000.
    /// Variable `TENANT_GATEWAY__LIMITS__SUBSCRIPTIONS`, default `100`.
    pub subscriptions: usize,

    /// The maximum number of open WebSockets and event streams of this node, from 1 to 1000000.
    /// Variable `TENANT_GATEWAY__LIMITS__STREAMS`, default `5000`.
    pub streams: usize,

    /// The time limit for the `connection_init` of a new WebSocket, from 100 milliseconds to 1
    /// minute. Variable `TENANT_GATEWAY__LIMITS__CONNECTION_INIT`, default `5s`.
    #[serde(with = "friendly_duration")]
    pub connection_init: Duration,

    /// The maximum number of calls of legacy systems of an operation for one tenant, retries
    /// included, from 1 to 1000000. Variable
    /// `TENANT_GATEWAY__LIMITS__UPSTREAM_CALLS_PER_TENANT`, default `100`.
    pub upstream_calls_per_tenant: u64,

    /// The maximum number of calls of legacy systems of an operation, from 1 to 1000000.
    /// Variable `TENANT_GATEWAY__LIMITS__UPSTREAM_CALLS`, default `2000`.
    pub upstream_calls: u64,

    /// The number of tenants whose legacy systems an operation calls at the same time, from 1 to
    /// 1000. Variable `TENANT_GATEWAY__LIMITS__TENANTS_AT_ONCE`, default `8`.
    pub tenants_at_once: usize,

    /// The time limit of one tenant's part of a query over several tenants, from 100 milliseconds
    /// to 10 minutes. Variable `TENANT_GATEWAY__LIMITS__TENANT_DEADLINE`, default `10s`.
    #[serde(with = "friendly_duration")]
    pub tenant_deadline: Duration,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            document: 64 * 1024,
            url: 8 * 1024,
            tokens: 2000,
            depth: 15,
            introspection_depth: 25,
            nesting: 64,
            json_nesting: 64,
            fields: 10_000,
            cost: 500_000,
            aliases: 30,
            root_fields: 20,
            fragments: 50,
            operations: 10,
            directives: 20,
            response: 32 * 1024 * 1024,
            errors: 20,
            batch: 10,
            execution: Duration::from_secs(30),
            subscriptions: 100,
            streams: 5000,
            connection_init: Duration::from_secs(5),
            upstream_calls_per_tenant: 100,
            upstream_calls: 2000,
            tenants_at_once: 8,
            tenant_deadline: Duration::from_secs(10),
        }
    }
}

impl LimitsConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        ranges::number(self.document, 256..=1024 * 1024)?;
        // `hyper` refuses longer URLs itself.
        ranges::number(self.url, 256..=65_000)?;
        ranges::number(self.tokens, 10..=100_000)?;
        ranges::number(self.depth, 1..=64)?;
        ranges::number(self.introspection_depth, 1..=64)?;
        ranges::number(self.nesting, 4..=128)?;
        // `serde_json` refuses a depth of 128.
        ranges::number(self.json_nesting, 4..=120)?;
        ranges::number(self.fields, 1..=1_000_000)?;
        ranges::number(self.cost, 100..=1_000_000_000)?;
        ranges::number(self.aliases, 0..=10_000)?;
        ranges::number(self.root_fields, 1..=10_000)?;
        ranges::number(self.fragments, 0..=1000)?;
        ranges::number(self.operations, 1..=1000)?;
        ranges::number(self.directives, 0..=10_000)?;
        ranges::number(self.response, 64 * 1024..=1024 * 1024 * 1024 * 1024)?;
        ranges::number(self.errors, 1..=10_000)?;
        ranges::number(self.batch, 1..=100)?;
        ranges::duration(self.execution, Duration::from_millis(100)..=Duration::from_mins(10))?;
        ranges::number(self.subscriptions, 1..=10_000)?;
        ranges::number(self.streams, 1..=1_000_000)?;
        ranges::duration(
            self.connection_init,
            Duration::from_millis(100)..=Duration::from_mins(1),
        )?;
        ranges::number(self.upstream_calls_per_tenant, 1..=1_000_000)?;
        ranges::number(self.upstream_calls, 1..=1_000_000)?;
        ranges::number(self.tenants_at_once, 1..=1000)?;
        ranges::duration(self.tenant_deadline, Duration::from_millis(100)..=Duration::from_mins(10))
    }
}
