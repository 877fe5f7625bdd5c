//! Changing the master key: every sealed row is sealed again.

use super::core::Core;
use super::data_folder::lock;
use super::environment::Environment;
use super::master_key::{PREVIOUS_FILE, remove_if_there, replace_file};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::{deep_security, passkeys, single_sign_on, tokens, upstreams, users};

impl Core {
    /// Seals again, with the current master key, every row sealed with the previous one, row by
    /// row: it may be interrupted and run again. Returns the number of rows sealed again.
    ///
    /// # Errors
    /// If the database fails, or a row was sealed with neither key.
    pub async fn rewrap(&self) -> Result<u64> {
        let database = &*self.database;
        let master = &*self.master;
        let entropy = &*self.environment.entropy;
        // Every room that seals something is listed here.
        Ok(tokens::rewrap(database, master, entropy).await?
            + upstreams::rewrap(database, master, entropy).await?
            + deep_security::rewrap(database, master, entropy).await?
            + users::rewrap(database, master, entropy).await?
            + single_sign_on::rewrap(database, master, entropy).await?
            + passkeys::rewrap(database, master, entropy).await?)
    }

    /// Changes the master key and seals every row again; returns the number of rows. Both keys work
    /// until that is finished, and while a gateway that was started with the old one still runs.
    ///
    /// If the settings contain the key, the operator has set the new one and put the old one into
    /// `seal.previous_master_key`. If the key is in the data folder, a new one is generated, unless
    /// an interrupted change has to be finished first; the old one is deleted at the next start of
    /// the gateway.
    ///
    /// # Errors
    /// As [`Core::rewrap`], and if the settings contain a key without the previous one.
    pub async fn rotate_master_key(config: &Config, environment: Environment) -> Result<u64> {
        if config.seal.master_key.is_none() {
            let lock = lock(&config.data.dir).await?;
            replace_file(&config.data.dir, &*environment.entropy)?;
            drop(lock);
        } else if config.seal.previous_master_key.is_none() {
            let message = "set seal.master_key to the new key and seal.previous_master_key \
                           to the old one";
            return Err(Error::internal(message));
        }
        let core = Self::open(config, environment).await?;
        let sealed = core.rewrap().await;
        core.close().await;
        sealed
    }

    /// Finishes a change of the key file: seals again the rows that an older process sealed since,
    /// and deletes the old key.
    pub(super) async fn finish_master_key(&self, config: &Config) -> Result<()> {
        let previous = config.data.dir.join(PREVIOUS_FILE);
        if config.seal.master_key.is_some() || !previous.exists() {
            return Ok(());
        }
        let _lock = lock(&config.data.dir).await?;
        self.rewrap().await?;
        remove_if_there(&previous)
    }
}
