//! The public keys that clients register, as JWKs (RFC 7517).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, ThumbprintHash};
use serde_json::{Map, Value, json};

use super::algorithm::Algorithm;
use crate::error::{Error, Result};

/// The members of private and symmetric keys (RFC 7518, section 6; RFC 8037, section
/// 2).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// The first byte of an uncompressed curve point.
const UNCOMPRESSED: u8 = 4;

const KEY_ID_LENGTH_MAX: usize = 255;

/// A public key with checked form and strength.
#[derive(Clone, Debug)]
pub struct PublicKey {
    algorithm: Algorithm,
    jwk: Jwk,
}

impl PublicKey {
    /// Parses a caller's key: Ed25519, P-256, or RSA of 2048 to 8192 bits. Unknown members are
    /// dropped.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `argument` for any other, and for a private key.
    pub fn parse(argument: &str, jwk: &Value) -> Result<Self> {
        let refused = |must: &str| Error::bad_input(argument, must);
        let members =
            jwk.as_object().ok_or_else(|| refused("must be a JWK, which is a JSON object"))?;
        if PRIVATE_MEMBERS.iter().any(|member| members.contains_key(*member)) {
            return Err(refused(
                "must be a public key; this one holds a secret part, which now counts as disclosed",
            ));
        }
        let text = |member: &str| members.get(member).and_then(Value::as_str);
        let (algorithm, mut kept) = match (text("kty"), text("crv")) {
            (Some("OKP"), Some("Ed25519")) => (Algorithm::EdDsa, ed25519(members)),
            (Some("EC"), Some("P-256")) => (Algorithm::Es256, p256(members)),
            (Some("RSA"), None) => (Algorithm::Rs256, rsa(members)),
            _ => return Err(refused("must be of Ed25519, of P-256, or of RSA")),
        };
        let kept = kept.as_mut().map_err(|must| refused(must))?;
        let other_name = (algorithm == Algorithm::EdDsa).then_some(Algorithm::Ed25519.name());
        if text("alg").is_some_and(|alg| alg != algorithm.name() && Some(alg) != other_name)
            || text("use").is_some_and(|used| used != "sig")
        {
            return Err(refused(
                "must be for signatures of EdDSA, ES256 or RS256, as `alg` and `use` say",
            ));
        }
        kept["alg"] = algorithm.name().into();
        kept["use"] = "sig".into();
        if let Some(id) =
            text("kid").filter(|id| id.len() <= KEY_ID_LENGTH_MAX && !id.contains('\0'))
        {
            kept["kid"] = id.into();
        }
        Self::read(algorithm, kept.take())
    }

    /// Parses a stored key.
    ///
    /// # Errors
    /// If the key is not one that [`PublicKey::parse`] accepts.
    pub fn stored(text: &str) -> Result<Self> {
        let jwk: Value = serde_json::from_str(text).map_err(Error::internal)?;
        let algorithm = jwk["alg"].as_str().unwrap_or_default().parse()?;
        Self::read(algorithm, jwk)
    }

    fn read(algorithm: Algorithm, jwk: Value) -> Result<Self> {
        Ok(Self { algorithm, jwk: serde_json::from_value(jwk).map_err(Error::internal)? })
    }

    /// The algorithm of the signatures that it verifies.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The `kid` of its owner.
    pub fn key_id(&self) -> Option<&str> {
        self.jwk.common.key_id.as_deref()
    }

    /// The text to store.
    ///
    /// # Errors
    /// Never in practice: what was read can be written.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string(&self.jwk).map_err(Error::internal)
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638).
    ///
    /// # Errors
    /// Never for the algorithms that there are.
    pub fn thumbprint(&self) -> Result<String> {
        self.jwk.thumbprint(ThumbprintHash::SHA256).map_err(Error::internal)
    }

    /// Whether the signature is its owner's (RFC 7518, section 3; RFC 8037, section 3.1).
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let number = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
        let verified = match &self.jwk.algorithm {
            AlgorithmParameters::OctetKeyPair(key) => {
                UnparsedPublicKey::new(&ED25519, number(&key.x)).verify(message, signature)
            }
            AlgorithmParameters::EllipticCurve(key) => {
                let point = [&[UNCOMPRESSED][..], &number(&key.x), &number(&key.y)].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
            AlgorithmParameters::RSA(key) => {
                let key = RsaPublicKeyComponents { n: number(&key.n), e: number(&key.e) };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            }
            _ => return false,
        };
        verified.is_ok()
    }
}

