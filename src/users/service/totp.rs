//! One-time passwords of authenticator apps (RFC 6238).

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, Set,
};
use totp_rs::{Algorithm, Builder, Secret, Totp};

use super::{Users, recovery};
use crate::database::Write;
use crate::error::{Error, ErrorCode, Result};
use crate::ids::{SessionId, TotpId, UserId};
use crate::users::entity as users;
use crate::users::entity::credential::totp::{Column, Entity, Model, binding};
use crate::users::model::{
    Factors, RecoveryCodes, SecondFactorOutcome, SignInOrigin, TotpEnrolment,
};

/// RFC 4226, section 4: 160 bits.
const KEY_LENGTH: usize = 20;
const DIGITS: u8 = 6;
const STEP: u64 = 30;
/// RFC 6238, section 5.2: one step of drift either way.
const SKEW: u16 = 1;

/// The name under which apps list the gateway.
const ISSUER: &str = "Tenant Gateway";

impl Users {
    /// The key for the person's authenticator app that is shown in a session, the same until it is
    /// confirmed; it counts once a code proves that the app has it, and an earlier key works until
    /// then. Another session gets another key: somebody may have seen the one of before.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn begin_totp(&self, user: UserId, session: SessionId) -> Result<TotpEnrolment> {
        if let Some(shown) = self.pending_totp(self.database.reader(), user, session).await? {
            return Ok(shown);
        }
        let mut key = [0; KEY_LENGTH];
        self.entropy.fill(&mut key);
        let id = TotpId::random(&*self.entropy);
        let row = Model {
            id,
            user_id: user,
            session_id: Some(session),
            sealed_key: self.master.seal(&*self.entropy, &binding(id), &key),
            confirmed_at: None,
            last_used_step: None,
            created_at: self.clock.now(),
        };
        let work = async |write: Arc<Write<'_>>| {
            let person = self.locked_user(&write, user).await?;
            if let Some(shown) = self.pending_totp(write.on(), user, session).await? {
                return Ok(shown);
            }
            let pending = Entity::pending(user).all(write.on()).await?;
            let pending = pending.into_iter().map(|row| row.id);
            Entity::delete_many().filter(Column::Id.is_in(pending)).exec(write.on()).await?;
            let row = row.clone().into_active_model();
            Entity::insert(row).exec_without_returning(write.on()).await?;
            enrolment(&key, &person.email)
        };
        self.database.transaction(work).await
    }

    /// The key that was shown in a session and waits for its first code.
    async fn pending_totp(
        &self,
        on: &impl ConnectionTrait,
        user: UserId,
        session: SessionId,
    ) -> Result<Option<TotpEnrolment>> {
        let of_session = Entity::pending(user).filter(Column::SessionId.eq(session));
        let Some(shown) = of_session.one(on).await? else { return Ok(None) };
        let Some(person) = users::Entity::signing_in(user).one(on).await? else { return Ok(None) };
        let key = self.master.open(&shown.binding(), &shown.sealed_key)?;
        enrolment(&key, &person.email).map(Some)
    }

    /// Confirms the key of [`Users::begin_totp`] by a code of the app, and gives the person new
    /// recovery codes. An earlier key and earlier codes stop working.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a wrong code, or if no key waits for one; `RATE_LIMITED` after too many
    /// wrong ones; `UNAUTHENTICATED` if the person has another token generation than the session of
    /// the request, since they were signed out meanwhile.
    pub async fn confirm_totp(
        &self,
        (user, generation): (UserId, i64),
        code: &str,
        origin: &SignInOrigin,
    ) -> Result<RecoveryCodes> {
        if let Some(retry_after) = self.throttle.admit_code(user).await? {
            let seconds = retry_after.as_millis().div_ceil(1000);
            return Err(Error::new(
                ErrorCode::RateLimited,
                format!("too many wrong codes; try again in {seconds} s"),
            ));
        }
        let codes = recovery::generate(&*self.entropy);
        let work = async |write: Arc<Write<'_>>| {
            let person = self.locked_user(&write, user).await?;
            if person.token_generation != generation {
                return Err(Error::new(ErrorCode::Unauthenticated, "the session has ended"));
            }
            let pending = Entity::pending(user).one(write.on()).await?;
            let wrong = || Error::bad_input("code", "is not the present code of the app");
            let pending = pending.ok_or_else(wrong)?;
            let step = self.step_of(&pending, code)?.ok_or_else(wrong)?;
            let mine = Entity::delete_many().filter(Column::UserId.eq(user));
            mine.filter(Column::Id.ne(pending.id)).exec(write.on()).await?;
            let mut pending = pending.into_active_model();
            pending.confirmed_at = Set(Some(self.clock.now()));
            pending.last_used_step = Set(Some(step));
            pending.update(write.on()).await?;
            self.replace_recovery_codes(write.on(), user, &codes).await?;
            self.throttle.code_succeeded(&write, user).await?;
            self.record(&write, (user, person.tenant_id), "enrolTotp", origin).await
        };
        self.database.transaction(work).await?;
        Ok(RecoveryCodes(codes))
    }

    /// Verifies a code of the person's app. Each is accepted once: of several attempts with one
    /// code, on any node, one wins.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn verify_totp(
        &self,
        user: UserId,
        code: &str,
        origin: &SignInOrigin,
    ) -> Result<SecondFactorOutcome> {
        if let Some(retry_after) = self.throttle.admit_code(user).await? {
            self.record_code_failure(user, "code_slowed", origin).await?;
            return Ok(SecondFactorOutcome::SlowDown { retry_after });
        }
        let key = Entity::confirmed(user).one(self.database.reader()).await?;
        let step = key.as_ref().map(|key| self.step_of(key, code)).transpose()?.flatten();
        if let (Some(key), Some(step)) = (key, step) {
            let work = async |write: Arc<Write<'_>>| {
                let won = use_step(write.on(), key.id, step).await?;
                if won {
                    self.throttle.code_succeeded(&write, user).await?;
                }
                Ok(won)
            };
            if self.database.transaction(work).await? {
                return Ok(SecondFactorOutcome::Accepted);
            }
        }
        self.record_code_failure(user, "code_refused", origin).await?;
        Ok(SecondFactorOutcome::Refused)
    }

    /// The person's second factors.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn has_second_factor(&self, user: UserId) -> Result<Factors> {
        let mut factors = super::factors_of(self.database.reader(), &[user]).await?;
        Ok(factors.remove(&user).unwrap_or_default())
    }

    pub(super) async fn record_code_failure(
        &self,
        user: UserId,
        reason: &'static str,
        origin: &SignInOrigin,
    ) -> Result<()> {
        let person = self.signed_in(user).await?;
        self.record_failure(Some((user, person.tenant())), reason, origin);
        Ok(())
    }

    /// The step that a code belongs to, if it is one of the key and near the present moment.
    fn step_of(&self, key: &Model, code: &str) -> Result<Option<i64>> {
        let code: String = code.chars().filter(|character| !character.is_whitespace()).collect();
        if code.len() != usize::from(DIGITS) || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(None);
        }
        let secret = self.master.open(&key.binding(), &key.sealed_key)?;
        let now = u64::try_from(self.clock.now().seconds()).unwrap_or(0);
        let step = totp(secret)?.check(&code, now);
        Ok(step.and_then(|step| i64::try_from(step).ok()))
    }
}

