//! Going on with tasks that callers began, when nobody waits for them any more.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tracing::Instrument;

use super::looking::{Looker, Sight, shown};
use super::model::{Made, Phase, Purpose, Record, Snapshot};
use super::service::{Conclusion, Ending};
use super::{Begun, Tasks};
use crate::auth::{Authorizer, RequestId, TenantScope};
use crate::error::{Error, Result};
use crate::integration_server::client::{Client, FaultKind};
use crate::integration_server::model::{RemoteId, Task};
use crate::outbound::{Operation, Outbound};
use crate::upstreams::{NewLink, Upstreams};

/// How often leases are renewed and tasks taken that other nodes left.
const ROUND: Duration = Duration::from_secs(1);

/// How often what is too old is forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(60 * 60);

/// The time of one look at a task.
const LOOK: Duration = Duration::from_secs(30);

/// After how many looks that saw nothing a task is given up whose answer was lost.
const LOOKS: u32 = 60;

/// After how many answers in a row that there is no such task that is believed.
const DENIALS: u32 = 3;

/// Goes on with tasks on this node.
pub struct Runner {
    /// The records.
    pub tasks: Arc<Tasks>,
    /// The ways to the servers.
    pub upstreams: Arc<Upstreams>,
    /// The way out.
    pub outbound: Arc<Outbound>,
    /// What gives the scope of work that goes on.
    pub authorizer: Arc<Authorizer>,
}

/// What was in vain, one time after another.
#[derive(Default)]
struct Vain {
    looks: u32,
    denials: u32,
}

