//! Public keys from callers.

use async_graphql::resolver_utils::EnumType;
use async_graphql::{Enum, InputObject};
use serde_json::Value;

use crate::error::{Error, Result};
use crate::graph::graphql::JsonValue;
use crate::tokens::PublicKey;

/// Input of `createClientKey`.
#[derive(InputObject)]
pub struct AddClientKeyInput {
    /// The public key as a JWK (RFC 7517): an object with `kty` and, depending on it, `crv` and `x`
    /// (Ed25519), `crv`, `x` and `y` (P-256), or `n` and `e` (RSA, 2048 to 8192 bits). `kid` is
    /// stored; `alg` and `use` must match the key if present. BAD_USER_INPUT for any other key, and
    /// for a key with a private part.
    #[graphql(deprecation = "use key; offered until 2027-12-31")]
    jwk: Option<JsonValue>,
    /// The public key. Exactly one of `key` and `jwk` is required.
    key: Option<JsonWebKeyInput>,
}

/// A public key as a JWK (RFC 7517): `kty` with `crv` and `x` for Ed25519, with `crv`, `x` and `y`
/// for P-256, with `n` and `e` for RSA of 2048 to 8192 bits. There are no fields for private parts:
/// never send a private key.
#[derive(InputObject)]
pub struct JsonWebKeyInput {
    /// The key type.
    kty: JsonWebKeyType,
    /// The curve, for OKP and EC.
    crv: Option<JsonWebKeyCurve>,
    /// The x coordinate or the public key in base64url, for EC and OKP.
    x: Option<String>,
    /// The y coordinate in base64url, for EC.
    y: Option<String>,
    /// The modulus in base64url, for RSA.
    n: Option<String>,
    /// The exponent in base64url, for RSA.
    e: Option<String>,
    /// The key id, up to 255 bytes.
    kid: Option<String>,
    /// The algorithm, matching the key type. Optional.
    alg: Option<JsonWebKeyAlgorithm>,
}

/// The type of a key.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum JsonWebKeyType {
    /// Octet key pair: Ed25519.
    #[graphql(name = "OKP")]
    Okp,
    /// Elliptic curve: P-256.
    #[graphql(name = "EC")]
    Ec,
    /// RSA.
    #[graphql(name = "RSA")]
    Rsa,
}

/// The curve of a key.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum JsonWebKeyCurve {
    /// `Ed25519`.
    #[graphql(name = "ED25519")]
    Ed25519,
    /// `P-256`.
    #[graphql(name = "P_256")]
    P256,
}

/// The signature algorithm of a key.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum JsonWebKeyAlgorithm {
    /// Ed25519 (RFC 8037).
    #[graphql(name = "EdDSA")]
    EdDsa,
    /// ECDSA with P-256 and SHA-256 (RFC 7518).
    #[graphql(name = "ES256")]
    Es256,
    /// RSA with PKCS #1 v1.5 and SHA-256 (RFC 7518).
    #[graphql(name = "RS256")]
    Rs256,
    /// An algorithm that this version of the gateway does not know; `algorithmText` has it. Not
    /// accepted as input.
    #[graphql(name = "UNKNOWN")]
    Unknown,
}

impl JsonWebKeyAlgorithm {
    /// The algorithm of that name.
    pub fn read(name: &str) -> Self {
        let known = Self::items().iter().find(|item| item.name == name);
        known.map_or(Self::Unknown, |item| item.value)
    }

    fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Unknown => "UNKNOWN",
        }
    }
}

impl JsonWebKeyInput {
    fn to_json(&self) -> Value {
        let kty = match self.kty {
            JsonWebKeyType::Okp => "OKP",
            JsonWebKeyType::Ec => "EC",
            JsonWebKeyType::Rsa => "RSA",
        };
        let crv = self.crv.map(|crv| match crv {
            JsonWebKeyCurve::Ed25519 => "Ed25519",
            JsonWebKeyCurve::P256 => "P-256",
        });
        let members = [
            ("crv", crv),
            ("x", self.x.as_deref()),
            ("y", self.y.as_deref()),
            ("n", self.n.as_deref()),
            ("e", self.e.as_deref()),
            ("kid", self.kid.as_deref()),
            ("alg", self.alg.map(JsonWebKeyAlgorithm::name)),
        ];
        let given = members
            .into_iter()
            .filter_map(|(name, text)| text.map(|text| (name.to_owned(), text.into())));
        given.chain([("kty".to_owned(), kty.into())]).collect::<serde_json::Map<_, _>>().into()
    }
}

impl AddClientKeyInput {
    /// Checks the key.
    pub fn parse(self) -> Result<PublicKey> {
        match (self.key, self.jwk) {
            (Some(key), None) => PublicKey::parse("input.key", &key.to_json()),
            (None, Some(jwk)) => PublicKey::parse("input.jwk", &jwk.0),
            _ => Err(Error::bad_input("input", "must have exactly one of key and jwk")),
        }
    }
}