type Members = Map<String, Value>;

fn bytes(members: &Members, name: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(members.get(name)?.as_str()?).ok()
}

fn ed25519(members: &Members) -> Result<Value, &'static str> {
    let x = bytes(members, "x").filter(|x| ParsedPublicKey::new(&ED25519, x).is_ok());
    let x = x.ok_or("must have a public key of Ed25519 in `x`, in base64url without padding")?;
    Ok(json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(x) }))
}

fn p256(members: &Members) -> Result<Value, &'static str> {
    let point = || {
        let x = bytes(members, "x")?;
        let y = bytes(members, "y")?;
        // Parsing checks that the point lies on the curve.
        let whole = [&[UNCOMPRESSED][..], &x, &y].concat();
        let valid = x.len() == 32 && ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &whole).is_ok();
        valid.then(|| (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y)))
    };
    let (x, y) =
        point().ok_or("must have a point of P-256 in `x` and `y`, in base64url without padding")?;
    Ok(json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }))
}

fn rsa(members: &Members) -> Result<Value, &'static str> {
    // Without leading zeros, so that one key has one thumbprint.
    let number = |name| {
        bytes(members, name).map(|bytes| bytes.into_iter().skip_while(|byte| *byte == 0).collect())
    };
    let numbers = || number("n").zip(number("e"));
    let (n, e): (Vec<u8>, Vec<u8>) =
        numbers().ok_or("must have `n` and `e`, in base64url without padding")?;
    let bits = n.len() * 8 - n.first().map_or(0, |first| first.leading_zeros() as usize);
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    if !RSA_BITS.contains(&bits) || !is_odd(&n) {
        return Err("must have a modulus of 2048 to 8192 bits");
    }
    if e.len() > 4 || !is_odd(&e) || e == [1] {
        return Err("must have an odd exponent from 3 to 4294967295; 65537 is usual");
    }
    Ok(json!({ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode(n), "e": URL_SAFE_NO_PAD.encode(e) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::assertion::dummy_key;

    fn with(member: &str, value: Value) -> Value {
        let mut jwk: Value =
            serde_json::from_str(&dummy_key(Algorithm::EdDsa).to_json().unwrap()).unwrap();
        jwk[member] = value;
        jwk
    }

    fn refusal(jwk: &Value) -> String {
        PublicKey::parse("jwk", jwk).unwrap_err().message().to_owned()
    }

    #[test]
    fn public_key_of_each_algorithm_is_taken_and_read_again() {
        for algorithm in Algorithm::ALL {
            let text = dummy_key(algorithm).to_json().unwrap();
            let key = PublicKey::parse("jwk", &serde_json::from_str(&text).unwrap()).unwrap();
            assert_eq!(key.algorithm(), algorithm);
            let again = PublicKey::stored(&key.to_json().unwrap()).unwrap();
            assert_eq!(again.thumbprint().unwrap(), key.thumbprint().unwrap());
        }
    }

    #[test]
    fn private_key_is_refused_whatever_else_it_holds() {
        for member in PRIVATE_MEMBERS {
            assert!(
                refusal(&with(member, "AAAA".into())).contains("must be a public key"),
                "{member}"
            );
        }
    }

    #[test]
    fn weak_or_unsupported_key_is_refused() {
        let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
        assert!(refusal(&json!({ "kty": "RSA", "n": short, "e": "AQAB" })).contains("2048"));
        let long = URL_SAFE_NO_PAD.encode([0xff; 256]);
        assert!(refusal(&json!({ "kty": "RSA", "n": long, "e": "AQ" })).contains("exponent"));
        let off_curve = URL_SAFE_NO_PAD.encode([1; 32]);
        assert!(
            refusal(&json!({ "kty": "EC", "crv": "P-256", "x": off_curve, "y": off_curve }))
                .contains("P-256")
        );
        assert!(
            refusal(&json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" })).contains("Ed25519")
        );
        assert!(refusal(&json!({ "kty": "oct" })).contains("must be of"));
        assert!(refusal(&json!("text")).contains("JSON object"));
    }

    #[test]
    fn key_for_another_purpose_is_refused() {
        assert!(PublicKey::parse("jwk", &with("use", "enc".into())).is_err());
        assert!(PublicKey::parse("jwk", &with("alg", "ES256".into())).is_err());
        assert_eq!(
            PublicKey::parse("jwk", &with("kid", "mine".into())).unwrap().key_id(),
            Some("mine")
        );
    }
}
