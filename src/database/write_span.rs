//! The span of a transaction, by the semantic conventions of OpenTelemetry for databases.

use tracing::Span;
use tracing::field::Empty;

use super::Database;
use crate::error::Error;
use crate::telemetry::{DATABASE_WRITE, SPANS};

/// The span of a transaction with all its attempts. It names no table, statement or value.
pub(super) struct WriteSpan(Span);

impl WriteSpan {
    pub(super) fn begin(database: &Database) -> Self {
        let system = if database.is_sqlite() { "sqlite" } else { "postgresql" };
        Self(tracing::info_span!(
            target: SPANS,
            DATABASE_WRITE,
            otel.kind = "client",
            db.system.name = system,
            tenant_gateway.attempts = Empty,
            error.type = Empty,
            otel.status_code = Empty,
        ))
    }

    /// Ends it with the outcome. A refusal that the work decided on is no error of the database.
    pub(super) fn end(self, attempts: u32, error: Option<&Error>) {
        self.0.record("tenant_gateway.attempts", i64::from(attempts));
        let Some(code) = error.map(Error::code) else { return };
        self.0.record("error.type", code.as_str());
        if code.http_status() >= 500 {
            self.0.record("otel.status_code", "ERROR");
        }
    }
}
