//! Signs one browser in to the playground, once.
//!
//! A browser that another program opens takes an address alone, which stands in the arguments of
//! that program and in the browser's history. So the address names a file that only its owner can
//! read, and the file posts a code; the secret of the client is in neither.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::entropy::Entropy;
use crate::secret::{PlainSecret, SecretHash};

/// For how long a code is good: the first start of a browser may take a while.
const LIFETIME: Duration = Duration::from_mins(2);

/// The credentials that the playground signs in with.
pub struct PlaygroundCredentials {
    /// The `client_id` of a client.
    pub client_id: String,
    /// A secret of that client.
    pub client_secret: PlainSecret,
}

struct Offer {
    code: SecretHash,
    expires: Instant,
    credentials: PlaygroundCredentials,
}

/// Credentials that wait for the browser that presents the code; at most one pair at a time.
#[derive(Default)]
pub struct OneTimeSignIn(Mutex<Option<Offer>>);

impl OneTimeSignIn {
    /// Offers the credentials to the first request with the returned code, for two minutes. An
    /// earlier offer is withdrawn.
    pub fn offer(&self, credentials: PlaygroundCredentials, entropy: &dyn Entropy) -> PlainSecret {
        let code = PlainSecret::generate(entropy);
        let expires = Instant::now() + LIFETIME;
        let offer = Offer { code: code.hash(), expires, credentials };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(offer);
        code
    }

    /// Takes the credentials; `None` for any other code, and when they were taken or are expired. A
    /// wrong code leaves the offer: its 256 random bits cannot be guessed.
    pub fn take(&self, code: &str) -> Option<PlaygroundCredentials> {
        let presented = PlainSecret::parse(code)?.hash();
        let mut offer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let taken =
            offer.take_if(|offer| offer.expires <= now || offer.code.matches(&presented))?;
        (taken.expires > now).then_some(taken.credentials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    fn offered() -> (OneTimeSignIn, PlainSecret) {
        let sign_in = OneTimeSignIn::default();
        let credentials = PlaygroundCredentials {
            client_id: "client".to_owned(),
            client_secret: PlainSecret::generate(&SystemEntropy),
        };
        let code = sign_in.offer(credentials, &SystemEntropy);
        (sign_in, code)
    }

    #[tokio::test]
    async fn code_works_once() {
        let (sign_in, code) = offered();
        assert!(sign_in.take(code.expose()).is_some());
        assert!(sign_in.take(code.expose()).is_none());
    }

    #[tokio::test]
    async fn wrong_code_leaves_the_offer() {
        let (sign_in, code) = offered();
        let other = PlainSecret::generate(&SystemEntropy);
        for wrong in ["", "tgw_", other.expose()] {
            assert!(sign_in.take(wrong).is_none(), "{wrong}");
        }
        assert!(sign_in.take(code.expose()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn code_expires_after_two_minutes() {
        let (sign_in, code) = offered();
        tokio::time::advance(LIFETIME).await;
        assert!(sign_in.take(code.expose()).is_none());
    }

    #[tokio::test]
    async fn new_offer_withdraws_the_earlier_one() {
        let (sign_in, earlier) = offered();
        let credentials = sign_in.take(earlier.expose()).unwrap();
        let earlier = sign_in.offer(credentials, &SystemEntropy);
        let credentials = offered().0.0.into_inner().unwrap().unwrap().credentials;
        let later = sign_in.offer(credentials, &SystemEntropy);
        assert!(sign_in.take(earlier.expose()).is_none());
        assert!(sign_in.take(later.expose()).is_some());
    }
}
