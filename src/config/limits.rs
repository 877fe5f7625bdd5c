use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{friendly_duration, ranges};

/// What one GraphQL request may cost. The same holds over POST, GET, WebSocket and server-sent
/// events, and all but the time is judged before any resolver runs. The size of a body is
/// `server.body_limit`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// The longest document, in bytes, from 256 to 1048576.
    /// Variable `TENANT_GATEWAY__LIMITS__DOCUMENT`, default `65536`.
    pub document: usize,

    /// The longest path and query of a URL, in bytes, from 256 to 65000.
    /// Variable `TENANT_GATEWAY__LIMITS__URL`, default `8192`.
    pub url: usize,

    /// The most tokens in a document, from 10 to 100000.
    /// Variable `TENANT_GATEWAY__LIMITS__TOKENS`, default `2000`.
    pub tokens: usize,

    /// How many fields may be nested, from 1 to 64.
    /// Variable `TENANT_GATEWAY__LIMITS__DEPTH`, default `15`.
    pub depth: usize,

    /// How many fields may be nested beneath `__schema` and `__type`, these included, from 1 to 64.
    /// Variable `TENANT_GATEWAY__LIMITS__INTROSPECTION_DEPTH`, default `25`.
    pub introspection_depth: usize,

    /// How many brackets of a document may be nested, and how many selection sets once fragments
    /// stand where they are spread, from 4 to 128. It bounds the stack that reading a document
    /// takes. Variable `TENANT_GATEWAY__LIMITS__NESTING`, default `64`.
    pub nesting: usize,

    /// How many objects and lists of a JSON body may be nested, from 4 to 120.
    /// Variable `TENANT_GATEWAY__LIMITS__JSON_NESTING`, default `64`.
    pub json_nesting: usize,

    /// The most fields of an operation once its fragments are expanded and its fields merged, from
    /// 1 to 1000000. Variable `TENANT_GATEWAY__LIMITS__FIELDS`, default `10000`.
    pub fields: u64,

    /// The most an operation may weigh, from 100 to 1000000000. A field weighs 1, and one that
    /// answers objects 5 more for each object, and all that is selected of it. How many objects,
    /// `first`, `last`, `count`, `perPage` or `limit` says: 50 if it is absent; a list that takes
    /// no size counts as 20. Variable `TENANT_GATEWAY__LIMITS__COST`, default `500000`.
    pub cost: u64,

    /// The most aliases of an operation once its fragments are expanded and its fields merged, at
    /// most 10000. Variable `TENANT_GATEWAY__LIMITS__ALIASES`, default `30`.
    pub aliases: u64,

    /// The most fields at the root of an operation, from 1 to 10000.
    /// Variable `TENANT_GATEWAY__LIMITS__ROOT_FIELDS`, default `20`.
    pub root_fields: u64,

    /// The most fragment definitions of a document, at most 1000.
    /// Variable `TENANT_GATEWAY__LIMITS__FRAGMENTS`, default `50`.
    pub fragments: usize,

    /// The most operations of a document, from 1 to 1000.
    /// Variable `TENANT_GATEWAY__LIMITS__OPERATIONS`, default `10`.
    pub operations: usize,

    /// The most directives of a document, at most 10000.
    /// Variable `TENANT_GATEWAY__LIMITS__DIRECTIVES`, default `20`.
    pub directives: u64,

    /// The largest response in bytes of JSON, from 65536 to 1099511627776. What a response takes in
    /// memory while it is built also counts against the caller's share of `budget.responses`.
    /// Variable `TENANT_GATEWAY__LIMITS__RESPONSE`, default `33554432`.
    pub response: usize,

    /// The most errors of one answer, from 1 to 10000; how many were left out is told in
    /// `extensions.errorsOmitted`. Variable `TENANT_GATEWAY__LIMITS__ERRORS`, default `20`.
    pub errors: usize,

    /// The most operations of a batch, where `graphql.batching` is on, from 1 to 100.
    /// Variable `TENANT_GATEWAY__LIMITS__BATCH`, default `10`.
    pub batch: usize,

    /// How long a query may take, from 100 milliseconds to 10 minutes. A mutation is never cut
    /// short. Variable `TENANT_GATEWAY__LIMITS__EXECUTION`, default `30s`.
    #[serde(with = "friendly_duration")]
    pub execution: Duration,

    /// The most operations that run at once on one WebSocket, from 1 to 10000.
    /// Variable `TENANT_GATEWAY__LIMITS__SUBSCRIPTIONS`, default `100`.
    pub subscriptions: usize,

    /// The most open WebSockets and event streams of this node, from 1 to 1000000.
    /// Variable `TENANT_GATEWAY__LIMITS__STREAMS`, default `5000`.
    pub streams: usize,

    /// How long a new WebSocket may wait with its `connection_init`, from 100 milliseconds to 1
    /// minute. Variable `TENANT_GATEWAY__LIMITS__CONNECTION_INIT`, default `5s`.
    #[serde(with = "friendly_duration")]
    pub connection_init: Duration,

    /// The most calls of legacy systems that an operation makes for one tenant, repeated ones
    /// counted each, from 1 to 1000000. Variable
    /// `TENANT_GATEWAY__LIMITS__UPSTREAM_CALLS_PER_TENANT`, default `100`.
    pub upstream_calls_per_tenant: u64,

    /// The most calls of legacy systems that an operation makes in all, from 1 to 1000000.
    /// Variable `TENANT_GATEWAY__LIMITS__UPSTREAM_CALLS`, default `2000`.
    pub upstream_calls: u64,

    /// Of how many tenants an operation asks the legacy systems at the same time, from 1 to 1000.
    /// Variable `TENANT_GATEWAY__LIMITS__TENANTS_AT_ONCE`, default `8`.
    pub tenants_at_once: usize,

    /// How long one tenant's part of a query over several may take, from 100 milliseconds to 10
    /// minutes. Variable `TENANT_GATEWAY__LIMITS__TENANT_DEADLINE`, default `10s`.
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
        // The HTTP library refuses longer ones itself.
        ranges::number(self.url, 256..=65_000)?;
        ranges::number(self.tokens, 10..=100_000)?;
        ranges::number(self.depth, 1..=64)?;
        ranges::number(self.introspection_depth, 1..=64)?;
        ranges::number(self.nesting, 4..=128)?;
        // The JSON library refuses 128.
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
