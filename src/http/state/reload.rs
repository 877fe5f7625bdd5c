//! Requests to reload the settings, sent by endpoints and received by a background job.

use tokio::sync::{mpsc, oneshot};

/// The result of a reload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// The settings that have other values now.
    pub applied: Vec<String>,
    /// The settings that were changed too, but keep their values until a restart.
    pub needs_restart: Vec<String>,
}

/// The result of a reload, or the reason why the previous settings stay in force.
pub type ReloadResult = Result<Reloaded, String>;

/// Asks for a reload.
pub struct ReloadTrigger(mpsc::Sender<oneshot::Sender<ReloadResult>>);

/// Receives requests to reload.
pub struct ReloadReceiver(mpsc::Receiver<oneshot::Sender<ReloadResult>>);

/// A trigger with its receiver. Reloads are done one at a time.
pub fn reload_channel() -> (ReloadTrigger, ReloadReceiver) {
    let (sender, receiver) = mpsc::channel(1);
    (ReloadTrigger(sender), ReloadReceiver(receiver))
}

impl ReloadTrigger {
    /// Reloads the settings.
    ///
    /// # Errors
    /// The reason why the previous settings stay in force.
    pub async fn reload(&self) -> ReloadResult {
        let gone = || "this process does not reload its settings".to_owned();
        let (answer, answered) = oneshot::channel();
        self.0.send(answer).await.map_err(|_| gone())?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

impl ReloadReceiver {
    /// The next request, to be answered with the result; never completes once nobody can ask.
    pub async fn next(&mut self) -> oneshot::Sender<ReloadResult> {
        match self.0.recv().await {
            Some(request) => request,
            None => std::future::pending().await,
        }
    }
}
