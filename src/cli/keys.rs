//! `tenant-gateway keys rotate|revoke|rotate-master`

use clap::Subcommand;
use serde_json::json;

use super::scope::with_core;
use super::{Failure, Output};
use crate::app::{Core, Environment, require_database};
use crate::config::Config;
use crate::error::Error;

/// Commands for the keys of the deployment.
#[derive(Subcommand)]
pub enum Command {
    /// Make the next signing key now.
    ///
    /// It is published at once and signs after tokens.jwks_max_age and 90 seconds more; every token
    /// that was issued before stays good. Running nodes need no restart.
    Rotate {
        #[command(flatten)]
        output: Output,
    },
    /// Drop a signing key that was stolen, and make another that signs at once.
    ///
    /// Every node refuses the tokens that it signed within auth.access_cache_ttl; running nodes
    /// need no restart. Programs that verify tokens by a copy of the key set take the stolen key
    /// until they read the set again: within tokens.jwks_max_age.
    Revoke {
        /// The key's id, as `kid` in the key set and in the header of tokens.
        kid: String,
        #[command(flatten)]
        output: Output,
    },
    /// Seal everything with a new master key.
    ///
    /// With seal.master_key set, put the new key there and the old one into
    /// seal.previous_master_key first; with the key in data.dir, this makes a new one, which
    /// running gateways take over by themselves; the old one goes when a gateway next starts. May
    /// be stopped and run again.
    RotateMaster {
        #[command(flatten)]
        output: Output,
    },
}

/// Runs the command and prints its result.
pub async fn run(config: &Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::Rotate { output } => {
            let rotate = async |core: &Core| Ok(core.rotation(config).rotate().await?);
            let made = with_core(config, rotate).await?;
            let active_from = made.active_from.to_string();
            Ok(output.object(
                &json!({ "kid": made.id, "algorithm": made.algorithm, "activeFrom": active_from }),
            )?)
        }
        Command::Revoke { kid, output } => {
            let id = kid.parse().map_err(|_| Error::not_found("signing key"))?;
            let revoke = async |core: &Core| Ok(core.rotation(config).revoke(id).await?);
            let made = with_core(config, revoke).await?;
            Ok(output
                .object(&json!({ "revoked": kid, "kid": made.id, "algorithm": made.algorithm }))?)
        }
        Command::RotateMaster { output } => {
            require_database(config)?;
            let sealed = Core::rotate_master_key(config, Environment::default()).await?;
            Ok(output.object(&json!({ "sealedAnew": sealed }))?)
        }
    }
}
