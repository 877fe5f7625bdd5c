//! What a client signs to prove itself: an assertion by RFC 7523, section 3.

use std::sync::LazyLock;
use std::time::Duration;

use jsonwebtoken::{Validation, dangerous, decode, decode_header};
use serde::Deserialize;

use super::algorithm::Algorithm;
use super::decoys;
use super::public_key::PublicKey;
use crate::clock::Timestamp;

/// How far ahead the end of an assertion may lie.
const LIFETIME_MAX: Duration = Duration::from_mins(5);

/// How far ahead a client's clock may be.
const CLOCK_SKEW: Duration = Duration::from_secs(30);

const LENGTH_MAX: usize = 8 * 1024;
const JTI_LENGTH_MAX: usize = 255;

/// An assertion as presented: read, and not believed yet.
pub struct Assertion {
    jwt: String,
    algorithm: Algorithm,
    client_id: String,
}

/// What a verified assertion says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// Which of the keys signed it.
    pub key: usize,
    /// Its id, which the client must not use again.
    pub jti: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

#[derive(Deserialize)]
struct Claimed {
    sub: String,
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
    /// Reads an assertion; nothing if it is no JWT of an algorithm on our list. An access token is not taken for one.
    pub fn read(jwt: &str) -> Option<Self> {
        if jwt.len() > LENGTH_MAX {
            return None;
        }
        let header = decode_header(jwt).ok()?;
        let algorithm = Algorithm::ALL.into_iter().find(|algorithm| algorithm.jwt() == header.alg)?;
        let typed = header
            .typ
            .is_none_or(|typ| typ.eq_ignore_ascii_case("jwt") || typ.eq_ignore_ascii_case("client-authentication+jwt"));
        // Extensions that must be understood (RFC 7515, section 4.1.11): there is none that we do.
        if !typed || header.crit.is_some() {
            return None;
        }
        let claimed = dangerous::insecure_decode_claims::<Claimed>(jwt).ok()?;
        Some(Self { jwt: jwt.to_owned(), algorithm, client_id: claimed.sub })
    }

    /// The `client_id` that it claims.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Verifies the signature by one of the client's keys, and then what was signed. Without a fitting key a stranger's
    /// stands in, so that the time does not tell whether there is one.
    ///
    /// # Errors
    /// The reason, for the audit log.
    pub fn verify(&self, keys: &[PublicKey], audiences: &[String], now: Timestamp) -> Result<Proof, &'static str> {
        let fitting = keys.iter().enumerate().filter(|(_, key)| key.algorithm() == self.algorithm);
        let fitting: Vec<_> = fitting.collect();
        if fitting.is_empty() {
            self.signed_by(decoy(self.algorithm));
            return Err("no_key_of_this_algorithm");
        }
        let signed = fitting.into_iter().find_map(|(at, key)| Some((at, self.signed_by(key)?)));
        let (key, claims) = signed.ok_or("wrong_signature")?;
        let expires_at = self.judge(&claims, audiences, now)?;
        let jti = claims.jti.filter(|jti| (1..=JTI_LENGTH_MAX).contains(&jti.len())).ok_or("jti_missing")?;
        Ok(Proof { key, jti, expires_at })
    }

    fn signed_by(&self, key: &PublicKey) -> Option<Claims> {
        let mut validation = Validation::new(key.algorithm().jwt());
        // What is signed is judged by our own clock and against several audiences, in `judge`.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let decoded = decode::<Claims>(&self.jwt, &key.decoding().ok()?, &validation);
        decoded.ok().map(|decoded| decoded.claims)
    }

    fn judge(&self, claims: &Claims, audiences: &[String], now: Timestamp) -> Result<Timestamp, &'static str> {
        if claims.iss != claims.sub || claims.sub != self.client_id {
            return Err("wrong_issuer");
        }
        let ours = |audience: &String| audiences.contains(audience);
        let meant_for_us = match &claims.aud {
            Audience::One(audience) => ours(audience),
            // One that another server would take too could be carried from there to here.
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

#[expect(clippy::cast_possible_truncation, reason = "a moment beyond the range is the end of time")]
fn moment(seconds: f64) -> Timestamp {
    Timestamp::from_millis((seconds * 1000.0) as i64)
}

/// A key of this algorithm that signs nothing.
pub(super) fn decoy(algorithm: Algorithm) -> &'static PublicKey {
    static DECOYS: LazyLock<[PublicKey; 3]> = LazyLock::new(|| {
        [decoys::ED25519, decoys::P256, decoys::RSA]
            .map(|jwk| PublicKey::stored(jwk).expect("the decoys are written in this crate and tested"))
    });
    match algorithm {
        Algorithm::EdDsa => &DECOYS[0],
        Algorithm::Es256 => &DECOYS[1],
        Algorithm::Rs256 => &DECOYS[2],
    }
}
