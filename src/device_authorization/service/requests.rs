//! Starts requests, and records the decisions of people.

use std::net::IpAddr;
use std::sync::Arc;

use sea_orm::{ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait};

use super::room::make_room;
use super::{DeviceAuthorizations, millis};
use crate::audit::EndpointChange;
use crate::auth::RequestId;
use crate::clock::Timestamp;
use crate::database::{AdvisoryLock, Write};
use crate::device_authorization::entity::{self, Entity, Model, Signature, status};
use crate::device_authorization::model::{
    Approver, DeviceRequest, DeviceSettings, Pending, StartedRequest,
};
use crate::device_authorization::user_code::UserCode;
use crate::error::Result;
use crate::ids::DeviceCodeId;
use crate::secret::PlainSecret;
use crate::source_networks::{SourceNetwork, address_key};

impl DeviceAuthorizations {
    /// Starts a request; nothing if the program's network, or one around it, has too many that wait
    /// for a decision, or if all together have and it has as many as any other network.
    ///
    /// # Errors
    /// If the database refuses.
    pub async fn start(&self, request: &DeviceRequest) -> Result<Option<StartedRequest>> {
        let now = self.clock.now();
        // Asked before any lock is taken, so that refused requests hold nobody up.
        if !self.has_room(self.database.reader(), request.address, now).await? {
            return Ok(None);
        }
        let device_code = PlainSecret::generate(&*self.entropy);
        let user_code = UserCode::generate(&*self.entropy);
        let row = self.row(request, &device_code, &user_code, now);
        if !self.database.transaction(|write| self.insert(write, request, &row)).await? {
            return Ok(None);
        }
        let DeviceSettings { code_lifetime, poll_interval, .. } = self.settings;
        Ok(Some(StartedRequest {
            device_code,
            user_code,
            expires_in: code_lifetime,
            interval: poll_interval,
        }))
    }

    /// Stores a request if there is room for it. Requests wait for each other here, so that no two
    /// take the last place.
    async fn insert(
        &self,
        write: Arc<Write<'_>>,
        request: &DeviceRequest,
        row: &Model,
    ) -> Result<bool> {
        write.lock(AdvisoryLock::DeviceCodes).await?;
        let on = write.on();
        if !self.has_room(on, request.address, row.created_at).await?
            || !make_room(on, &row.network, request.tenant, row.created_at).await?
        {
            return Ok(false);
        }
        Entity::insert(row.clone().into_active_model()).exec_without_returning(on).await?;
        Ok(true)
    }

    /// Whether each network around an address has fewer undecided codes than it may.
    async fn has_room(
        &self,
        on: &impl ConnectionTrait,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<bool> {
        let most = self.settings.codes_per_address;
        for network in SourceNetwork::around(address) {
            let codes = if network.weight() == 1 {
                Entity::of_network(&network.to_string(), now)
            } else {
                Entity::within(network, now)
            };
            if codes.count(on).await? >= most.saturating_mul(network.weight().into()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn row(
        &self,
        request: &DeviceRequest,
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
            network: SourceNetwork::of(request.address).to_string(),
            address_key: Some(address_key(request.address)),
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
}

fn signature(approver: &Approver) -> Signature {
    Signature {
        user: approver.user,
        generation: approver.generation,
        authenticated_at: approver.authentication.auth_time,
        methods: approver.authentication.methods.join(" "),
    }
}
