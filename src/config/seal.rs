use serde::{Deserialize, Serialize};

use super::SecretText;

/// Encryption at rest of upstream credentials and signing keys.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SealConfig {
    /// The key that seals all other secrets: 32 bytes in standard base64, 44 characters with the
    /// padding. Secret. If absent with SQLite, it is read from the file `master.key` in `data.dir`,
    /// which is created at the first start. Required with PostgreSQL, the same on all nodes.
    /// Variable `TENANT_GATEWAY__SEAL__MASTER_KEY`, or `TENANT_GATEWAY__SEAL__MASTER_KEY_FILE` with
    /// the path of a file that contains it; default absent.
    pub master_key: Option<SecretText>,

    /// The previous master key: it still opens what it sealed, and seals nothing. Set it with the
    /// new `master_key` on every node, run `tenant-gateway keys rotate-master`, then remove it.
    /// With several nodes, first start each with the new key here and the old one as `master_key`,
    /// so that all nodes know both keys before one of them seals with the new one. Secret. Variable
    /// `TENANT_GATEWAY__SEAL__PREVIOUS_MASTER_KEY`, or
    /// `TENANT_GATEWAY__SEAL__PREVIOUS_MASTER_KEY_FILE` with the path of a file that contains it;
    /// default absent.
    pub previous_master_key: Option<SecretText>,
}

impl SealConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        let mut keys = self.master_key.iter().chain(&self.previous_master_key);
        if keys.all(|key| is_base64_of_32_bytes(key.expose())) {
            return Ok(());
        }
        let message = "must be 32 bytes in standard base64 (44 characters); \
                       generate one with: openssl rand -base64 32";
        Err(message.to_owned())
    }
}

fn is_base64_of_32_bytes(text: &str) -> bool {
    // 42 characters encode 252 bits; the 43rd encodes the last four bits and two zero bits, so that
    // a key has only one encoding.
    let (Some(digits), Some(last)) = (text.get(..42), text.get(42..)) else {
        return false;
    };
    let is_digit = |c: u8| c.is_ascii_alphanumeric() || c == b'+' || c == b'/';
    digits.bytes().all(is_digit)
        && last
            .strip_suffix('=')
            .is_some_and(|last| last.len() == 1 && "AEIMQUYcgkosw048".contains(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_of_32_bytes_is_accepted() {
        assert!(is_base64_of_32_bytes("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
        assert!(is_base64_of_32_bytes("//////////////////////////////////////////8="));
    }

    #[test]
    fn any_other_key_is_refused() {
        for text in [
            "",
            "AAAA",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
            "________________________________________AAA=",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        ] {
            assert!(!is_base64_of_32_bytes(text), "{text}");
        }
    }
}
