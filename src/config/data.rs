use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The gateway's own files.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataConfig {
    /// The folder of the embedded database and of the master key file, absolute or relative to the
    /// working folder. Variable `TENANT_GATEWAY__DATA__DIR`, default `./data`.
    pub dir: PathBuf,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self { dir: "./data".into() }
    }
}

impl DataConfig {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.dir.as_os_str().is_empty() {
            return Err("must not be empty".into());
        }
        Ok(())
    }
}
