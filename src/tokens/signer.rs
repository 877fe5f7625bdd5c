//! Signs tokens with a parsed key.
//!
//! The JWT library parses the key for each signature, which costs as much as the signature itself.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::algorithm::Algorithm;
use super::claims::TOKEN_TYPE;
use crate::error::{Error, Result};
use crate::ids::KeyId;

/// Signs tokens with one key.
pub(super) struct Signer {
    /// The encoded header of every token that the key signs.
    header: String,
    private: Private,
}

#[derive(Serialize)]
struct Header {
    typ: &'static str,
    alg: &'static str,
    kid: String,
}

enum Private {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
}

impl Signer {
    /// Parses a private key in PKCS #8.
    pub fn open(id: KeyId, algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self> {
        let private = match algorithm {
            Algorithm::EdDsa | Algorithm::Ed25519 => {
                Ed25519KeyPair::from_pkcs8(pkcs8).map(Private::EdDsa)
            }
            Algorithm::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                .map(Private::Es256),
            Algorithm::Rs256 => RsaKeyPair::from_pkcs8(pkcs8).map(Private::Rs256),
        };
        let header = Header { typ: TOKEN_TYPE, alg: algorithm.name(), kid: id.to_string() };
        let header = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&header).map_err(Error::internal)?);
        Ok(Self { header, private: private.map_err(Error::internal)? })
    }

    /// Signs a token (RFC 7515, section 3.1).
    pub fn sign(&self, claims: &impl Serialize) -> Result<String> {
        let claims = serde_json::to_vec(claims).map_err(Error::internal)?;
        let mut token = format!("{}.", self.header);
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.private.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}

impl Private {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let failed = |_| Error::internal("the crypto library could not sign");
        match self {
            Self::EdDsa(key) => Ok(key.sign(message).as_ref().to_vec()),
            Self::Es256(key) => {
                Ok(key.sign(&SystemRandom::new(), message).map_err(failed)?.as_ref().to_vec())
            }
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
        }
    }
}
