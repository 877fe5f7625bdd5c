//! Client assertions (RFC 7523, section 3).

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

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::{Value, json};

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000);

    struct Client {
        private: Ed25519KeyPair,
        public: PublicKey,
    }

    impl Client {
        fn new() -> Self {
            let private = Ed25519KeyPair::generate().unwrap();
            let x = URL_SAFE_NO_PAD.encode(private.public_key().as_ref());
            let public =
                PublicKey::parse("jwk", &json!({ "kty": "OKP", "crv": "Ed25519", "x": x }))
                    .unwrap();
            Self { private, public }
        }

        fn sign(&self, header: &Value, claims: &Value) -> String {
            let part = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
            let message = format!("{}.{}", part(header), part(claims));
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(self.private.sign(message.as_bytes())))
        }

        fn judged(&self, header: &Value, claims: &Value) -> Result<Proof, &'static str> {
            let assertion = Assertion::read(&self.sign(header, claims)).ok_or("unread")?;
            assertion.verify(
                std::slice::from_ref(&self.public),
                &["us".to_owned(), "us/token".to_owned()],
                NOW,
            )
        }
    }

    fn claims() -> Value {
        json!({
            "iss": "me",
            "sub": "me",
            "aud": "us",
            "exp": 1_000_300,
            "iat": 1_000_000,
            "jti": "1",
        })
    }

    fn with(member: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[member] = value;
        claims
    }

    #[test]
    fn valid_assertion_is_accepted() {
        let client = Client::new();
        for alg in ["EdDSA", "Ed25519"] {
            let proof = client.judged(&json!({ "alg": alg, "kid": "any" }), &claims()).unwrap();
            assert_eq!(
                (proof.key, proof.jti.as_str(), proof.expires_at.seconds()),
                (0, "1", 1_000_300)
            );
        }
        let header = json!({ "alg": "EdDSA", "typ": "JWT" });
        for aud in [json!("us/token"), json!(["us"]), json!(["us", "us/token"])] {
            assert!(client.judged(&header, &with("aud", aud)).is_ok());
        }
        assert!(client.judged(&header, &with("exp", json!(1_000_300.5))).is_ok());
    }

    #[test]
    fn anything_else_has_its_reason() {
        let client = Client::new();
        for (member, value, reason) in [
            ("iss", json!("another"), "wrong_issuer"),
            ("aud", json!("another"), "wrong_audience"),
            ("aud", json!(["us", "another"]), "wrong_audience"),
            ("aud", json!([]), "wrong_audience"),
            ("exp", json!(1_000_000), "assertion_expired"),
            ("exp", json!(1_000_331), "assertion_lives_too_long"),
            ("exp", json!(1e300), "assertion_lives_too_long"),
            ("iat", json!(1_000_031), "assertion_not_yet_valid"),
            ("nbf", json!(1_000_031), "assertion_not_yet_valid"),
            ("jti", json!(""), "jti_missing"),
            ("jti", Value::Null, "jti_missing"),
            ("exp", json!("1000300"), "unread"),
            ("exp", Value::Null, "unread"),
        ] {
            let judged = client.judged(&json!({ "alg": "EdDSA" }), &with(member, value));
            assert_eq!(judged, Err(reason), "{member}");
        }
    }

    #[test]
    fn header_does_not_choose_the_algorithm() {
        let client = Client::new();
        for header in [
            json!({ "alg": "none" }),
            json!({ "alg": "HS256" }),
            json!({ "alg": "eddsa" }),
            json!({ "alg": "EdDSA", "typ": "at+jwt" }),
            json!({ "alg": "EdDSA", "crit": ["b64"], "b64": false }),
            json!({ "typ": "JWT" }),
        ] {
            assert_eq!(client.judged(&header, &claims()), Err("unread"), "{header}");
        }
        assert_eq!(
            client.judged(&json!({ "alg": "ES256" }), &claims()),
            Err("no_key_of_this_algorithm")
        );
        let stranger = Client::new().sign(&json!({ "alg": "EdDSA" }), &claims());
        let assertion = Assertion::read(&stranger).unwrap();
        assert_eq!(
            assertion.verify(&[client.public], &["us".to_owned()], NOW),
            Err("wrong_signature")
        );
    }

    #[test]
    fn rubbish_is_refused_without_panic() {
        for text in ["", ".", "..", "...", "a.b.c", "e30.e30.", "e30.e30.e30", &"x.".repeat(5000)] {
            assert!(Assertion::read(text).is_none(), "{text}");
        }
    }
}
