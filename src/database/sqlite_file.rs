//! The file of an embedded database: readable by its owner alone, and still the one that was
//! opened.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::file_kind::{EMPTY, foreign_kind};

/// The most space that an ordinary write needs, in bytes.
const SPACE_NEEDED: usize = 256 * 1024;

/// An open file, known by path, device and inode.
pub(super) struct SqliteFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SqliteFile {
    /// Creates the file if it is missing, and takes access to it and its companions from other
    /// users: SQLite itself would follow the umask.
    pub(super) fn prepare(path: &Path) -> io::Result<Self> {
        if path.exists() {
            require_database(path)?;
        }
        OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| named(path, &error))?;
        for file in with_companions(path) {
            match fs::metadata(&file) {
                Ok(metadata) if metadata.permissions().mode() & 0o077 != 0 => {
                    let closed = fs::set_permissions(&file, Permissions::from_mode(0o600));
                    closed.map_err(|error| named(&file, &error))?;
                }
                _ => {}
            }
        }
        Self::existing(path)
    }

    /// The file as it is.
    pub(super) fn existing(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path).map_err(|error| named(path, &error))?;
        require_database(path)?;
        Ok(Self { path: path.to_owned(), device: metadata.dev(), inode: metadata.ino() })
    }

    /// The path of the file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The write-ahead log beside a file.
    pub(super) fn write_ahead_log(path: &Path) -> PathBuf {
        beside(path, "-wal")
    }

    /// Writes a file beside the database and removes it.
    ///
    /// # Errors
    /// If the disk has no space for it.
    pub(super) fn check_space(&self) -> io::Result<()> {
        let probe = beside(&self.path, ".space-probe");
        let written =
            OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&probe);
        let written = written.and_then(|mut file| {
            file.write_all(&vec![0; SPACE_NEEDED]).and_then(|()| file.sync_all())
        });
        fs::remove_file(&probe).ok();
        written
    }

    /// Checks that the path still leads to the file that was opened.
    ///
    /// # Errors
    /// If it leads to no file, or to another one.
    pub(super) fn check(&self) -> io::Result<()> {
        let metadata = fs::metadata(&self.path).map_err(|error| named(&self.path, &error))?;
        if (metadata.dev(), metadata.ino()) == (self.device, self.inode) {
            return Ok(());
        }
        Err(named(&self.path, &io::Error::other("another file is in its place")))
    }
}

impl std::fmt::Display for SqliteFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.path.display().fmt(f)
    }
}

/// Refuses a file with content that is no database: SQLite would call it damaged.
fn require_database(path: &Path) -> io::Result<()> {
    match foreign_kind(path).map_err(|error| named(path, &error))? {
        None | Some(EMPTY) => Ok(()),
        Some(kind) => {
            let path = path.display();
            let message = format!("{path} is {kind}, not a database of tenant-gateway");
            Err(io::Error::new(io::ErrorKind::InvalidData, message))
        }
    }
}

/// The file, its write-ahead log and the index of that.
fn with_companions(path: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|suffix| beside(path, suffix))
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
