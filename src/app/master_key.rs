//! The master key: read from the settings, or from a file in the data folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::config::Config;
use crate::database::Database;
use crate::entropy::{Entropy, SystemEntropy};
use crate::error::{Error, Result};
use crate::seal::MasterKey;
use crate::tokens;

const FILE: &str = "master.key";
pub(super) const PREVIOUS_FILE: &str = "master.key.previous";
const NEXT_FILE: &str = "master.key.next";

/// Whether the settings or the data folder contain a master key.
pub(super) fn is_there(config: &Config) -> bool {
    config.seal.master_key.is_some() || config.data.dir.join(FILE).exists()
}

/// Fails if there is a master key but no embedded database: creating an empty database would hide
/// the loss of all data.
///
/// # Errors
/// Names the missing file and the commands that help.
pub fn refuse_lost_database(config: &Config) -> Result<()> {
    let Some(file) = config.database_url().sqlite_file() else { return Ok(()) };
    if file.exists() || !is_there(config) {
        return Ok(());
    }
    Err(Error::internal(format!(
        "master key found, but the database {} is missing: restore it with \
         `tenant-gateway restore`, or create a new one with `tenant-gateway init`",
        file.display()
    )))
}

/// Fails if there is no embedded database: a command that reads or changes an existing one must not
/// create an empty one.
///
/// # Errors
/// Names the missing file and the commands that create one.
pub fn require_database(config: &Config) -> Result<()> {
    refuse_lost_database(config)?;
    let Some(file) = config.database_url().sqlite_file() else { return Ok(()) };
    match fs::metadata(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(Error::internal(format!(
            "cannot open the database {}: {error}; correct data.dir, or create a database with \
             `tenant-gateway init`",
            file.display()
        ))),
        _ => Ok(()),
    }
}

/// The master key of the settings, else that of a file in the data folder, which is created on the
/// first start, readable by its owner only.
///
/// # Errors
/// If the file is missing although the database contains sealed secrets: a new key could not open
/// them.
pub(super) async fn master_key(
    config: &Config,
    database: &Database,
    entropy: &dyn Entropy,
) -> Result<MasterKey> {
    if !is_there(config) && tokens::holds_sealed_keys(database.reader()).await? {
        return Err(Error::internal(format!(
            "the database contains secrets sealed with a master key that is missing: restore {}, \
             or set seal.master_key",
            config.data.dir.join(FILE).display()
        )));
    }
    read_master_key(config, entropy)
}

/// The master key of the settings or of the data folder, without creating one.
///
/// # Errors
/// If there is no key.
pub(super) fn existing_master_key(config: &Config) -> Result<MasterKey> {
    if is_there(config) {
        return read_master_key(config, &SystemEntropy);
    }
    let file = config.data.dir.join(FILE);
    Err(Error::internal(format!(
        "no master key found: restore {}, or set seal.master_key",
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
    // Read again when needed: `keys rotate-master` may change the files of a running gateway.
    Ok(key.following(Box::new(move || read_files(&folder))))
}

/// The key of the data folder and, during a change, the previous one.
fn read_files(folder: &Path) -> Result<(String, Option<String>)> {
    let text = read(&folder.join(FILE))?;
    let previous = folder.join(PREVIOUS_FILE);
    let previous = previous.exists().then(|| read(&previous)).transpose()?;
    Ok((text, previous))
}

/// Replaces the key file with a new key and keeps the old one in a second file. If interrupted at
/// any point, the old key is in one of the two.
pub(super) fn replace_file(folder: &Path, entropy: &dyn Entropy) -> Result<()> {
    let file = folder.join(FILE);
    let previous = folder.join(PREVIOUS_FILE);
    let next = folder.join(NEXT_FILE);
    if previous.exists() {
        // Both files contain the same key if the last change was interrupted after the copy: the
        // replacement itself is still missing then.
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

pub(super) fn remove_if_there(path: &Path) -> Result<()> {
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
        Err(error) => Err(Error::internal(format!("cannot create {}: {error}", path.display()))),
    }
}

/// Reads a key file, which has to be one that only its owner may read.
fn read(path: &Path) -> Result<String> {
    let refused = |error: io::Error| {
        let path = path.display();
        Error::internal(format!(
            "cannot read the master key from {path}: {error}; check the owner and mode of the file"
        ))
    };
    // Before it is opened: opening a pipe would wait for its other end.
    let metadata = fs::metadata(path).map_err(refused)?;
    if !metadata.is_file() {
        return Err(wrong(path, "not a file"));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        let path = path.display();
        return Err(Error::internal(format!(
            "{path} is readable by other users: run `chmod 600 {path}`"
        )));
    }
    let content = fs::read(path).map_err(refused)?;
    let text = String::from_utf8(content).map_err(|_| wrong(path, "not a text"))?;
    if text.trim().is_empty() {
        return Err(wrong(path, "the file is empty"));
    }
    // Parsed here, where the file can be named.
    MasterKey::parse(&text).map_err(|error| wrong(path, &error.explained()))?;
    Ok(text)
}

fn wrong(path: &Path, reason: &str) -> Error {
    Error::internal(format!(
        "cannot read the master key from {}: {reason}; restore it from its backup",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(folder: &Path) -> Config {
        let mut config = Config::default();
        config.data.dir = folder.to_owned();
        config
    }

    fn seal(config: &Config) -> Vec<u8> {
        let key = read_master_key(config, &SystemEntropy).unwrap();
        key.seal(&SystemEntropy, "row:1", b"secret")
    }

    #[test]
    fn old_key_opens_until_the_change_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let sealed = seal(&config);
        replace_file(folder.path(), &SystemEntropy).unwrap();
        let both = read_master_key(&config, &SystemEntropy).unwrap();
        assert!(!both.is_current(&sealed));
        assert_eq!(both.open("row:1", &sealed).unwrap(), b"secret");
        fs::remove_file(folder.path().join(PREVIOUS_FILE)).unwrap();
        assert!(read_master_key(&config, &SystemEntropy).unwrap().open("row:1", &sealed).is_err());
    }

    #[test]
    fn interrupted_change_is_finished_with_the_same_new_key() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let sealed = seal(&config);
        for _ in 0..2 {
            replace_file(folder.path(), &SystemEntropy).unwrap();
        }
        // A second new key would have replaced the one that opens this.
        assert!(read_master_key(&config, &SystemEntropy).unwrap().open("row:1", &sealed).is_ok());
    }

    #[test]
    fn change_interrupted_before_the_new_key_generates_one() {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path());
        let sealed = seal(&config);
        let old = read(&folder.path().join(FILE)).unwrap();
        make(&folder.path().join(PREVIOUS_FILE), &old).unwrap();
        replace_file(folder.path(), &SystemEntropy).unwrap();
        let both = read_master_key(&config, &SystemEntropy).unwrap();
        assert!(!both.is_current(&sealed) && both.open("row:1", &sealed).is_ok());
    }
}
