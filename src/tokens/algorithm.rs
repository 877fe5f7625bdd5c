//! Signature algorithms of tokens.

use std::str::FromStr;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::EncodingKey;

use crate::error::{Error, Result};

/// The algorithms of token signatures. No other is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037): the default.
    EdDsa,
    /// The same under its fully specified name (RFC 9864, section 2.2), for verifiers that accept
    /// no other.
    Ed25519,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// RSA of 2048 bits with SHA-256, for verifiers without elliptic curves.
    Rs256,
}

impl Algorithm {
    /// One for each kind of key, the preferred one first.
    pub const ALL: [Self; 3] = [Self::EdDsa, Self::Es256, Self::Rs256];

    /// The name in the header of a token (RFC 7518, section 3.1; RFC 8037, section 3.1; RFC 9864,
    /// section 2.2).
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }

    pub(super) const fn jwt(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa | Self::Ed25519 => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }

    /// A new private key in PKCS #8.
    pub(super) fn generate(self) -> Result<Vec<u8>> {
        let failed = |_| Error::internal("the crypto library could not make a signing key");
        Ok(match self {
            // jsonwebtoken reads version 1 of PKCS #8, which has no public half.
            Self::EdDsa | Self::Ed25519 => Ed25519KeyPair::generate()
                .and_then(|key| key.to_pkcs8v1())
                .map_err(failed)?
                .as_ref()
                .to_vec(),
            Self::Es256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
                    .map_err(failed)?
                    .as_ref()
                    .to_vec()
            }
            Self::Rs256 => RsaKeyPair::generate(KeySize::Rsa2048)
                .and_then(|key| key.as_der())
                .map_err(failed)?
                .as_ref()
                .to_vec(),
        })
    }

    pub(super) fn encoding_key(self, pkcs8: &[u8]) -> Result<EncodingKey> {
        match self {
            Self::EdDsa | Self::Ed25519 => Ok(EncodingKey::from_ed_der(pkcs8)),
            Self::Es256 => Ok(EncodingKey::from_ec_der(pkcs8)),
            Self::Rs256 => {
                let pem = format!(
                    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
                    STANDARD.encode(pkcs8)
                );
                EncodingKey::from_rsa_pem(pem.as_bytes()).map_err(Error::internal)
            }
        }
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .chain([Self::Ed25519])
            .find(|algorithm| algorithm.name() == text)
            .ok_or_else(|| Error::internal("a signing key of an unknown algorithm is stored"))
    }
}
