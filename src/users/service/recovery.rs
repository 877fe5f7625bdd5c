//! Recovery codes: each replaces a lost second factor once.

use std::sync::Arc;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::Users;
use crate::database::Write;
use crate::entropy::Entropy;
use crate::error::Result;
use crate::ids::{RecoveryCodeId, UserId};
use crate::secret::SecretHash;
use crate::users::entity::credential::recovery::{Column, Entity, Model};
use crate::users::model::{SecondFactorOutcome, SignInOrigin};

const CODES: usize = 10;

/// The alphabet of Crockford's base 32: no letter that looks like a digit.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// 80 bits: too many to guess, so a plain hash is enough.
const CHARACTERS: usize = 16;

impl Users {
    /// Verifies a recovery code. Each works once: of several attempts with one code, on any node,
    /// one wins.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn verify_recovery_code(
        &self,
        user: UserId,
        code: &str,
        origin: &SignInOrigin,
    ) -> Result<SecondFactorOutcome> {
        if let Some(retry_after) = self.throttle.admit_code(user).await? {
            self.record_code_failure(user, "code_slowed", origin).await?;
            return Ok(SecondFactorOutcome::SlowDown { retry_after });
        }
        let person = self.signed_in(user).await?;
        let hash = hash_of(code);
        let work = async |write: Arc<Write<'_>>| {
            let used = Entity::update_many()
                .col_expr(Column::UsedAt, Expr::value(self.clock.now()))
                .filter(Column::UserId.eq(user))
                .filter(Column::Hash.eq(hash.clone()))
                .filter(Column::UsedAt.is_null())
                .exec(write.on())
                .await?;
            if used.rows_affected == 0 {
                return Ok(false);
            }
            self.throttle.code_succeeded(&write, user).await?;
            self.record(&write, (user, person.tenant()), "useRecoveryCode", origin).await?;
            Ok(true)
        };
        if self.database.transaction(work).await? {
            return Ok(SecondFactorOutcome::Accepted);
        }
        self.record_code_failure(user, "recovery_code_refused", origin).await?;
        Ok(SecondFactorOutcome::Refused)
    }

    /// The number of unused recovery codes of the person.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn recovery_codes_left(&self, user: UserId) -> Result<u64> {
        use sea_orm::PaginatorTrait;
        Ok(Entity::unused(user).count(self.database.reader()).await?)
    }

    pub(super) async fn replace_recovery_codes(
        &self,
        on: &impl ConnectionTrait,
        user: UserId,
        codes: &[String],
    ) -> Result<()> {
        Entity::delete_many().filter(Column::UserId.eq(user)).exec(on).await?;
        let now = self.clock.now();
        let rows = codes.iter().map(|code| Model {
            id: RecoveryCodeId::random(&*self.entropy),
            user_id: user,
            hash: hash_of(code),
            created_at: now,
            used_at: None,
        });
        let rows = rows.map(IntoActiveModel::into_active_model);
        Entity::insert_many(rows).exec_without_returning(on).await?;
        Ok(())
    }
}

/// Ten codes, in groups of four that people can type.
pub(super) fn generate(entropy: &dyn Entropy) -> Vec<String> {
    let code = || {
        let mut bytes = [0; CHARACTERS];
        entropy.fill(&mut bytes);
        let letters = bytes.map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
        let groups = letters.chunks(4).map(|group| group.iter().collect::<String>());
        groups.collect::<Vec<_>>().join("-")
    };
    std::iter::repeat_with(code).take(CODES).collect()
}

/// The hash of a code, however it was typed.
fn hash_of(code: &str) -> SecretHash {
    let typed = code.chars().filter(char::is_ascii_alphanumeric).take(CHARACTERS + 1);
    let letters = typed.map(|letter| match letter.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        letter => letter,
    });
    SecretHash::of(letters.collect::<String>().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn codes_are_distinct_and_of_one_form() {
        let codes = generate(&SystemEntropy);
        let distinct: std::collections::HashSet<_> = codes.iter().collect();
        assert_eq!(distinct.len(), CODES);
        assert!(codes.iter().all(|code| code.len() == 19 && code.matches('-').count() == 3));
    }

    #[test]
    fn code_is_recognised_however_it_is_typed() {
        assert!(hash_of("0abc-1def-ghjk-mnpq").matches(&hash_of(" OABC idefGHJK mnpq ")));
        assert!(!hash_of("0abc-1def-ghjk-mnpq").matches(&hash_of("0abc-1def-ghjk-mnpr")));
        assert!(!hash_of("0abc-1def-ghjk-mnpq").matches(&hash_of("0abc-1def-ghjk-mnpqx")));
    }
}
