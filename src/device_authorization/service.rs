//! Starts requests, decides and redeems them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{EntityTrait, IntoActiveModel, PaginatorTrait};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::entity::{self, Entity, Model, Signature, status};
use super::held::{Held, HeldRequests};
use super::model::{
    Approval, Approver, DeviceRequest, DeviceSettings, Pending, Polled, ProgramName, StartedRequest,
};
use super::user_code::UserCode;
use crate::audit::{Audit, EndpointChange};
use crate::auth::RequestId;
use crate::clock::{Clock, Timestamp};
use crate::database::{Database, Write};
use crate::entropy::Entropy;
use crate::error::Result;
use crate::ids::{DeviceCodeId, TenantId};
use crate::secret::PlainSecret;
use crate::tokens::Authentication;

/// Undecided codes over all nodes; each is a row of a few hundred bytes.
const OPEN_CODES_MAX: u64 = 20_000;

/// The wait that a program adds for each poll that comes too early (RFC 8628, section 3.5), and the
/// longest that comes of it.
const SLOW_DOWN: Duration = Duration::from_secs(5);
const INTERVAL_MAX: Duration = Duration::from_mins(1);

/// A poll that comes sooner after the one before is answered without being noted: no program makes
/// the gateway write more often.
const NOTED_EVERY: Duration = Duration::from_secs(1);

/// How often the database is asked about the codes of held requests, for decisions on other nodes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Codes in one statement.
const LOOKED_UP_AT_ONCE: usize = 500;

/// How long codes are kept after their end, so that programs are told that they have expired.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_hours(1);

/// The requests in a database.
pub struct DeviceAuthorizations {
    database: Arc<Database>,
    audit: Arc<Audit>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: DeviceSettings,
    held: Arc<HeldRequests>,
}

impl DeviceAuthorizations {
    /// The requests in that database.
    pub fn new(
        database: Arc<Database>,
        audit: Arc<Audit>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: DeviceSettings,
    ) -> Self {
        let held = Arc::default();
        Self { database, audit, clock, entropy, settings, held }
    }

