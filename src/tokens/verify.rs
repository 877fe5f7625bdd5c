//! Reading tokens.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use jsonwebtoken::{Validation, decode, decode_header};
use quick_cache::sync::Cache;

use super::claims::{Claims, TOKEN_TYPE};
use super::keys::KeyRing;
use crate::clock::Clock;
use crate::error::{Error, Result};

/// How far ahead another node's clock may be, in seconds.
const CLOCK_SKEW: i64 = 60;

/// A token longer than this is not ours.
const TOKEN_LENGTH_MAX: usize = 4096;

/// Verifies tokens. One that was verified before costs a hash and a look, not a signature check; whether its client
/// still exists is another question, asked by [`crate::auth`].
pub struct Verifier {
    keys: Arc<KeyRing>,
    clock: Arc<dyn Clock>,
    issuer: Option<String>,
    audience: String,
    verified: Cache<[u8; 32], Arc<Claims>>,
}

impl Verifier {
    /// Accepts tokens of our own keys for that audience, and of that issuer where one is fixed. Remembers at most
    /// `capacity` of them, by hash.
    pub fn new(
        keys: Arc<KeyRing>,
        clock: Arc<dyn Clock>,
        issuer: Option<String>,
        audience: String,
        capacity: usize,
    ) -> Self {
        Self { keys, clock, issuer, audience, verified: Cache::new(capacity) }
    }

    /// The claims of a valid token.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`, in the same words whatever is wrong with it.
    pub async fn verify(&self, token: &str) -> Result<Arc<Claims>> {
        if token.len() > TOKEN_LENGTH_MAX {
            return Err(Error::unauthenticated());
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        let known = self.verified.get(&hash);
        let claims = match known {
            Some(claims) => claims,
            None => {
                let claims = Arc::new(self.check(token).await?.ok_or_else(Error::unauthenticated)?);
                self.verified.insert(hash, claims.clone());
                claims
            }
        };
        let now = self.clock.now().seconds();
        if now >= claims.exp {
            self.verified.remove(&hash);
            return Err(Error::unauthenticated());
        }
        if claims.iat > now + CLOCK_SKEW {
            return Err(Error::unauthenticated());
        }
        Ok(claims)
    }

    /// The algorithm is that of the key that `kid` names, never one that the token chooses; the key comes from our own
    /// ring alone (RFC 8725, sections 3.1 and 3.10).
    async fn check(&self, token: &str) -> Result<Option<Claims>> {
        let Some(header) = decode_header(token).ok().filter(|header| header.crit.is_none()) else { return Ok(None) };
        let typed = header.typ.is_some_and(|typ| typ.eq_ignore_ascii_case(TOKEN_TYPE));
        let Some(id) = header.kid.filter(|_| typed).and_then(|kid| kid.parse().ok()) else { return Ok(None) };
        let Some(key) = self.keys.find(id).await? else { return Ok(None) };
        let mut validation = Validation::new(key.algorithm.jwt());
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_audience(&[&self.audience]);
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
        }
        // Time is judged by our own clock, above, on each use.
        validation.validate_exp = false;
        Ok(decode::<Claims>(token, &key.decoding, &validation).ok().map(|data| data.claims))
    }
}
