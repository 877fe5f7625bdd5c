//! Changes at legacy systems, which no transaction covers: the log records that a change begins
//! before it is sent, and then its outcome. A process that dies in between leaves the first record
//! only.

use std::sync::Arc;

use serde_json::Value;

use super::entry::{Ended, Entry, Outcome};
use super::record::{begin, record_ended};
use crate::auth::TenantScope;
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::ids::TenantId;

/// A change that was recorded as begun.
#[must_use = "how it ended has to be recorded"]
pub struct Attempt<'a> {
    database: &'a Database,
    entropy: &'a dyn Entropy,
    scope: &'a TenantScope,
    operation: &'static str,
    tenant: TenantId,
    subject: String,
    before: Option<Value>,
}

impl<'a> Attempt<'a> {
    /// Records that the change begins; `after` of the entry is the requested state.
    ///
    /// # Errors
    /// If the database refuses; nothing may be sent then.
    pub async fn begin(
        database: &'a Database,
        entropy: &'a dyn Entropy,
        scope: &'a TenantScope,
        entry: Entry,
    ) -> Result<Self> {
        let Entry { operation, tenant, subject, before, .. } = &entry;
        let operation = *operation;
        let tenant = *tenant;
        let subject = subject.clone();
        let before = before.clone();
        let work =
            async |write: Arc<Write<'_>>| begin(write.on(), entropy, scope, entry.clone()).await;
        database.transaction(work).await?;
        Ok(Self { database, entropy, scope, operation, tenant, subject, before })
    }

    /// Records success: the id of the object, and its new state.
    ///
    /// # Errors
    /// If the database refuses, with an unknown outcome: the change was made all the same.
    pub async fn succeeded(
        self,
        subject: String,
        after: Option<Value>,
        request_ids: &[String],
    ) -> Result<()> {
        let entry = self.entry(subject, after);
        self.end(entry, Outcome::Succeeded.into(), request_ids)
            .await
            .map_err(Error::with_unknown_outcome)
    }

    /// Records failure or an unknown outcome. Returns the error, marked as recorded unless the
    /// record could not be written, which is logged.
    pub async fn failed(self, error: Error, request_ids: &[String]) -> Error {
        let entry = self.entry(self.subject.clone(), None);
        let ended =
            Ended { outcome: Outcome::of(&error), code: Some(error.code().as_str()), reason: None };
        match self.end(entry, ended, request_ids).await {
            Ok(()) => error.as_recorded(),
            Err(unwritten) => {
                unwritten.log_cause();
                error
            }
        }
    }

    fn entry(&self, subject: String, after: Option<Value>) -> Entry {
        let before = self.before.clone();
        Entry { operation: self.operation, tenant: self.tenant, subject, before, after }
    }

    async fn end(&self, entry: Entry, ended: Ended, request_ids: &[String]) -> Result<()> {
        let work = async |write: Arc<Write<'_>>| {
            let entry = entry.clone();
            record_ended(write.on(), self.entropy, self.scope, entry, ended, request_ids).await
        };
        self.database.transaction(work).await
    }
}
