//! The code that a person reads from one screen and enters at another (RFC 8628, section 6.1).

use std::fmt;

use crate::entropy::Entropy;
use crate::secret::SecretHash;

/// No vowels, so that no words come out, and no letters that look like others.
const ALPHABET: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";

/// 20 letters to the power of 8 are 34 bits: with the limits of attempts and the few codes that are
/// open at once, guessing one is hopeless.
const LENGTH: usize = 8;

/// A user code: eight letters, shown as `BCDF-GHJK`.
#[derive(Clone, PartialEq, Eq)]
pub struct UserCode([u8; LENGTH]);

impl UserCode {
    /// Generates a code; each is as likely as any other.
    pub fn generate(entropy: &dyn Entropy) -> Self {
        let mut code = [0; LENGTH];
        let mut filled = 0;
        while filled < LENGTH {
            let mut bytes = [0; 16];
            entropy.fill(&mut bytes);
            // The bytes from 240 would make the first letters likelier than the others.
            for byte in bytes.into_iter().filter(|byte| *byte < 240).take(LENGTH - filled) {
                code[filled] = ALPHABET[usize::from(byte) % ALPHABET.len()];
                filled += 1;
            }
        }
        Self(code)
    }

    /// Reads a code as people enter it: in any letter case, with any punctuation and spaces.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 64 {
            return None;
        }
        let letters = text.chars().filter(|character| character.is_ascii_alphanumeric());
        let letters: Vec<u8> =
            letters.filter_map(|letter| u8::try_from(letter.to_ascii_uppercase()).ok()).collect();
        let code: [u8; LENGTH] = letters.try_into().ok()?;
        code.iter().all(|letter| ALPHABET.contains(letter)).then_some(Self(code))
    }

    /// The hash to be stored.
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&self.0)
    }

    /// The code as it is shown.
    pub fn expose(&self) -> String {
        let (first, second) = self.0.split_at(LENGTH / 2);
        let text = |half: &[u8]| half.iter().copied().map(char::from).collect::<String>();
        format!("{}-{}", text(first), text(second))
    }
}

impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn shown_code_is_read_again_however_it_is_typed() {
        let code = UserCode::generate(&SystemEntropy);
        let shown = code.expose();
        assert_eq!((shown.len(), &shown[4..5]), (9, "-"));
        let lower = shown.to_lowercase();
        for typed in [shown.clone(), lower, shown.replace('-', ""), format!(" {shown} ")] {
            assert!(UserCode::parse(&typed).is_some_and(|read| read == code), "{typed}");
        }
    }

    #[test]
    fn anything_else_is_no_code() {
        let long = "B".repeat(100);
        for text in ["", "BCDF", "BCDF-GHJA", "BCDF-GHJ1", "BCDF-GHJKL", "ÄBCDFGHJ", &*long] {
            assert!(UserCode::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn codes_use_the_whole_alphabet_and_do_not_repeat() {
        let codes: HashSet<_> =
            (0..500).map(|_| UserCode::generate(&SystemEntropy).expose()).collect();
        assert_eq!(codes.len(), 500);
        let letters: HashSet<_> = codes.iter().flat_map(|code| code.bytes()).collect();
        assert_eq!(letters.len(), ALPHABET.len() + 1, "and the hyphen");
    }
}
