//! Authenticates clients by secret or by signed assertion.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use quick_cache::sync::Cache;

use super::usage::{Credential, Purpose, Usage};
use crate::auth::Authorizer;
use crate::clients::entity::key::{keys_of, used};
use crate::clients::entity::{CredentialRow, credential};
use crate::clock::{MonotonicTime, Timestamp};
use crate::database::{Database, Write};
use crate::error::{Error, Result};
use crate::ids::{ClientId, ClientKeyId, SecretId, TenantId};
use crate::secret::{PlainSecret, SecretHash};
use crate::tokens::{Assertion, PublicKey, Subject};

/// The longest `client_id` that the gateway issues.
const CLIENT_ID_LENGTH_MAX: usize = 255;

/// How long a used assertion is kept after it has expired, by the database's time.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_hours(1);

/// The reason of a refusal, for the audit log and never for the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The claimed client, if it exists.
    pub client: Option<(ClientId, TenantId)>,
    /// The reason, as the audit log writes it.
    pub reason: &'static str,
}

/// Why a client is not authenticated.
#[derive(Debug)]
pub enum AuthenticationFailure {
    /// Its credentials are refused.
    Refused(Refused),
    /// Nothing is known of its credentials, since the database failed.
    Failed(Error),
}

impl From<Refused> for AuthenticationFailure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Error> for AuthenticationFailure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A client that signed an assertion which may have been used before.
pub struct ProvedByAssertion {
    subject: Subject,
    key: ClientKeyId,
    used: used::Model,
}

impl ProvedByAssertion {
    /// The client.
    pub fn client(&self) -> ClientId {
        self.subject.client
    }
}

/// A client's credentials as the database had them at one moment.
struct Known {
    rows: Vec<CredentialRow>,
    asked_at: MonotonicTime,
    version: u64,
}

/// Authenticates clients by secret or by key.
pub struct Authenticator {
    database: Arc<Database>,
    authorizer: Arc<Authorizer>,
    usage: Arc<Usage>,
    // By client_id, which names one client of one tenant. Only authenticated clients are cached, so
    // that invented ids do not fill it.
    known: Cache<String, Arc<Known>>,
}

impl Authenticator {
    /// Caches at most `capacity` clients.
    pub fn new(
        database: Arc<Database>,
        authorizer: Arc<Authorizer>,
        usage: Arc<Usage>,
        capacity: usize,
    ) -> Self {
        Self { database, authorizer, usage, known: Cache::new(capacity) }
    }

    /// Returns the client if the secret belongs to it and is valid. Every refusal of a well-formed
    /// secret costs the same: one hash, one query, one comparison.
    ///
    /// # Errors
    /// [`AuthenticationFailure`].
    pub async fn by_secret(
        &self,
        client_id: &str,
        secret: &str,
        from: IpAddr,
        purpose: Purpose,
    ) -> Result<Subject, AuthenticationFailure> {
        let unknown = |reason| Err(Refused { client: None, reason }.into());
        let Some(secret) =
            PlainSecret::parse(secret).filter(|_| client_id.len() <= CLIENT_ID_LENGTH_MAX)
        else {
            return unknown("malformed_secret");
        };
        if client_id.contains('\0') {
            return unknown("unknown_client");
        }
        let hash = secret.hash();
        let now = self.authorizer.now();
        let remembered = self.remembered(client_id);
        let note = |(subject, secret): (Subject, SecretId)| {
            self.usage.note(subject.client, Credential::Secret(secret), purpose, now, from);
            subject
        };
        if let Some(known) = remembered
            && let Ok(proved) = judge(&known.rows, client_id, &hash, now)
        {
            return Ok(note(proved));
        }
        // The cache may be older than a rotation on another node: refusals always ask the database.
        let version = self.authorizer.version();
        let asked_at = self.authorizer.monotonic();
        let rows = credential(self.database.reader(), client_id).await.map_err(Error::from)?;
        let proved = judge(&rows, client_id, &hash, now)?;
        self.known.insert(client_id.to_owned(), Arc::new(Known { rows, asked_at, version }));
        Ok(note(proved))
    }

