//! A change of the master key.

use tenant_gateway::app::{Core, Environment};
use tenant_gateway::config::Config;
use tenant_gateway::entropy::SystemEntropy;
use tenant_gateway::seal::MasterKey;

use super::{TestApp, notes};

/// Changes the master key, and starts a node that knows the new one alone.
pub async fn node_with_new_key_alone(app: &TestApp, settings: impl Fn(&mut Config)) -> TestApp {
    let new = MasterKey::generate(&SystemEntropy);
    notes::note(&new);
    let mut config = app.database.config();
    settings(&mut config);
    config.seal.master_key = Some(new.into());
    let mut both = config.clone();
    both.seal.previous_master_key = Some(app.database.master_key.clone().into());
    Core::rotate_master_key(&both, Environment::default()).await.unwrap();
    app.another_node_with(|own| *own = config).await
}
