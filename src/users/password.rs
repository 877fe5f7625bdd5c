//! Rules for passwords, and their hashes.

use std::fmt;

use argon2::password_hash::{Output, PasswordHash as Phc, PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use tenant_gateway_folding::compose_compatible;
use zxcvbn::{Score, zxcvbn};

use crate::entropy::Entropy;
use crate::error::{Error, Result};

const LENGTH: std::ops::RangeInclusive<usize> = 12..=128;

/// Longer texts are refused before normalisation: a form may hold megabytes.
const BYTES_MAX: usize = 4 * 128;

/// The salt of RFC 9106, section 3.1: 16 bytes.
const SALT_LENGTH: usize = 16;

/// A hash with the current parameters that no password has: its output was drawn at random.
pub const DUMMY: &str = "$argon2id$v=19$m=65536,t=3,p=4$q1L9gUa8u2cXbyVwPD5hNw$3vUuO6l4X3u0mB0f0n9G7hB9eYcV8X0w4tH2Zr5iQkM";

/// A password as it is compared: in normalisation form NFKC, so that each keyboard types the same.
pub struct Password(String);

impl Password {
    /// Reads a password that was typed at a sign-in; nothing if no user can have it.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > BYTES_MAX {
            return None;
        }
        let normal = compose_compatible(text);
        LENGTH.contains(&normal.chars().count()).then_some(Self(normal))
    }

    /// Reads a new password of a person with these words, such as their name and address. Takes
    /// milliseconds of computing: call it on a blocking thread.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a password that is too short, too long or easily guessed.
    pub fn parse_new(text: &str, words: &[&str]) -> Result<Self> {
        let wrong_length = || Error::bad_input("password", "must have 12 to 128 characters");
        let password = Self::read(text).ok_or_else(wrong_length)?;
        if zxcvbn(&password.0, words).score() < Score::Three {
            return Err(Error::bad_input(
                "password",
                "is too easy to guess: use several words that do not belong together, and \
                 neither your name nor your address",
            ));
        }
        Ok(password)
    }

    /// Hashes the password with a salt in base64. Takes a tenth of a second and 64 MiB: call it on a
    /// blocking thread.
    pub fn hash(&self, salt: &str) -> Result<String> {
        let salt = SaltString::from_b64(salt).map_err(failed)?;
        let hash = argon2()?.hash_password(self.0.as_bytes(), &salt).map_err(failed)?;
        Ok(hash.to_string())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A new salt, in base64 without padding.
pub fn random_salt(entropy: &dyn Entropy) -> Result<String> {
    let mut bytes = [0; SALT_LENGTH];
    entropy.fill(&mut bytes);
    Ok(SaltString::encode_b64(&bytes).map_err(failed)?.as_str().to_owned())
}

/// The salt of a stored hash.
pub fn salt_of(stored: &str) -> Option<&str> {
    stored.split('$').nth(4)
}

/// Whether two hashes with the same salt are of the same password, compared in constant time.
pub fn is_same(one: &str, other: &str) -> bool {
    let (Some(one), Some(other)) = (output(one), output(other)) else { return false };
    verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

fn output(stored: &str) -> Option<Output> {
    Phc::new(stored).ok()?.hash
}

/// The libraries' errors are no `std` errors without a feature that nothing else needs.
fn failed(error: impl fmt::Display) -> Error {
    Error::internal(error.to_string())
}

/// Argon2id with the second recommended parameters of RFC 9106, section 4: 64 MiB, three passes,
/// four lanes, a tag of 32 bytes.
fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(64 * 1024, 3, 4, Some(32)).map_err(failed)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_has_twelve_to_128_characters_of_any_script() {
        assert!(Password::read("elevenchars").is_none());
        assert!(Password::read("twelve chars").is_some());
        assert!(Password::read(&"ß".repeat(128)).is_some());
        assert!(Password::read(&"a".repeat(129)).is_none());
        assert!(Password::read(&"a".repeat(1_000_000)).is_none());
    }

    #[test]
    fn composed_and_decomposed_letters_are_one_password() {
        let composed = Password::read("Gr\u{fc}\u{df}e aus M\u{fc}nchen").unwrap();
        let decomposed = Password::read("Gru\u{308}\u{df}e aus Mu\u{308}nchen").unwrap();
        assert_eq!(composed.0, decomposed.0);
    }

    #[test]
    fn easily_guessed_password_is_refused() {
        for text in ["password1234", "aaaaaaaaaaaaaaa", "qwertyuiop[]", "ada.lovelace@example.com"]
        {
            let refused = Password::parse_new(text, &["ada.lovelace@example.com", "Ada Lovelace"]);
            assert!(refused.is_err(), "{text}");
        }
        assert!(Password::parse_new("violet harbour copper 71", &["ada"]).is_ok());
    }

    #[test]
    fn dummy_hash_has_the_parameters_in_use() {
        let hash = Password::read("violet harbour").unwrap().hash(salt_of(DUMMY).unwrap()).unwrap();
        let parameters = |hash: &str| hash.split('$').take(5).collect::<Vec<_>>().join("$");
        assert_eq!(parameters(&hash), parameters(DUMMY));
        assert!(is_same(&hash, &hash) && !is_same(&hash, DUMMY));
    }

    #[test]
    fn debug_output_hides_the_password() {
        assert_eq!(format!("{:?}", Password::read("violet harbour").unwrap()), "[redacted]");
    }
}
