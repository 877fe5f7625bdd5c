//! A client of the Integration Server: one function for each of the fourteen methods of its REST
//! API.
//!
//! One account sees every tenant of the server. The service checks which identifiers its caller may
//! use before it calls this client.

mod call_error;
mod calls;
mod list;

use std::sync::Arc;

use jiff::tz::TimeZone;

use self::call_error::About;
use self::calls::Calls;
use super::model::{
    Cancellation, MachineKey, NewTenant, NewVirtualMachine, RemoteId, RemoteTenant, Report,
    ReportRange, Started, Task, TaskFilter, VirtualMachine,
};
use super::wire;
use crate::error::{Error, ErrorCode, Result as AppResult};
use crate::outbound::{Answer, Call, Kind, Operation, Outbound, UpstreamRoute};
use crate::upstreams::{Connection, Credential};

pub use call_error::{CallError, CallErrorKind};
pub use list::{ListAnswer, ObjectPage, PageProjection};

/// The result of a call.
type Result<T> = std::result::Result<T, CallError>;

/// Calls one Integration Server. Every function sends one request. This client repeats none; reads
/// may be repeated below it, writes never.
pub struct Client {
    outbound: Arc<Outbound>,
    route: UpstreamRoute,
    zone: TimeZone,
    calls: Calls,
}

impl Client {
    /// A client that goes that way.
    ///
    /// # Errors
    /// If the connection is of another kind of system.
    pub fn new(outbound: Arc<Outbound>, connection: &Connection) -> AppResult<Self> {
        let Credential::Basic { user_name, password } = &*connection.credential else {
            return Err(Error::internal("the credential is not one of an Integration Server"));
        };
        let zone = TimeZone::get(&connection.time_zone).map_err(Error::internal)?;
        let calls = Calls::new(user_name, password, zone.clone());
        Ok(Self { outbound, route: connection.installation_route(), zone, calls })
    }

    /// T1: one tenant.
    ///
    /// # Errors
    /// `TenantNotFound`; for this and all calls below, the errors that [`CallErrorKind`] lists for
    /// every call.
    pub async fn tenant(&self, operation: &Operation, id: &RemoteId) -> Result<RemoteTenant> {
        let answer = self.send(operation, self.calls.tenant(id), About::Tenant).await?;
        let tenant = self.read(answer, |answer| answer.tenant()).await?;
        self.is_the_one(&tenant.id, id).map(|()| tenant)
    }

