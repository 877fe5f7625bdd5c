//! The secrets of a sign-in that the gateway needs when the person comes back.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::seal::MasterKey;
use crate::secret::SecretHash;

/// The nonce and the PKCE verifier of a sign-in.
#[derive(Deserialize, Serialize)]
pub(super) struct Secrets {
    pub nonce: String,
    pub verifier: String,
}

impl Secrets {
    /// Seals them for the sign-in whose `state` has that hash.
    pub fn seal(
        &self,
        master: &MasterKey,
        entropy: &dyn Entropy,
        state: &SecretHash,
    ) -> Result<Vec<u8>> {
        let opened = serde_json::to_vec(self).map_err(Error::internal)?;
        Ok(master.seal(entropy, &binding(state), &opened))
    }

    /// Opens those of the sign-in whose `state` has that hash.
    pub fn open(master: &MasterKey, state: &SecretHash, sealed: &[u8]) -> Result<Self> {
        let opened = master.open(&binding(state), sealed)?;
        serde_json::from_slice(&opened).map_err(Error::internal)
    }
}

fn binding(state: &SecretHash) -> String {
    format!("sign_in:{}", URL_SAFE_NO_PAD.encode(state.as_bytes()))
}