impl Runner {
    /// Goes on until the gateway stops, then leaves the tasks to other nodes.
    pub async fn go_on(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let mut forgets = Instant::now();
        while !*stopped.borrow() {
            if let Err(error) = self.round().await {
                error.log_cause();
            }
            if Instant::now() >= forgets {
                forgets += FORGET_EVERY;
                self.tasks.forget_old().await.unwrap_or_else(|error| error.log_cause());
            }
            tokio::select! {
                _ = timeout(ROUND, self.tasks.wake.notified()) => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        }
        if let Err(error) = self.tasks.let_go().await {
            error.log_cause();
        }
    }

    async fn round(self: &Arc<Self>) -> Result<()> {
        self.tasks.renew().await?;
        for begun in self.tasks.take().await? {
            let span = tracing::info_span!("task", task = %begun.record.id, request_id = begun.record.request_id);
            tokio::spawn(self.clone().follow(begun).instrument(span));
        }
        Ok(())
    }

    /// Follows one task to its end, as long as it is this node's.
    async fn follow(self: Arc<Self>, begun: Begun) {
        let mut record = begun.record.clone();
        let mut pause = Duration::ZERO;
        let mut vain = Vain::default();
        loop {
            sleep(pause).await;
            if !self.tasks.holds_lease(record.id) {
                return;
            }
            let sequence = record.sequence;
            match self.step(&record, &mut vain).await {
                Ok(Some(after)) => record = after,
                Ok(None) => return,
                // Tried again: an end of waiting is not an end of the task.
                Err(error) => error.log_cause(),
            }
            if record.phase == Phase::Ended.as_str() {
                return;
            }
            let pace = self.tasks.pace;
            let changed = record.sequence > sequence;
            pause = if changed || pause.is_zero() {
                pace.poll_min
            } else {
                (pause * 2).min(pace.poll_max)
            };
        }
    }

    /// One look. `None`: another node goes on with it.
    async fn step(&self, record: &Record, vain: &mut Vain) -> Result<Option<Record>> {
        let scope = self.scope(record)?;
        if scope.now() >= record.deadline_at {
            return self.leave(record).await;
        }
        let connection = self.upstreams.of_record(&scope, record.upstream_id).await?;
        let client = Client::new(self.outbound.clone(), &connection)?;
        let operation = Operation::background(record.request_id.clone(), Instant::now() + LOOK);
        if record.phase == Phase::Known.as_str() {
            self.poll(record, &client, &operation, vain).await
        } else {
            self.look(record, &client, &operation, vain).await
        }
    }

    async fn poll(
        &self,
        record: &Record,
        client: &Client,
        operation: &Operation,
        vain: &mut Vain,
    ) -> Result<Option<Record>> {
        let seen = record.snapshot.as_deref().map(Snapshot::read).transpose()?;
        let id = seen.as_ref().and_then(|seen| RemoteId::read(&seen.id));
        let id = id.ok_or_else(|| Error::internal("a known task was never seen"))?;
        match client.task(operation, &id).await {
            Ok(task) => {
                vain.denials = 0;
                self.saw(record, client, operation, &task).await
            }
            Err(fault)
                if fault.kind() == FaultKind::TaskNotFound && vain.denials + 1 >= DENIALS =>
            {
                self.forgotten(record, client, operation, &id).await
            }
            Err(fault) => {
                if fault.kind() == FaultKind::TaskNotFound {
                    vain.denials += 1;
                }
                Err(fault.into())
            }
        }
    }

    /// The server has forgotten the task: whether it has done its work is to be seen, or else it
    /// stays as it was seen last.
    async fn forgotten(
        &self,
        record: &Record,
        client: &Client,
        operation: &Operation,
        id: &RemoteId,
    ) -> Result<Option<Record>> {
        match (Looker { tasks: &self.tasks, client, operation, record }).look().await? {
            Sight::Done(made) => self.end(record, Snapshot::done(id.as_str(), *made)).await,
            Sight::Found(task) => {
                let snapshot = shown(client, operation, record, &task).await?;
                self.end(record, Snapshot { id: id.as_str().to_owned(), ..snapshot }).await
            }
            Sight::Perhaps | Sight::Nothing => self.leave(record).await,
        }
    }

    /// Stores a task as the server tells of it, and ends what has ended.
    ///
    /// # Errors
    /// If the server or the database cannot be asked. `None`: another node goes on with it.
    pub async fn saw(
        &self,
        record: &Record,
        client: &Client,
        operation: &Operation,
        task: &Task,
    ) -> Result<Option<Record>> {
        let snapshot = shown(client, operation, record, task).await?;
        if !snapshot.has_ended() {
            return self.tasks.seen(record, &snapshot).await;
        }
        self.end(record, snapshot).await
    }

    async fn end(&self, record: &Record, snapshot: Snapshot) -> Result<Option<Record>> {
        let link = self.link(record, &snapshot)?;
        let scope = self.scope(record)?;
        let ending = Ending { snapshot: Some(snapshot), link, ..Ending::default() };
        self.tasks.end(&scope, record, ending).await
    }

    /// Ends a task with its state as it is.
    async fn leave(&self, record: &Record) -> Result<Option<Record>> {
        let ending = Ending { conclusion: Conclusion::Abandoned, ..Ending::default() };
        self.tasks.end(&self.scope(record)?, record, ending).await
    }

    fn link(&self, record: &Record, snapshot: &Snapshot) -> Result<Option<NewLink>> {
        let made = snapshot.result.as_ref().is_some_and(|made| matches!(made, Made::Tenant(_)));
        match (record.link_tenant_id, snapshot.result_id()) {
            (Some(tenant), Some(remote)) if made && Purpose::of(record)? == Purpose::Create => {
                let upstream = record.upstream_id;
                Ok(Some(NewLink { tenant, upstream, remote_tenant_id: Some(remote) }))
            }
            _ => Ok(None),
        }
    }

    async fn look(
        &self,
        record: &Record,
        client: &Client,
        operation: &Operation,
        vain: &mut Vain,
    ) -> Result<Option<Record>> {
        match (Looker { tasks: &self.tasks, client, operation, record }).look().await? {
            Sight::Found(task) => self.saw(record, client, operation, &task).await,
            // Its own task may be about to be listed.
            Sight::Done(made) if vain.looks > 0 => {
                self.end(record, Snapshot::done(&record.id.to_string(), *made)).await
            }
            Sight::Nothing if vain.looks + 1 >= LOOKS => self.leave(record).await,
            Sight::Done(_) | Sight::Nothing => {
                vain.looks += 1;
                Ok(Some(record.clone()))
            }
            Sight::Perhaps => Ok(Some(record.clone())),
        }
    }

    /// Looks for a task whose answer was lost, for some seconds. `None`: nothing of it is to be
    /// seen yet, and it is looked for further when nobody waits.
    ///
    /// # Errors
    /// If the database cannot be asked.
    pub async fn find_now(
        &self,
        record: &Record,
        client: &Client,
        operation: &Operation,
        patience: Duration,
    ) -> Result<Option<Record>> {
        let mut vain = Vain::default();
        let (until, mut pause) = (Instant::now() + patience, Duration::from_millis(100));
        loop {
            // A server that lost an answer may not be able to give others either.
            if let Ok(found) = self.look(record, client, operation, &mut vain).await {
                let found = found.filter(|found| found.sequence > record.sequence);
                if found.is_some() {
                    return Ok(found);
                }
            }
            if Instant::now() + pause >= until {
                return Ok(None);
            }
            sleep(pause).await;
            pause *= 2;
        }
    }

    fn scope(&self, record: &Record) -> Result<TenantScope> {
        let request = RequestId::parse(&record.request_id);
        let request = request.ok_or_else(|| Error::internal("a record without request id"))?;
        Ok(TenantScope::going_on(&self.authorizer, record.tenant_id, request))
    }
}
