use std::fmt;
use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use super::SecretText;

/// The URL of the database. It may contain a password: `Debug`, `Display` and `Serialize` print
/// `postgres://user:[redacted]@host/database`.
#[derive(Clone)]
pub struct DatabaseUrl(SecretText);

/// The kind of database that a URL names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatabaseKind {
    /// A file that only this node uses.
    Sqlite,
    /// A server that several nodes may share.
    Postgres,
}

impl DatabaseUrl {
    /// The URL of the SQLite database in this file.
    pub fn sqlite(file: &Path) -> Self {
        Self(SecretText::from(format!("sqlite:{}", file.display())))
    }

    /// The kind of database.
    pub fn kind(&self) -> DatabaseKind {
        match server_part(self.expose()) {
            Some(_) => DatabaseKind::Postgres,
            None => DatabaseKind::Sqlite,
        }
    }

    /// The file of a SQLite database; `None` for PostgreSQL and for a database in memory.
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        let rest = self.expose().strip_prefix("sqlite:")?;
        let path = rest.trim_start_matches("//").split('?').next().unwrap_or_default();
        let path = percent_decode_str(path).decode_utf8_lossy().into_owned();
        (path != ":memory:").then(|| path.into())
    }

    /// The URL with its password. Use it only to open connections.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

/// The part of a PostgreSQL URL after its scheme.
fn server_part(url: &str) -> Option<&str> {
    url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"))
}

/// Splits off the user information, at the last `@`: a password that was not encoded may contain
/// any character.
fn split_user(server: &str) -> (&str, &str) {
    server.rsplit_once('@').unwrap_or(("", server))
}

fn check(url: &str) -> Result<(), &'static str> {
    let Some(server) = server_part(url) else {
        let file = url.strip_prefix("sqlite:").unwrap_or_default();
        return match file.trim_start_matches('/') {
            "" => Err("must be postgres://user:password@host/database or sqlite:path"),
            _ => Ok(()),
        };
    };
    let host = split_user(server).1.split(['/', '?', '#']).next().unwrap_or_default();
    match host.rsplit_once(':') {
        // A colon without a port: probably a password before a missing host, which `Display` would
        // print.
        Some((_, port)) if !port.ends_with(']') && port.parse::<u16>().is_err() => {
            Err("must have a port number after the host's colon; \
             in a password write / ? # @ as %2F %3F %23 %40")
        }
        _ => Ok(()),
    }
}

impl<'de> Deserialize<'de> for DatabaseUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let url = SecretText::deserialize(deserializer)?;
        check(url.expose()).map_err(D::Error::custom)?;
        Ok(Self(url))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(server) = server_part(self.expose()) else {
            return f.write_str(self.expose());
        };
        let (user, rest) = split_user(server);
        f.write_str("postgres://")?;
        match user.split_once(':') {
            Some((user, _)) => write!(f, "{user}:[redacted]@")?,
            None if user.is_empty() => (),
            None => write!(f, "{user}@")?,
        }
        // The query may contain a password too.
        match rest.split_once(['?', '#']) {
            Some((rest, _)) => write!(f, "{rest}?[redacted]"),
            None => f.write_str(rest),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(url: &str) -> String {
        DatabaseUrl(SecretText::from(url.to_owned())).to_string()
    }

    #[test]
    fn password_is_redacted_and_the_rest_is_shown() {
        assert_eq!(
            shown("postgres://gw:hunter2@db:5432/gw"),
            "postgres://gw:[redacted]@db:5432/gw"
        );
        assert_eq!(shown("postgresql://gw@db/gw"), "postgres://gw@db/gw");
        assert_eq!(shown("postgres://db/gw?password=hunter2"), "postgres://db/gw?[redacted]");
        assert_eq!(shown("sqlite:/var/lib/gw.db?mode=rwc"), "sqlite:/var/lib/gw.db?mode=rwc");
    }

    #[test]
    fn badly_encoded_password_is_redacted_too() {
        for password in ["hun/ter2", "hun@ter2", "hun?ter2", "hun#ter2", "hun:ter2"] {
            let url = format!("postgres://gw:{password}@db/gw");
            assert_eq!(shown(&url), "postgres://gw:[redacted]@db/gw");
        }
    }

    #[test]
    fn sqlite_file_is_the_path_of_the_url() {
        let file = |url: &str| DatabaseUrl(SecretText::from(url.to_owned())).sqlite_file();
        assert_eq!(file("sqlite:gw.db?mode=rwc"), Some("gw.db".into()));
        assert_eq!(file("sqlite:///var/lib/g%20w.db"), Some("/var/lib/g w.db".into()));
        assert_eq!(file("sqlite:/var/lib/gw.db"), Some("/var/lib/gw.db".into()));
        assert_eq!(file("sqlite::memory:"), None);
        assert_eq!(file("postgres://db/gw"), None);
    }

    #[test]
    fn only_known_databases_are_accepted() {
        for url in [
            "postgres://db/gw",
            "postgres://u:p@[::1]/gw",
            "postgres:///gw?host=/run/postgresql",
            "sqlite:gw.db",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        for url in
            ["", "mysql://db/gw", "sqlite:", "sqlite://", "gw.db", "postgres://gw:hunter2/gw"]
        {
            assert!(check(url).is_err(), "{url}");
        }
    }
}
