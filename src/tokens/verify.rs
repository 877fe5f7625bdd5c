//! Verifies access tokens.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::crypto::verify;
use quick_cache::sync::Cache;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::claims::{Claims, TOKEN_TYPE};
use super::keys::{KeyRing, SigningKey};
use crate::clock::Clock;
use crate::database_time::DatabaseTime;
use crate::error::{Error, Result, TokenProblem};
use crate::ids::KeyId;

/// The tolerance for clocks of other nodes that run ahead, in seconds.
const CLOCK_SKEW: i64 = 60;

/// The longest token that the gateway issues.
const TOKEN_LENGTH_MAX: usize = 4096;

/// Verifies tokens. A token that was verified before costs a hash and a cache look-up instead of a
/// signature check. Whether its client still exists is checked by [`crate::auth`].
pub struct Verifier {
    keys: Arc<KeyRing>,
    time: Arc<DatabaseTime>,
    issuer: Option<String>,
    audience: String,
    verified: Cache<[u8; 32], Verified>,
}

/// A token with a verified signature.
#[derive(Clone)]
struct Verified {
    claims: Arc<Claims>,
    /// The key of the signature.
    key: KeyId,
}

impl Verifier {
    /// Accepts tokens of the gateway's own keys for that audience, and of that issuer if it is
    /// fixed. Caches at most `capacity` of them, by hash.
    pub fn new(
        keys: Arc<KeyRing>,
        time: Arc<DatabaseTime>,
        issuer: Option<String>,
        audience: String,
        capacity: usize,
    ) -> Self {
        Self { keys, time, issuer, audience, verified: Cache::new(capacity) }
    }

    /// The claims of a valid token.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, with the same message for every cause; `DATABASE_UNAVAILABLE` while
    /// the node's clock is unusable.
    pub async fn verify(&self, token: &str) -> Result<Arc<Claims>> {
        self.time.require_usable()?;
        if token.len() > TOKEN_LENGTH_MAX {
            return Err(Error::unauthenticated(TokenProblem::Foreign));
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let known = self.verified.get(&hash);
        let claims = match known {
            Some(Verified { claims, key }) => {
                // Its key may have been revoked since.
                if self.keys.find(key).await?.is_none() {
                    self.verified.remove(&hash);
                    return Err(Error::unauthenticated(TokenProblem::Foreign));
                }
                claims
            }
            None => {
                let verified = self.check(token).await?;
                self.verified.insert(hash, verified.clone());
                verified.claims
            }
        };
        let now = self.time.now().seconds();
        if now >= claims.exp {
            self.verified.remove(&hash);
            return Err(Error::unauthenticated(TokenProblem::Expired));
        }
        if claims.iat > now + CLOCK_SKEW {
            return Err(Error::unauthenticated(TokenProblem::NotYetValid));
        }
        Ok(claims)
    }

    /// The algorithm is that of the key that `kid` names, never one that the token chooses; the key
    /// comes from our own ring alone (RFC 8725, sections 3.1 and 3.10).
    async fn check(&self, token: &str) -> Result<Verified> {
        let foreign = || Error::unauthenticated(TokenProblem::Foreign);
        let parts = Parts::of(token);
        let parts = parts.ok_or_else(|| Error::unauthenticated(TokenProblem::Malformed))?;
        let header = &parts.header;
        let ours = header.crit.is_none()
            && header.typ.as_ref().is_some_and(|typ| typ.eq_ignore_ascii_case(TOKEN_TYPE));
        let id = header.kid.as_ref().filter(|_| ours).and_then(|kid| kid.parse().ok());
        let id = id.ok_or_else(foreign)?;
        let key = self.keys.find(id).await?.ok_or_else(foreign)?;
        let claims = parts.claims_signed_by(&key).filter(|claims| self.is_for_us(claims));
        Ok(Verified { claims: Arc::new(claims.ok_or_else(foreign)?), key: id })
    }

    /// The times are checked on each use, by the gateway's own clock.
    fn is_for_us(&self, claims: &Claims) -> bool {
        claims.aud == self.audience
            && self.issuer.as_ref().is_none_or(|issuer| claims.iss == *issuer)
    }
}

/// A JWT in its parts (RFC 7515, section 3.1). Not read by the JWT library, which knows no
/// algorithm called Ed25519.
struct Parts<'a> {
    header: Header,
    claims: &'a str,
    signature: &'a str,
    /// Header and claims as they were signed.
    message: &'a str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

impl<'a> Parts<'a> {
    /// Returns nothing if it is not a JWT.
    fn of(token: &'a str) -> Option<Self> {
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        Some(Self { header: decoded(header)?, claims, signature, message })
    }

    /// Returns the claims if that key signed them with its own algorithm.
    fn claims_signed_by(&self, key: &SigningKey) -> Option<Claims> {
        let algorithm = key.algorithm;
        let named = self.header.alg == algorithm.name();
        let signed = named
            && verify(self.signature, self.message.as_bytes(), &key.decoding, algorithm.jwt())
                .ok()?;
        if signed { decoded(self.claims) } else { None }
    }
}

fn decoded<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
