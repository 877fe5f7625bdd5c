//! Client assertions (RFC 7523, section 3).

#[cfg(test)]
mod tests;

use std::sync::LazyLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::algorithm::Algorithm;
use super::dummy_keys;
use super::public_key::PublicKey;
use crate::clock::Timestamp;

/// The longest time from now to the end of an assertion.
const LIFETIME_MAX: Duration = Duration::from_mins(5);

/// The tolerance for client clocks that run ahead.
const CLOCK_SKEW: Duration = Duration::from_secs(30);

/// The other name of `EdDSA`.
const ED25519: &str = Algorithm::Ed25519.name();

const LENGTH_MAX: usize = 8 * 1024;
const JTI_LENGTH_MAX: usize = 255;

/// A parsed assertion whose signature is not verified yet.
pub struct Assertion {
    /// Header and claims as they were signed.
    message: String,
    signature: Vec<u8>,
    algorithm: Algorithm,
    claims: Claims,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    crit: Option<serde_json::Value>,
}

/// The claims of a verified assertion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The index of the key that signed it.
    pub key: usize,
    /// Its id, which the client must not use again.
    pub jti: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A moment in seconds since 1970 UTC may have a fraction (RFC 7519, section 2).
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    nbf: Option<f64>,
    iat: Option<f64>,
    jti: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Assertion {
    /// The names of the algorithms that an assertion may be signed with.
    pub fn algorithms() -> impl Iterator<Item = &'static str> {
        Algorithm::ALL.into_iter().map(Algorithm::name).chain([ED25519])
    }

    /// Parses an assertion. Returns nothing if it is not a JWT with an accepted algorithm, or if it
    /// is an access token.
    pub fn read(jwt: &str) -> Option<Self> {
        if jwt.len() > LENGTH_MAX {
            return None;
        }
        let (message, signature) = jwt.rsplit_once('.')?;
        let (header, claims) = message.split_once('.')?;
        let header: Header = part(header)?;
        let algorithm = named(&header.alg)?;
        let typed = header.typ.is_none_or(|typ| {
            typ.eq_ignore_ascii_case("jwt") || typ.eq_ignore_ascii_case("client-authentication+jwt")
        });
        // Refuse critical extensions (RFC 7515, section 4.1.11): none is supported.
        if !typed || header.crit.is_some() {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let claims = part(claims)?;
        Some(Self { message: message.to_owned(), signature, algorithm, claims })
    }

    /// The `client_id` of the claims.
    pub fn client_id(&self) -> &str {
        &self.claims.sub
    }

    /// Verifies the signature with the client's keys, and then the claims. Without a suitable key a
    /// dummy key is used, so that timing does not tell whether the client has one.
    ///
    /// # Errors
    /// The reason, for the audit log.
    pub fn verify(
        &self,
        keys: &[PublicKey],
        audiences: &[String],
        now: Timestamp,
    ) -> Result<Proof, &'static str> {
        let fitting = keys.iter().enumerate().filter(|(_, key)| key.algorithm() == self.algorithm);
        let fitting: Vec<_> = fitting.collect();
        let signed_by = |key: &PublicKey| key.verifies(self.message.as_bytes(), &self.signature);
        if fitting.is_empty() {
            signed_by(dummy_key(self.algorithm));
            return Err("no_key_of_this_algorithm");
        }
        let (key, _) =
            fitting.into_iter().find(|(_, key)| signed_by(key)).ok_or("wrong_signature")?;
        let expires_at = self.judge(audiences, now)?;
        let jti = self
            .claims
            .jti
            .clone()
            .filter(|jti| (1..=JTI_LENGTH_MAX).contains(&jti.len()))
            .ok_or("jti_missing")?;
        Ok(Proof { key, jti, expires_at })
    }

    fn judge(&self, audiences: &[String], now: Timestamp) -> Result<Timestamp, &'static str> {
        let claims = &self.claims;
        if claims.iss != claims.sub {
            return Err("wrong_issuer");
        }
        let ours = |audience: &String| audiences.contains(audience);
        let meant_for_us = match &claims.aud {
            Audience::One(audience) => ours(audience),
            // An assertion for several audiences could be replayed from another server.
            Audience::Many(several) => !several.is_empty() && several.iter().all(ours),
        };
        if !meant_for_us {
            return Err("wrong_audience");
        }
        let expires_at = moment(claims.exp);
        if expires_at <= now {
            return Err("assertion_expired");
        }
        if expires_at > now.plus(LIFETIME_MAX).plus(CLOCK_SKEW) {
            return Err("assertion_lives_too_long");
        }
        let latest = now.plus(CLOCK_SKEW);
        if [claims.nbf, claims.iat].into_iter().flatten().any(|from| moment(from) > latest) {
            return Err("assertion_not_yet_valid");
        }
        Ok(expires_at)
    }
}

/// A part of a JWT: JSON in base64url.
fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// The algorithm of that name. Ed25519 has two: `EdDSA` says less (RFC 9864, section 2.2), and
/// clients send either.
fn named(alg: &str) -> Option<Algorithm> {
    let alg = if alg == ED25519 { Algorithm::EdDsa.name() } else { alg };
    Algorithm::ALL.into_iter().find(|algorithm| algorithm.name() == alg)
}

#[expect(clippy::cast_possible_truncation, reason = "a moment beyond the range is the end of time")]
fn moment(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0) as i64)
}

/// The dummy key of this algorithm.
pub(super) fn dummy_key(algorithm: Algorithm) -> &'static PublicKey {
    static DECOYS: LazyLock<[PublicKey; 3]> = LazyLock::new(|| {
        [dummy_keys::ED25519, dummy_keys::P256, dummy_keys::RSA].map(|jwk| {
            PublicKey::stored(jwk).expect("the dummy keys are written in this crate and tested")
        })
    });
    match algorithm {
        Algorithm::EdDsa | Algorithm::Ed25519 => &DECOYS[0],
        Algorithm::Es256 => &DECOYS[1],
        Algorithm::Rs256 => &DECOYS[2],
    }
}
