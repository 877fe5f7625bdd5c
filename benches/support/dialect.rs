//! SQL statements that fill a database with clients: a million calls of the service would take
//! hours.

use tenant_gateway::ids::TenantId;
use tenant_gateway::roles::Role;

use super::Engine;

/// The rows per statement: enough to be fast, few enough for SQLite to checkpoint its log in
/// between.
const BATCH: u32 = 100_000;

/// 2026-01-01T00:00:00Z.
const MADE_AT: i64 = 1_767_225_600_000;

impl Engine {
    /// Adds clients to all tenants in turn, each with a role and a copy of the existing secret. A
    /// trigger fills the name index.
    pub(super) fn fill(self, count: u32) -> Vec<String> {
        let batches = (1..=count).step_by(BATCH as usize);
        let mut statements: Vec<String> =
            batches.map(|first| self.insert_clients(first, count.min(first + BATCH - 1))).collect();
        let uuid = self.random_uuid();
        let analyst = self.uuid(&Role::Analyst.id().to_string());
        statements.push(format!(
            "INSERT INTO role_assignments (id, client_id, tenant_id, role_id, created_at, created_by)
            SELECT {uuid}, id, tenant_id, {analyst}, {MADE_AT}, 'operator' FROM clients WHERE name LIKE 'app-%'"
        ));
        statements.push(format!(
            "INSERT INTO client_secrets (id, client_id, hash, last_four, created_at)
            SELECT {uuid}, c.id, s.hash, s.last_four, {MADE_AT}
            FROM (SELECT hash, last_four FROM client_secrets LIMIT 1) s CROSS JOIN clients c WHERE c.name LIKE 'app-%'"
        ));
        if self == Self::Postgres {
            // As autovacuum would do a minute later.
            statements.push("VACUUM ANALYZE".to_owned());
        }
        statements
    }

    /// Adds tenants below a root: in groups of a hundred, each below a tenant of its own, and one
    /// in a hundred disabled.
    pub(super) fn plant(self, root: TenantId, count: u32) -> Vec<String> {
        let numbers = self.numbers(1, count);
        let own = self.numbered_uuid("i");
        let group = self.numbered_uuid("i - i % 100");
        let root = self.uuid(&root.to_string());
        let digits = self.hexadecimal("i * 2654435761 % 4294967296");
        let is_grouped = "i % 100 > 0 AND i > 100";
        vec![
            format!(
                "INSERT INTO tenants (id, parent_id, name, name_folded, is_partner, is_organization,
                    enabled, created_at, updated_at)
                WITH {numbers}
                SELECT {own}, CASE WHEN {is_grouped} THEN {group} ELSE {root} END,
                    'Customer ' || {digits}, 'customer ' || {digits}, FALSE, FALSE, i % 100 <> 50,
                    {MADE_AT}, {MADE_AT}
                FROM numbers"
            ),
            Self::ancestors(&numbers, [&own, &own, "0"], "TRUE"),
            Self::ancestors(&numbers, [&own, &group, "1"], is_grouped),
            Self::ancestors(&numbers, [&own, &root, "1"], &format!("NOT ({is_grouped})")),
            Self::ancestors(&numbers, [&own, &root, "2"], is_grouped),
        ]
    }

    /// Adds rows of a tenant, one above it and their distance.
    fn ancestors(numbers: &str, row: [&str; 3], condition: &str) -> String {
        let row = row.join(", ");
        format!(
            "INSERT INTO tenant_ancestors (tenant_id, ancestor_id, distance)
            WITH {numbers} SELECT {row} FROM numbers WHERE {condition}"
        )
    }

    fn numbered_uuid(self, number: &str) -> String {
        match self {
            Self::Sqlite => format!("unhex(printf('%032x', {number}))"),
            Self::Postgres => format!("lpad(to_hex({number}), 32, '0')::uuid"),
        }
    }

    /// Names are `app-` and eight pseudo-random hexadecimal digits, so that one name in seven
    /// hundred contains a trigram such as `abc`; one in ten ends in ` docs`, and five end in `
    /// needle`.
    fn insert_clients(self, first: u32, last: u32) -> String {
        let numbers = self.numbers(first, last);
        let uuid = self.random_uuid();
        let digits = self.hexadecimal("i * 2654435761 % 4294967296");
        let id = self.padded("i");
        format!(
            "INSERT INTO clients (id, client_id, tenant_id, name, name_folded, enabled, token_generation,
                token_request_count, token_request_time, created_at, updated_at, created_by, updated_by)
            WITH {numbers},
            homes AS (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM tenants),
            named AS (
                SELECT i, {id} AS client_id, 'app-' || {digits} || CASE
                    WHEN i <= 5 THEN ' needle' WHEN i % 10 = 0 THEN ' docs' ELSE '' END AS name
                FROM numbers
            )
            SELECT {uuid}, client_id, homes.id, name, name, TRUE, 0, i % 1000, {MADE_AT} + i, {MADE_AT}, {MADE_AT},
                'operator', 'operator'
            FROM named JOIN homes ON homes.place = i % (SELECT count(*) FROM tenants)"
        )
    }

    fn numbers(self, first: u32, last: u32) -> String {
        match self {
            Self::Sqlite => {
                format!(
                    "RECURSIVE numbers(i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM numbers WHERE i < {last})"
                )
            }
            Self::Postgres => {
                format!("numbers AS (SELECT generate_series({first}::bigint, {last}) AS i)")
            }
        }
    }

    fn random_uuid(self) -> &'static str {
        match self {
            Self::Sqlite => "randomblob(16)",
            Self::Postgres => "gen_random_uuid()",
        }
    }

    fn uuid(self, uuid: &str) -> String {
        match self {
            Self::Sqlite => format!("X'{}'", uuid.replace('-', "")),
            Self::Postgres => format!("'{uuid}'::uuid"),
        }
    }

    fn hexadecimal(self, number: &str) -> String {
        match self {
            Self::Sqlite => format!("printf('%08x', {number})"),
            Self::Postgres => format!("lpad(to_hex({number}), 8, '0')"),
        }
    }

    /// See [`super::fixture::client_id`].
    fn padded(self, number: &str) -> String {
        match self {
            Self::Sqlite => format!("printf('%032d', {number})"),
            Self::Postgres => format!("lpad(({number})::text, 32, '0')"),
        }
    }
}
