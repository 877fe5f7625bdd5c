//! `tenant-gateway serve`

use tokio::signal::unix::{SignalKind, signal};

use super::Failure;
use crate::app::{App, Listeners, Surroundings};
use crate::config::Config;

/// Serves until told to stop.
pub async fn run(config: &Config) -> Result<(), Failure> {
    let stop = told_to_stop()?;
    let listeners = Listeners::bind(config).await?;
    let app = App::build(config, listeners.issuer(config), Surroundings::default()).await?;
    Ok(app.serve(config, listeners, stop).await?)
}

/// Done at the first SIGTERM or Ctrl-C.
pub fn told_to_stop() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
