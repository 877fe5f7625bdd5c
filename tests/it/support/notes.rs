//! The list of secrets that the tests create, and the log that must not contain any of them.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::{Mutex, Once};

use serde_json::Value;
use tenant_gateway::config::{LogConfig, LogFormat};
use tenant_gateway::telemetry;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::deep_security::Simulator;

/// Shorter secrets would occur in the log by chance.
const LENGTH_MIN: usize = 16;

/// Registers a secret.
pub fn note(secret: &str) {
    if secret.len() < LENGTH_MIN {
        return;
    }
    let path = std::env::var_os("TENANT_GATEWAY_TEST_SECRETS")
        .map_or_else(|| folder().join("secrets.made"), PathBuf::from);
    let mut options = OpenOptions::new();
    let mut file = options
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .expect("the list of secrets opens");
    // A single write, so that lines of concurrent tests do not mix.
    file.write_all(format!("{secret}\n").as_bytes()).expect("the list of secrets can be written");
}

/// Registers every secret and token in an answer.
pub fn note_all(answer: &Value) {
    match answer {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text)
                        if ["clientSecret", "client_secret", "access_token", "secretKey"]
                            .contains(&&**name) =>
                    {
                        note(text);
                    }
                    Value::String(link) if name == "inviteURL" => {
                        note(link.rsplit('/').next().unwrap_or_default());
                    }
                    _ => note_all(value),
                }
            }
        }
        Value::Array(entries) => entries.iter().for_each(note_all),
        _ => {}
    }
}

/// Registers every credential that a manager received: keys, and the cookie and `rID` of sessions.
pub fn note_shown(manager: &Simulator) {
    for call in manager.seen(&Calls::all()) {
        let session = call.header("cookie").and_then(|cookie| cookie.strip_prefix("sID="));
        [call.header("api-secret-key"), session, call.header("rid")]
            .into_iter()
            .flatten()
            .for_each(note);
    }
}

/// Writes the log of the process to `it.log`, at the most verbose level in common use.
pub fn log_to_file() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let file = File::create(folder().join("it.log")).expect("the log opens");
        let log =
            LogConfig { format: LogFormat::Json, filter: "info,tenant_gateway=debug".to_owned() };
        telemetry::init_to(&log, false, Mutex::new(file));
    });
}

/// The folder of the tests' logs.
pub fn folder() -> PathBuf {
    let folder = std::env::var_os("TENANT_GATEWAY_TEST_LOG_DIR")
        .map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    fs::create_dir_all(&folder).expect("the folder for logs can be made");
    folder
}