/// Marks a step and all before it as used. Returns whether no other attempt was first.
async fn use_step(on: &impl ConnectionTrait, key: TotpId, step: i64) -> Result<bool> {
    let unused = Column::LastUsedStep.is_null().or(Column::LastUsedStep.lt(step));
    let used = Entity::update_many()
        .col_expr(Column::LastUsedStep, Expr::value(step))
        .filter(Column::Id.eq(key))
        .filter(Column::ConfirmedAt.is_not_null())
        .filter(unused)
        .exec(on)
        .await?;
    Ok(used.rows_affected == 1)
}

fn totp(secret: Vec<u8>) -> Result<Totp> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_skew(SKEW)
        .with_step_duration(STEP)
        .with_secret(secret)
        .build()
        .map_err(|_| Error::internal("a key of one-time passwords has the wrong length"))
}

/// The key as text, as the URI that authenticator apps read, and as a QR code of it.
fn enrolment(key: &[u8], email: &str) -> Result<TotpEnrolment> {
    let key = Secret::from(key.to_vec()).to_base32();
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let uri = format!(
        "otpauth://totp/{issuer}:{account}?secret={key}&issuer={issuer}&algorithm=SHA1\
         &digits={DIGITS}&period={STEP}",
        issuer = encoded(ISSUER),
        account = encoded(email),
    );
    let code = QrCode::with_error_correction_level(&uri, EcLevel::M).map_err(Error::internal)?;
    let qr_svg = code.render::<svg::Color>().min_dimensions(240, 240).quiet_zone(true).build();
    Ok(TotpEnrolment { key, uri, qr_svg })
}
