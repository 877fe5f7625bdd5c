//! Whether a person may sign in with a password.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::database::Database;
use crate::error::Result;
use crate::single_sign_on::entity::provider;
use crate::users::SingleSignOnPolicy;
use crate::users::entity::Model;

/// Passwords are off for the people of a tenant with an enabled provider, but for the account that
/// it names for emergencies.
pub struct PasswordPolicy {
    database: Arc<Database>,
}

impl PasswordPolicy {
    /// Creates the policy over the providers in a database.
    pub fn new(database: Arc<Database>) -> Self {
        Self { database }
    }
}

impl SingleSignOnPolicy for PasswordPolicy {
    fn password_allowed<'a>(&'a self, user: &'a Model) -> BoxFuture<'a, Result<bool>> {
        async move {
            let provider = provider::Entity::of_home(user.tenant_id);
            let provider = provider.one(self.database.reader()).await?;
            Ok(provider.is_none_or(|provider| provider.emergency_user_id == Some(user.id)))
        }
        .boxed()
    }
}