    /// T2: all tenants of the installation.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn tenants(&self, operation: &Operation) -> Result<Vec<RemoteTenant>> {
        self.tenants_of(&self.tenant_list(operation).await?).await
    }

    /// The tenants of a list.
    ///
    /// # Errors
    /// `Failed` for a malformed answer.
    pub async fn tenants_of(&self, list: &ListAnswer) -> Result<Vec<RemoteTenant>> {
        self.read(list.answer.clone(), |answer| answer.tenants()).await
    }

    /// T3: the machines of a tenant.
    ///
    /// # Errors
    /// `TenantNotFound`.
    pub async fn machines(
        &self,
        operation: &Operation,
        tenant: &RemoteId,
    ) -> Result<Vec<VirtualMachine>> {
        self.machines_of(&self.machine_list(operation, tenant).await?).await
    }

    /// The machines of a list.
    ///
    /// # Errors
    /// `Failed` for a malformed answer.
    pub async fn machines_of(&self, list: &ListAnswer) -> Result<Vec<VirtualMachine>> {
        self.read(list.answer.clone(), |answer| answer.machines()).await
    }

    /// T4: creates a tenant. The task, not this call, reports a name or account that exists already
    /// and a password that violates the policy.
    ///
    /// # Errors
    /// `BadInput`.
    pub async fn create_tenant(&self, operation: &Operation, new: &NewTenant) -> Result<Started> {
        self.start(operation, self.calls.create_tenant(new), About::Nothing).await
    }

    /// T5: activates a tenant. The server accepts any identifier, so check it first; the task
    /// reports an unknown one.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn activate_tenant(&self, operation: &Operation, id: &RemoteId) -> Result<Started> {
        self.start(operation, self.calls.activate_tenant(id), About::Tenant).await
    }

    /// T6: deactivates a tenant.
    ///
    /// # Errors
    /// As [`Client::activate_tenant`].
    pub async fn deactivate_tenant(&self, operation: &Operation, id: &RemoteId) -> Result<Started> {
        self.start(operation, self.calls.deactivate_tenant(id), About::Tenant).await
    }

    /// T7: registers a machine for a tenant. The answer is empty: its identifier is found with
    /// [`Client::machines`].
    ///
    /// # Errors
    /// `TenantNotFound`, and `BiosIdTaken`, by whichever tenant.
    pub async fn register_machine(
        &self,
        operation: &Operation,
        tenant: &RemoteId,
        new: &NewVirtualMachine,
    ) -> Result<()> {
        self.send(operation, self.calls.register_machine(tenant, new), About::Registration)
            .await
            .map(drop)
    }

    /// T8: unregisters a machine. The documents do not say that the server checks whose it is:
    /// check it first.
    ///
    /// # Errors
    /// `TenantNotFound`, `MachineNotFound`.
    pub async fn unregister_machine(
        &self,
        operation: &Operation,
        tenant: &RemoteId,
        key: &MachineKey,
    ) -> Result<()> {
        self.send(operation, self.calls.unregister_machine(tenant, key), About::Machine)
            .await
            .map(drop)
    }

    /// T9: deletes a tenant, and with `artifacts` its objects in Security Center. If those remain,
    /// no complete tenant of the same name can be created. Checks as little as
    /// [`Client::activate_tenant`].
    ///
    /// # Errors
    /// Those of every call.
    pub async fn delete_tenant(
        &self,
        operation: &Operation,
        id: &RemoteId,
        artifacts: bool,
    ) -> Result<Started> {
        self.start(operation, self.calls.delete_tenant(id, artifacts), About::Tenant).await
    }

    /// K1: one task, including those of other clients.
    ///
    /// # Errors
    /// `TaskNotFound`.
    pub async fn task(&self, operation: &Operation, id: &RemoteId) -> Result<Task> {
        let answer = self.send(operation, self.calls.task(id), About::Task).await?;
        let task = self.read(answer, |answer| answer.task()).await?;
        self.is_the_one(&task.id, id).map(|()| task)
    }

    /// K2: all tasks of the installation that fit, also those of other tenants and of the server
    /// itself.
    ///
    /// # Errors
    /// Those of every call.
    pub async fn tasks(&self, operation: &Operation, filter: &TaskFilter) -> Result<Vec<Task>> {
        let answer = self.send(operation, self.calls.tasks(filter), About::Nothing).await?;
        self.read(answer, |answer| answer.tasks()).await
    }

    /// K3: cancels a task. Whatever this says, the task may still end as completed.
    ///
    /// # Errors
    /// `TaskNotFound`, `TaskEnded`, and `TaskIsPart` of another, with which alone it can be
    /// canceled.
    pub async fn cancel_task(&self, operation: &Operation, id: &RemoteId) -> Result<Cancellation> {
        let answer = self.send(operation, self.calls.cancel_task(id), About::Task).await?;
        Ok(if answer.status == 200 { Cancellation::Done } else { Cancellation::Underway })
    }

    /// R1: makes a report about one tenant; its identifier is the outcome of the task.
    ///
    /// # Errors
    /// `TenantNotFound`.
    pub async fn create_report(
        &self,
        operation: &Operation,
        tenant: &RemoteId,
        range: &ReportRange,
    ) -> Result<Started> {
        self.start(operation, self.calls.create_report(tenant, range), About::Tenant).await
    }

    /// R2: the lines of a report about one tenant, without all others.
    ///
    /// # Errors
    /// `ReportNotFound`; reports are kept for about a day.
    pub async fn report(
        &self,
        operation: &Operation,
        id: &RemoteId,
        tenant: &RemoteId,
    ) -> Result<Report> {
        let answer = self.send(operation, self.calls.report(id), About::Report).await?;
        let tenant = tenant.clone();
        let report = self.read(answer, move |answer| answer.report(&tenant)).await?;
        if report.foreign_lines > 0 || !report.unreadable_lines.is_empty() {
            tracing::warn!(
                upstream = %self.route.endpoint.upstream,
                foreign = report.foreign_lines,
                unreadable = report.unreadable_lines.len(),
                "skipped foreign or unreadable lines of a report",
            );
        }
        Ok(report)
    }

    async fn start(&self, operation: &Operation, call: Call, about: About) -> Result<Started> {
        let answer = self.send(operation, call, about).await?;
        Ok(understand(&answer, &self.zone).started(answer.location.as_deref()))
    }

    async fn send(&self, operation: &Operation, call: Call, about: About) -> Result<Answer> {
        let kind = call.kind;
        let what = format!("{call:?}");
        let sent = self.outbound.send(operation, &self.route, call).await;
        let answer = sent.map_err(|failure| CallError::of_failure(failure, &self.route, kind))?;
        let fits = match kind {
            Kind::Read => answer.status == 200,
            Kind::Write => (200..300).contains(&answer.status),
        };
        if fits {
            Ok(answer)
        } else {
            let error = call_error::refusal(
                &understand(&answer, &self.zone),
                (answer.status, kind, about),
                &self.route,
                &what,
            );
            Err(self.noted(error))
        }
    }

    async fn read<T: Send + 'static>(
        &self,
        answer: Answer,
        read: impl FnOnce(&wire::ResponseBody<'_>) -> std::result::Result<T, wire::Malformed>
        + Send
        + 'static,
    ) -> Result<T> {
        let (own, zone) = (answer.clone(), self.zone.clone());
        let read = self.outbound.parse(&answer, move || read(&understand(&own, &zone))).await;
        read.map_err(|malformed| self.noted(CallError::malformed(malformed, &self.route)))
    }

    /// Passes an error on; an answer that is not from the server's API also marks the upstream as
    /// malformed.
    fn noted(&self, error: CallError) -> CallError {
        if error.code() == ErrorCode::UpstreamMalformed {
            self.outbound.note_malformed(&self.route);
        }
        error
    }

    /// Refuses an answer about another object than the requested one.
    fn is_the_one(&self, found: &RemoteId, asked: &RemoteId) -> Result<()> {
        let about_another =
            || self.noted(CallError::malformed(wire::Malformed::ABOUT_ANOTHER, &self.route));
        (found == asked).then_some(()).ok_or_else(about_another)
    }
}

fn understand<'a>(answer: &'a Answer, zone: &'a TimeZone) -> wire::ResponseBody<'a> {
    wire::ResponseBody { body: &answer.body, content_type: answer.content_type.as_deref(), zone }
}
