//! Secrets and keys of clients as objects.

use async_graphql::{ID, SimpleObject};

use super::key_input::JsonWebKeyAlgorithm;
use crate::clients::entity::{key, secret};
use crate::clients::model;
use crate::clock::Timestamp;
use crate::secret::SECRET_PREFIX;
use crate::tokens::PublicKey;

/// A secret of a client. Only its hash is stored.
#[derive(Clone, SimpleObject)]
pub struct ClientSecret {
    /// The secret's UUID, as taken by `retireClientSecret`.
    id: ID,
    /// The prefix that all secrets share.
    prefix: &'static str,
    /// The last four characters of the secret.
    last_four: String,
    /// When the object was created, in RFC 3339.
    created_at: String,
    /// When it was last used, in RFC 3339; null if never.
    last_used_at: Option<String>,
    /// The IP address from which it was last used.
    last_used_from: Option<String>,
    /// When the secret stops working because a newer one replaced it, in RFC 3339.
    retires_at: Option<String>,
    /// When the secret expires by the tenant's `maxSecretAge`, in RFC 3339.
    expires_at: Option<String>,
}

/// A public key of a client. Only the client has its private key.
#[derive(Clone, SimpleObject)]
pub struct ClientKey {
    /// The key's UUID, as taken by `deleteClientKey`.
    id: ID,
    /// The signature algorithm.
    algorithm: JsonWebKeyAlgorithm,
    /// The signature algorithm as stored.
    algorithm_text: String,
    /// The `kid` of the JWK, if it had one.
    kid: Option<String>,
    /// The SHA-256 thumbprint of the key in base64url (RFC 7638).
    thumbprint: String,
    /// When the object was registered, in RFC 3339.
    created_at: String,
    /// When it was last used, in RFC 3339; null if never.
    last_used_at: Option<String>,
    /// The IP address from which it was last used.
    last_used_from: Option<String>,
}

/// The progress of a secret rotation.
#[derive(Clone, SimpleObject)]
pub struct ClientRotation {
    /// Whether the new secret has been used and the old one has not been used for the lifetime of a
    /// token, so that it can be retired safely.
    safe_to_retire: bool,
    /// When the old secret was last used, in RFC 3339; null if never.
    old_secret_last_used_at: Option<String>,
}

impl From<&secret::Model> for ClientSecret {
    fn from(secret: &secret::Model) -> Self {
        Self {
            id: secret.id.to_string().into(),
            prefix: SECRET_PREFIX,
            last_four: secret.last_four.clone(),
            created_at: text(secret.created_at),
            last_used_at: secret.last_used_at.map(text),
            last_used_from: secret.last_used_from.clone(),
            retires_at: secret.retires_at.map(text),
            expires_at: secret.expires_at.map(text),
        }
    }
}

impl From<&key::Model> for ClientKey {
    fn from(key: &key::Model) -> Self {
        let public = PublicKey::stored(&key.public_jwk).ok();
        Self {
            id: key.id.to_string().into(),
            algorithm: JsonWebKeyAlgorithm::read(&key.algorithm),
            algorithm_text: key.algorithm.clone(),
            kid: public.and_then(|public| public.key_id().map(str::to_owned)),
            thumbprint: key.thumbprint.clone(),
            created_at: text(key.created_at),
            last_used_at: key.last_used_at.map(text),
            last_used_from: key.last_used_from.clone(),
        }
    }
}

impl From<model::Rotation> for ClientRotation {
    fn from(rotation: model::Rotation) -> Self {
        Self {
            safe_to_retire: rotation.safe_to_retire,
            old_secret_last_used_at: rotation.old_secret_last_used_at.map(text),
        }
    }
}

/// A time as the API writes it.
pub(super) fn text(moment: Timestamp) -> String {
    moment.to_string()
}
