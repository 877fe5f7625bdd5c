//! The master key: where it comes from, and how it is changed.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use super::{Core, Environment};
use crate::config::Config;
use crate::database::Database;
use crate::entropy::{Entropy, SystemEntropy};
use crate::error::{Error, Result};
use crate::seal::MasterKey;
use crate::{deep_security, tokens, upstreams};

const FILE: &str = "master.key";
const PREVIOUS_FILE: &str = "master.key.previous";
const NEXT_FILE: &str = "master.key.next";

impl Core {
    /// Seals with the present master key what the one before sealed, row by row: it may be stopped
    /// and run again. Says how many rows were sealed anew.
    ///
    /// # Errors
    /// If the database refuses, or a row was sealed by neither of the two.
    pub async fn rewrap(&self) -> Result<u64> {
        // Every room that seals something has its part here.
        let (database, master, entropy) =
            (&*self.database, &*self.master, &*self.environment.entropy);
        Ok(tokens::rewrap(database, master, entropy).await?
            + upstreams::rewrap(database, master, entropy).await?
            + deep_security::rewrap(database, master, entropy).await?)
    }

    /// Changes the master key and seals everything anew; says how many rows. Both keys open until
    /// it is done, and while a gateway that was started with the old one still runs.
    ///
    /// With the key in the settings, the operator has put the new one there and the old one under
    /// `seal.previous_master_key`. With the key in the data folder, a new one is made, unless a
    /// change that was begun is still to be finished; the old one goes when the gateway next
    /// starts.
    ///
    /// # Errors
    /// As [`Core::rewrap`], and if the settings hold a key and not the one before.
    pub async fn rotate_master_key(config: &Config, environment: Environment) -> Result<u64> {
        if config.seal.master_key.is_none() {
            let lock = super::data_folder::lock(&config.data.dir).await?;
            replace_file(&config.data.dir, &*environment.entropy)?;
            drop(lock);
        } else if config.seal.previous_master_key.is_none() {
            let message = "put the new key into seal.master_key and the one before into seal.previous_master_key";
            return Err(Error::internal(message));
        }
        let core = Self::open(config, environment).await?;
        let sealed = core.rewrap().await;
        core.close().await;
        sealed
    }

    /// Ends a change of the key file: seals anew what an older process sealed since, and removes
    /// the old key.
    pub(super) async fn finish_master_key(&self, config: &Config) -> Result<()> {
        let previous = config.data.dir.join(PREVIOUS_FILE);
        if config.seal.master_key.is_some() || !previous.exists() {
            return Ok(());
        }
        let _lock = super::data_folder::lock(&config.data.dir).await?;
        self.rewrap().await?;
        remove_if_there(&previous)
    }
}

/// Whether the settings or the data folder hold a master key.
pub(super) fn is_there(config: &Config) -> bool {
    config.seal.master_key.is_some() || config.data.dir.join(FILE).exists()
}

/// The master key of the settings; for an embedded database without one, that of a file in the data
/// folder, which is made on the first start and readable by its owner alone.
///
/// # Errors
/// If the file is missing and the database holds what it sealed: then no other is made.
pub(super) async fn master_key(
    config: &Config,
    database: &Database,
    entropy: &dyn Entropy,
) -> Result<MasterKey> {
    if !is_there(config) && tokens::holds_sealed_keys(database.reader()).await? {
        return Err(Error::internal(format!(
            "the database holds secrets that are sealed with a master key, and the key is missing: restore {}, \
             or set seal.master_key",
            config.data.dir.join(FILE).display()
        )));
    }
    read_master_key(config, entropy)
}

/// The master key of the settings or of the data folder; none is made.
///
/// # Errors
/// If there is none.
pub(super) fn existing_master_key(config: &Config) -> Result<MasterKey> {
    if is_there(config) {
        return read_master_key(config, &SystemEntropy);
    }
    let file = config.data.dir.join(FILE);
    Err(Error::internal(format!(
        "there is no master key: put {} in its place, or set seal.master_key",
        file.display()
    )))
}

fn read_master_key(config: &Config, entropy: &dyn Entropy) -> Result<MasterKey> {
    if let Some(key) = &config.seal.master_key {
        let key = MasterKey::parse(key.expose())?;
        let previous = config.seal.previous_master_key.as_ref();
        return match previous {
            Some(previous) => key.after(previous.expose()),
            None => Ok(key),
        };
    }
    read_or_make(&config.data.dir.join(FILE), entropy)?;
    let folder = config.data.dir.clone();
    let (text, previous) = read_files(&folder)?;
    let key = MasterKey::parse(&text)?;
    let key = match previous {
        Some(previous) => key.after(&previous)?,
        None => key,
    };
    // `keys rotate-master` may change the files under a running gateway.
    Ok(key.following(Box::new(move || read_files(&folder))))
}