    /// Starts a request; nothing if the program's network, or all together, have too many that wait
    /// for a decision.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn start(&self, request: &DeviceRequest) -> Result<Option<StartedRequest>> {
        let now = self.clock.now();
        let network = network(request.address);
        let reader = self.database.reader();
        let of_network = Entity::of_network(&network, now).count(reader).await?;
        if of_network >= self.settings.codes_per_address
            || Entity::open(now).count(reader).await? >= OPEN_CODES_MAX
        {
            return Ok(None);
        }
        let device_code = PlainSecret::generate(&*self.entropy);
        let user_code = UserCode::generate(&*self.entropy);
        let row = self.row(request, network, &device_code, &user_code, now);
        let insert = async |write: Arc<Write<'_>>| {
            let row = row.clone().into_active_model();
            Entity::insert(row).exec_without_returning(write.on()).await?;
            Ok(())
        };
        self.database.transaction(insert).await?;
        let DeviceSettings { code_lifetime, poll_interval, .. } = self.settings;
        Ok(Some(StartedRequest {
            device_code,
            user_code,
            expires_in: code_lifetime,
            interval: poll_interval,
        }))
    }

    fn row(
        &self,
        request: &DeviceRequest,
        network: String,
        device_code: &PlainSecret,
        user_code: &UserCode,
        now: Timestamp,
    ) -> Model {
        Model {
            id: DeviceCodeId::random(&*self.entropy),
            device_code_hash: device_code.hash(),
            user_code_hash: user_code.hash(),
            program: request.program.as_str().to_owned(),
            tenant_id: request.tenant,
            scope: request.scope.clone(),
            address: request.address.to_string(),
            network,
            user_agent: request.user_agent.clone(),
            status: status::PENDING.to_owned(),
            poll_interval: millis(self.settings.poll_interval),
            last_polled_at: None,
            user_id: None,
            generation: None,
            authenticated_at: None,
            methods: None,
            created_at: now,
            expires_at: now.plus(self.settings.code_lifetime),
        }
    }

    /// The undecided request of a user code.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn pending(&self, code: &UserCode) -> Result<Option<Pending>> {
        let found = Entity::of_user_code(&code.hash(), self.clock.now());
        let found = found.one(self.database.reader()).await?;
        Ok(found.map(|row| Pending {
            id: row.id,
            program: row.program,
            tenant: row.tenant_id,
            scope: row.scope,
            address: row.address,
            user_agent: row.user_agent,
            created_at: row.created_at,
            expires_at: row.expires_at,
        }))
    }

    /// Approves a request. Returns whether it was still undecided. The caller has checked that the
    /// person may enter the tenant that was asked for.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn approve(
        &self,
        id: DeviceCodeId,
        approver: &Approver,
        request_id: &RequestId,
    ) -> Result<bool> {
        self.decide(id, status::APPROVED, approver, "approveDevice", request_id).await
    }

    /// Denies a request. Returns whether it was still undecided.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn deny(
        &self,
        id: DeviceCodeId,
        approver: &Approver,
        request_id: &RequestId,
    ) -> Result<bool> {
        self.decide(id, status::DENIED, approver, "denyDevice", request_id).await
    }

    async fn decide(
        &self,
        id: DeviceCodeId,
        decision: &'static str,
        approver: &Approver,
        operation: &'static str,
        request_id: &RequestId,
    ) -> Result<bool> {
        let now = self.clock.now();
        let work = async |write: Arc<Write<'_>>| {
            let decided = entity::advance(write.on(), id, status::PENDING, decision, now).await?;
            if decided {
                entity::sign(write.on(), id, signature(approver)).await?;
                let change = EndpointChange {
                    actor: approver.user.to_string(),
                    tenant: approver.home,
                    operation,
                    subject: id.to_string(),
                    request_id: request_id.clone(),
                };
                self.audit.record_change(&write, change).await?;
            }
            Ok(decided)
        };
        let decided = self.database.transaction(work).await?;
        if decided {
            self.held.wake(id);
        }
        Ok(decided)
    }

    /// Answers a poll of a program (RFC 8628, section 3.5).
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn poll(&self, code: &PlainSecret, program: &ProgramName) -> Result<Polled> {
        let found = Entity::of_device(&code.hash()).one(self.database.reader()).await?;
        let Some(row) = found.filter(|row| row.program == program.as_str()) else {
            return Ok(Polled::Unknown);
        };
        let now = self.clock.now();
        if row.status != status::PENDING || row.expires_at <= now {
            return Ok(settled(row, now));
        }
        let since = row.last_polled_at.map(|polled| now.since(polled));
        let is_early = since.is_some_and(|since| millis(since) < row.poll_interval);
        if since.is_none_or(|since| since >= NOTED_EVERY) {
            let more = if is_early { millis(SLOW_DOWN) } else { 0 };
            let next = (row.poll_interval + more).min(millis(INTERVAL_MAX));
            let note = async |write: Arc<Write<'_>>| {
                Ok(entity::note_poll(write.on(), row.id, now, next).await?)
            };
            self.database.transaction(note).await?;
        }
        Ok(if is_early { Polled::SlowDown } else { Polled::Pending })
    }

    /// Answers a held request; [`Polled::Pending`] as long as nobody has decided.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn look(&self, code: &PlainSecret, program: &ProgramName) -> Result<Polled> {
        let found = Entity::of_device(&code.hash()).one(self.database.reader()).await?;
        let found = found.filter(|row| row.program == program.as_str());
        Ok(found.map_or(Polled::Unknown, |row| settled(row, self.clock.now())))
    }

    /// Holds a request of a program until its code is decided; nothing if there is no such code.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn hold(&self, code: &PlainSecret) -> Result<Option<Held>> {
        let found = Entity::of_device(&code.hash()).one(self.database.reader()).await?;
        Ok(found.map(|row| self.held.hold(row.id)))
    }

    /// The tenant that the approver belongs to; nothing if the person was disabled, or signed out
    /// everywhere, since the approval.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn home_of_approver(&self, approval: &Approval) -> Result<Option<TenantId>> {
        let reader = self.database.reader();
        Ok(entity::home_of(reader, approval.user, approval.generation).await?)
    }

    /// Uses an approval up. Returns false if another request of the same program was first, or the
    /// code has ended: no token may be given out then.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn redeem(&self, approval: &Approval) -> Result<bool> {
        let now = self.clock.now();
        let work = async |write: Arc<Write<'_>>| {
            let id = approval.id;
            Ok(entity::advance(write.on(), id, status::APPROVED, status::USED, now).await?)
        };
        self.database.transaction(work).await
    }

    /// Looks for decisions on other nodes for as long as the gateway serves.
    pub async fn run(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
            self.wake_settled().await.unwrap_or_else(|error| error.log_cause());
        }
    }

    async fn wake_settled(&self) -> Result<()> {
        let now = self.clock.now();
        for codes in self.held.codes().chunks(LOOKED_UP_AT_ONCE) {
            for id in entity::settled(self.database.reader(), codes, now).await? {
                self.held.wake(id);
            }
        }
        Ok(())
    }

    /// Deletes codes that ended a while ago.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn forget_expired(&self, write: &Write<'_>) -> Result<()> {
        let before = self.clock.now().minus(KEPT_AFTER_EXPIRY);
        Ok(entity::delete_expired(write.on(), before).await?)
    }
}

fn signature(approver: &Approver) -> Signature {
    Signature {
        user: approver.user,
        generation: approver.generation,
        authenticated_at: approver.authentication.auth_time,
        methods: approver.authentication.methods.join(" "),
    }
}

/// The answer to a program, without counting the poll.
fn settled(row: Model, now: Timestamp) -> Polled {
    match row.status.as_str() {
        status::USED => Polled::Unknown,
        status::DENIED => Polled::DeniedByPerson,
        _ if row.expires_at <= now => Polled::Expired,
        status::PENDING => Polled::Pending,
        _ => approval(row).map_or(Polled::Unknown, Polled::Approved),
    }
}

fn approval(row: Model) -> Option<Approval> {
    let methods = row.methods.unwrap_or_default();
    Some(Approval {
        id: row.id,
        program: row.program,
        user: row.user_id?,
        generation: row.generation?,
        tenant: row.tenant_id,
        scope: row.scope,
        authentication: Authentication {
            auth_time: row.authenticated_at?,
            methods: methods.split_whitespace().map(str::to_owned).collect(),
        },
    })
}

/// The IPv4 address, or the /64 of an IPv6 host, which chooses its addresses within it.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            std::net::Ipv6Addr::from_bits(network).to_string()
        }
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
