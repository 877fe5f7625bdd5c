//! Whether a user may sign in with a password, as a trait: single sign-on, a room above, decides.

use std::pin::Pin;

use crate::error::Result;
use crate::users::entity::Model;

/// The answer to a question of a policy.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<bool>> + Send + 'a>>;

/// Tells who may sign in with a password.
pub trait SingleSignOnPolicy: Send + Sync {
    /// Whether this user may: always, unless their tenant has an enabled identity provider and they
    /// are not its emergency account.
    fn password_allowed<'a>(&'a self, user: &'a Model) -> Answer<'a>;
}

/// The policy of a gateway where no tenant has an identity provider.
pub struct NoSingleSignOn;

impl SingleSignOnPolicy for NoSingleSignOn {
    fn password_allowed<'a>(&'a self, _: &'a Model) -> Answer<'a> {
        Box::pin(async { Ok(true) })
    }
}