    /// The client, if one of its keys signed the assertion for one of these audiences (RFC 7523,
    /// section 3). It counts once it is used: see [`Authenticator::use_assertion`].
    ///
    /// # Errors
    /// [`AuthenticationFailure`].
    pub async fn by_assertion(
        &self,
        assertion: &Assertion,
        audiences: &[String],
    ) -> Result<ProvedByAssertion, AuthenticationFailure> {
        let client_id = assertion.client_id();
        if client_id.len() > CLIENT_ID_LENGTH_MAX || client_id.contains('\0') {
            return Err(Refused { client: None, reason: "unknown_client" }.into());
        }
        let now = self.authorizer.now();
        let rows = keys_of(self.database.reader(), client_id).await.map_err(Error::from)?;
        let client = rows.first().map(|row| (row.id, row.tenant_id));
        let refused = |reason| Err(Refused { client, reason }.into());
        let keyed: Vec<_> = rows
            .iter()
            .filter_map(|row| Some((row, row.key_id?, row.public_jwk.as_deref()?)))
            .collect();
        let keys =
            keyed.iter().map(|(_, _, jwk)| PublicKey::stored(jwk)).collect::<Result<Vec<_>>>()?;
        let proof = match assertion.verify(&keys, audiences, now) {
            Ok(proof) => proof,
            Err(_) if client.is_none() => return refused("unknown_client"),
            Err(reason) => return refused(reason),
        };
        let (row, key, _) = keyed[proof.key];
        if let Some(reason) = closed(row.enabled, row.tenant_open) {
            return refused(reason);
        }
        let jti_hash = SecretHash::of(proof.jti.as_bytes()).as_bytes().to_vec();
        let used = used::Model { client_id: row.id, jti_hash, expires_at: proof.expires_at };
        let client_id = client_id.to_owned();
        let generation = row.token_generation;
        let subject = Subject { client: row.id, client_id, tenant: row.tenant_id, generation };
        Ok(ProvedByAssertion { subject, key, used })
    }

    /// The client of an assertion, if no node has seen the assertion before.
    ///
    /// # Errors
    /// [`AuthenticationFailure`].
    pub async fn use_assertion(
        &self,
        proved: ProvedByAssertion,
        from: IpAddr,
        purpose: Purpose,
    ) -> Result<Subject, AuthenticationFailure> {
        let ProvedByAssertion { subject, key, used } = proved;
        let add = async |write: Arc<Write<'_>>| Ok(used::add(write.on(), used.clone()).await?);
        let first = self.database.transaction(add).await?;
        if !first {
            let client = Some((subject.client, subject.tenant));
            return Err(Refused { client, reason: "assertion_replayed" }.into());
        }
        self.usage.note(subject.client, Credential::Key(key), purpose, self.authorizer.now(), from);
        Ok(subject)
    }

    /// Deletes expired assertions.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn forget_expired(&self, write: &Write<'_>) -> Result<()> {
        Ok(used::forget(write.on(), self.authorizer.now().minus(KEPT_AFTER_EXPIRY)).await?)
    }

    fn remembered(&self, client_id: &str) -> Option<Arc<Known>> {
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
        // Compares every secret, so that timing does not tell which one matches.
        if row.hash.as_ref().is_some_and(|stored| stored.matches(hash)) {
            presented = Some(row);
        }
    }
    let Some((row, secret)) = presented.and_then(|row| Some((row, row.secret_id?))) else {
        return refused(if client.is_some() { "wrong_secret" } else { "unknown_client" });
    };
    let ended = |end: Option<Timestamp>| end.is_some_and(|end| now >= end);
    let reason = if ended(row.retires_at) {
        Some("secret_retired")
    } else if ended(row.expires_at) {
        Some("secret_expired")
    } else {
        closed(row.enabled, row.tenant_open)
    };
    if let Some(reason) = reason {
        return refused(reason);
    }
    let generation = row.token_generation;
    let client_id = client_id.to_owned();
    Ok((Subject { client: row.id, client_id, tenant: row.tenant_id, generation }, secret))
}

/// Why an authenticated client is refused.
fn closed(is_enabled: bool, tenant_open: bool) -> Option<&'static str> {
    if !is_enabled {
        Some("client_disabled")
    } else if !tenant_open {
        Some("tenant_disabled")
    } else {
        None
    }
}
