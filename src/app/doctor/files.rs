//! Modes of files, and free space.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::finding::Finding;
use crate::config::Config;

/// Less free space than this lets writes fail soon, in bytes.
const SPACE_MIN: u64 = 64 * 1024 * 1024;

/// Less free space than this deserves attention, in bytes: a backup needs as much as the database.
const SPACE_LOW: u64 = 1024 * 1024 * 1024;

/// The mode bits that give the group or others any access.
const BY_OTHERS: u32 = 0o077;

/// The mode bits that let the group or others write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// The mode bits that give others any access. Platforms that mount secrets give the group access.
const BY_STRANGERS: u32 = 0o007;

/// The files that settings come from.
#[derive(Default)]
pub struct SettingsFiles {
    /// The settings file.
    pub settings: Option<PathBuf>,
    /// The files that variables `…_FILE` name, each of which contains a secret.
    pub secrets: Vec<PathBuf>,
}

/// Checks that other users of the machine can neither read secrets nor replace the database.
pub(super) fn modes(config: &Config, files: &SettingsFiles) -> Vec<Finding> {
    let mut findings = Vec::new();
    let open = |path: &&PathBuf| path.is_file() && allows(path, BY_OTHERS);
    for path in private_files(config, files).iter().filter(open) {
        let path = path.display();
        let detail = format!("{path} contains secrets, and other users can read or change it");
        findings.push(Finding::failed("files", detail, format!("run `chmod 600 {path}`")));
    }
    for path in files.secrets.iter().filter(|path| allows(path, BY_STRANGERS)) {
        let path = path.display();
        let detail = format!("{path} contains a secret, and every user of the machine can read it");
        let advice = format!("run `chmod 600 {path}`; on Kubernetes, set defaultMode: 0400");
        findings.push(Finding::warning("files", detail, advice));
    }
    let folder = database_folder(config).filter(|folder| allows(folder, WRITABLE_BY_OTHERS));
    if let Some(folder) = folder {
        let folder = folder.display();
        let detail = format!("other users can replace files in {folder}");
        findings.push(Finding::failed("files", detail, format!("run `chmod 700 {folder}`")));
    }
    if findings.is_empty() {
        findings.push(Finding::ok("files", "only their owner can read files with secrets"));
    }
    findings
}

/// Checks the free space beside an embedded database.
pub(super) fn space(config: &Config) -> Option<Finding> {
    let folder = database_folder(config)?;
    let figures = match rustix::fs::statvfs(&folder) {
        Ok(figures) => figures,
        Err(error) => {
            let detail = format!("{}: {error}", folder.display());
            let advice = "correct data.dir, or create a database there with `tenant-gateway init`";
            return Some(Finding::failed("space", detail, advice));
        }
    };
    Some(judge_space(figures.f_bavail.saturating_mul(figures.f_frsize), &folder))
}

fn judge_space(free: u64, folder: &Path) -> Finding {
    let detail = format!("{} MiB free in {}", free / (1024 * 1024), folder.display());
    let advice = "free space on this file system, or move the database to a larger one";
    match free {
        free if free < SPACE_MIN => Finding::failed("space", detail, advice),
        free if free < SPACE_LOW => Finding::warning("space", detail, advice),
        _ => Finding::ok("space", detail),
    }
}

/// Files that only their owner may read: a settings file counts if a secret stands in it.
fn private_files(config: &Config, files: &SettingsFiles) -> Vec<PathBuf> {
    let mut found: Vec<_> =
        files.settings.iter().filter(|path| holds_secret(config, path)).cloned().collect();
    let Some(database) = config.database_url().sqlite_file() else { return found };
    found.extend(["master.key", "master.key.previous"].map(|name| config.data.dir.join(name)));
    found.extend(["", "-wal", "-shm"].map(|suffix| {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    }));
    found
}

fn holds_secret(config: &Config, settings: &Path) -> bool {
    let text = fs::read_to_string(settings).unwrap_or_default();
    let secrets = [
        config.seal.master_key.as_ref().map(|key| key.expose()),
        config.seal.previous_master_key.as_ref().map(|key| key.expose()),
        config.database.url.as_ref().map(|url| url.expose()).filter(|url| url.contains('@')),
    ];
    secrets.into_iter().flatten().any(|secret| text.contains(secret))
}

/// The folder of an embedded database.
fn database_folder(config: &Config) -> Option<PathBuf> {
    let file = config.database_url().sqlite_file()?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    Some(folder.unwrap_or(Path::new(".")).to_owned())
}

/// Whether the mode of an existing file has one of the bits.
fn allows(path: &Path, bits: u32) -> bool {
    fs::metadata(path).is_ok_and(|file| file.permissions().mode() & bits != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::finding::FindingState;

    #[test]
    fn little_free_space_is_a_warning_and_almost_none_a_failure() {
        let state = |free| judge_space(free, Path::new("/var/lib/gateway")).state;
        assert_eq!(state(SPACE_LOW), FindingState::Ok);
        assert_eq!(state(SPACE_LOW - 1), FindingState::Warning);
        assert_eq!(state(SPACE_MIN - 1), FindingState::Failed);
    }
}
