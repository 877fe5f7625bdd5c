//! Is this the client, and does this secret work?

use std::net::IpAddr;
use std::sync::Arc;

use quick_cache::sync::Cache;

use super::usage::Usage;
use crate::auth::Authorizer;
use crate::clients::entity::{CredentialRow, credential};
use crate::clock::Timestamp;
use crate::database::Database;
use crate::error::Result;
use crate::ids::{ClientId, SecretId, TenantId};
use crate::secret::{PlainSecret, SecretHash};
use crate::tokens::Subject;

/// A `client_id` longer than this is none of ours.
const CLIENT_ID_LENGTH_MAX: usize = 255;

/// Why a client was refused: for the audit log, never for the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The client that was claimed, if there is one.
    pub client: Option<(ClientId, TenantId)>,
    /// The reason, as the audit log writes it.
    pub reason: &'static str,
}

/// What the database said of a client, and when.
struct Credential {
    rows: Vec<CredentialRow>,
    asked_at: Timestamp,
    version: u64,
}

/// Authenticates clients by secret.
pub struct Authenticator {
    database: Arc<Database>,
    authorizer: Arc<Authorizer>,
    usage: Arc<Usage>,
    // By client_id: it names one identity of one tenant. Only clients that proved themselves are remembered, so that
    // made-up ids fill nothing.
    known: Cache<String, Arc<Credential>>,
}

impl Authenticator {
    /// Remembers at most `capacity` clients.
    pub fn new(database: Arc<Database>, authorizer: Arc<Authorizer>, usage: Arc<Usage>, capacity: usize) -> Self {
        Self { database, authorizer, usage, known: Cache::new(capacity) }
    }

    /// The client, if the secret is one of its own and works. Whatever is wrong with a well-formed secret costs the same:
    /// one hash, one question to the database, one comparison.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn authenticate(&self, client_id: &str, secret: &str, from: IpAddr) -> Result<Result<Subject, Refused>> {
        let unknown = |reason| Ok(Err(Refused { client: None, reason }));
        let Some(secret) = PlainSecret::parse(secret).filter(|_| client_id.len() <= CLIENT_ID_LENGTH_MAX) else {
            return unknown("malformed_secret");
        };
        if client_id.contains('\0') {
            return unknown("unknown_client");
        }
        let hash = secret.hash();
        let (now, remembered) = (self.authorizer.now(), self.remembered(client_id));
        if let Some(credential) = remembered
            && let Ok((subject, secret)) = judge(&credential.rows, client_id, &hash, now)
        {
            self.usage.note(subject.client, secret, now, from);
            return Ok(Ok(subject));
        }
        // What was remembered may be older than a rotation on another node: a refusal is never given from memory.
        let version = self.authorizer.version();
        let rows = credential(self.database.reader(), client_id).await?;
        let judged = judge(&rows, client_id, &hash, now);
        Ok(judged.map(|(subject, secret)| {
            self.known.insert(client_id.to_owned(), Arc::new(Credential { rows, asked_at: now, version }));
            self.usage.note(subject.client, secret, now, from);
            subject
        }))
    }

    fn remembered(&self, client_id: &str) -> Option<Arc<Credential>> {
        let known = self.known.get(client_id)?;
        self.authorizer.is_fresh(known.asked_at, known.version).then_some(known)
    }
}

fn judge(
    rows: &[CredentialRow],
    client_id: &str,
    hash: &SecretHash,
    now: Timestamp,
) -> Result<(Subject, SecretId), Refused> {
    let client = rows.first().map(|row| (row.id, row.tenant_id));
    let refused = |reason| Err(Refused { client, reason });
    let mut presented = None;
    for row in rows {
        // Every secret is compared, so that the time tells nothing of which one fits.
        if row.hash.as_ref().is_some_and(|stored| stored.matches(hash)) {
            presented = Some(row);
        }
    }
    let Some((row, secret)) = presented.and_then(|row| Some((row, row.secret_id?))) else {
        return refused(if client.is_some() { "wrong_secret" } else { "unknown_client" });
    };
    let ended = |end: Option<Timestamp>| end.is_some_and(|end| now >= end);
    match () {
        () if ended(row.retires_at) => refused("secret_retired"),
        () if ended(row.expires_at) => refused("secret_expired"),
        () if !row.enabled => refused("client_disabled"),
        () if !row.tenant_open => refused("tenant_disabled"),
        () => {
            let generation = row.token_generation;
            let client_id = client_id.to_owned();
            Ok((Subject { client: row.id, client_id, tenant: row.tenant_id, generation }, secret))
        }
    }
}