/// The key of the data folder, and the one before while a change is not finished.
fn read_files(folder: &Path) -> Result<(String, Option<String>)> {
    let text = read(&folder.join(FILE))?;
    let previous = folder.join(PREVIOUS_FILE);
    let previous = previous.exists().then(|| read(&previous)).transpose()?;
    Ok((text, previous))
}

/// Puts a new key in the place of the file's and keeps the old one beside it. Stopped at any point,
/// the old key is in one of the two files.
fn replace_file(folder: &Path, entropy: &dyn Entropy) -> Result<()> {
    let (file, previous, next) =
        (folder.join(FILE), folder.join(PREVIOUS_FILE), folder.join(NEXT_FILE));
    if previous.exists() {
        // Stopped after the copy and before the change, both hold one key: then the change itself
        // is still to come.
        if read(&previous)?.trim() != read(&file)?.trim() {
            return Ok(());
        }
    } else {
        let old = read(&file)?;
        remove_if_there(&next)?;
        make(&next, &old)?;
        fs::rename(&next, &previous).map_err(Error::internal)?;
    }
    remove_if_there(&next)?;
    make(&next, &MasterKey::generate(entropy))?;
    fs::rename(&next, &file).map_err(Error::internal)?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::internal)
}

fn remove_if_there(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::internal(error)),
        _ => Ok(()),
    }
}

fn make(path: &Path, key: &str) -> Result<()> {
    let made = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
    made.and_then(|mut file| file.write_all(key.as_bytes()).and_then(|()| file.sync_all()))
        .map_err(Error::internal)
}

fn read_or_make(path: &Path, entropy: &dyn Entropy) -> Result<String> {
    let made = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
    match made {
        Ok(mut file) => {
            let key = MasterKey::generate(entropy);
            file.write_all(key.as_bytes())
                .and_then(|()| file.sync_all())
                .map_err(Error::internal)?;
            Ok(key)
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => read(path),
        Err(error) => Err(Error::internal(format!("cannot make {}: {error}", path.display()))),
    }
}

fn read(path: &Path) -> Result<String> {
    let refused =
        |error: std::io::Error| Error::internal(format!("cannot read {}: {error}", path.display()));
    let mut file = File::open(path).map_err(refused)?;
    let mode = file.metadata().map_err(refused)?.permissions().mode();
    if mode & 0o077 != 0 {
        let path = path.display();
        return Err(Error::internal(format!(
            "{path} can be read by others: run `chmod 600 {path}`"
        )));
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(refused)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &Path) -> Config {
        let mut config = Config::default();
        config.data.dir = folder.to_owned();
        config
    }

    #[test]
    fn the_old_key_opens_until_the_change_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let sealed = read_master_key(&config, &SystemEntropy).unwrap().seal(
            &SystemEntropy,
            "row:1",
            b"secret",
        );
        replace_file(folder.path(), &SystemEntropy).unwrap();
        let both = read_master_key(&config, &SystemEntropy).unwrap();
        assert!(!both.is_current(&sealed));
        assert_eq!(both.open("row:1", &sealed).unwrap(), b"secret");
        fs::remove_file(folder.path().join(PREVIOUS_FILE)).unwrap();
        assert!(read_master_key(&config, &SystemEntropy).unwrap().open("row:1", &sealed).is_err());
    }

    #[test]
    fn a_change_that_was_begun_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let sealed = read_master_key(&config, &SystemEntropy).unwrap().seal(
            &SystemEntropy,
            "row:1",
            b"secret",
        );
        for _ in 0..2 {
            replace_file(folder.path(), &SystemEntropy).unwrap();
        }
        // A second new key would have put the one that opens this out of reach.
        assert!(read_master_key(&config, &SystemEntropy).unwrap().open("row:1", &sealed).is_ok());
    }

    #[test]
    fn a_change_that_stopped_before_the_new_key_makes_one() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let sealed = read_master_key(&config, &SystemEntropy).unwrap().seal(
            &SystemEntropy,
            "row:1",
            b"secret",
        );
        let old = read(&folder.path().join(FILE)).unwrap();
        make(&folder.path().join(PREVIOUS_FILE), &old).unwrap();
        replace_file(folder.path(), &SystemEntropy).unwrap();
        let both = read_master_key(&config, &SystemEntropy).unwrap();
        assert!(!both.is_current(&sealed) && both.open("row:1", &sealed).is_ok());
    }
}
