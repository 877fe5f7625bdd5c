//! The order of imports between rooms, checked against the sources.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms; each imports only from those before it. The `graphql` files lie above them all as one
/// layer, since the graph joins what the services keep apart.
const ROOMS: &[&str] = &[
    "eager_repoll",
    "entropy",
    "ids",
    "global_id",
    "error",
    "secret",
    "clock",
    "names",
    "paging",
    "patch",
    "source_networks",
    "seal",
    "config",
    "telemetry",
    "database",
    "database_time",
    "metrics",
    "budget",
    "graphql",
    "projection",
    "outbound",
    "graph",
    "tokens",
    "roles",
    "auth",
    "audit",
    "tenants",
    "clients",
    "users",
    "upstreams",
    "deep_security",
    "integration_server",
    "nodes",
    "sessions",
    "single_sign_on",
    "passkeys",
    "device_authorization",
    "schema",
    "http",
    "app",
    "cli",
    "main",
];

/// The rooms that have a part in the graph, each joined only from those before it.
const GRAPHQL: &[&str] = &[
    "auth",
    "graph",
    "roles",
    "audit",
    "upstreams",
    "deep_security",
    "integration_server",
    "tenants",
    "users",
    "sessions",
    "single_sign_on",
    "passkeys",
    "clients",
    "nodes",
];

struct Source {
    path: String,
    room: String,
    /// Without comments and tests.
    code: String,
}

impl Source {
    fn is_graphql(&self) -> bool {
        GRAPHQL.contains(&&*self.room)
            && self.path.split('/').any(|part| part.trim_end_matches(".rs") == "graphql")
    }

    fn is(&self, layer: &str) -> bool {
        self.path.split('/').skip(1).any(|part| part.trim_end_matches(".rs") == layer)
    }

    fn mentions(&self, library: &str) -> bool {
        let path = format!("{library}::");
        self.code.match_indices(&path).any(|(at, _)| {
            !self.code[..at].ends_with(|before: char| {
                before.is_alphanumeric() || before == '_' || before == ':'
            })
        })
    }

    /// The paths behind each `crate::`, groups in braces taken apart.
    fn imports(&self) -> BTreeSet<(String, bool)> {
        let mut found = BTreeSet::new();
        for (at, found_at) in self.code.match_indices("crate::") {
            let rest = &self.code[at + found_at.len()..];
            let paths: Vec<&str> = match rest.strip_prefix('{') {
                Some(group) => {
                    group.split('}').next().unwrap_or_default().split(',').map(str::trim).collect()
                }
                None => vec![rest],
            };
            for path in paths {
                let word = |text: &str| {
                    text.chars()
                        .take_while(|c| c.is_alphanumeric() || *c == '_')
                        .collect::<String>()
                };
                let room = word(path);
                let graphql = path[room.len()..]
                    .strip_prefix("::")
                    .is_some_and(|rest| word(rest) == "graphql");
                found.insert((room, graphql));
            }
        }
        found
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with("tests") {
                continue;
            }
            if path.is_dir() {
                if !path.ends_with("tests") {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("tests.rs")
            {
                found.push(read(&root, path));
            }
        }
    }
    found
}

fn read(root: &Path, path: PathBuf) -> Source {
    let text = fs::read_to_string(&path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap();
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let path = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    let room = path.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
    Source { path, room, code }
}

fn rank(room: &str) -> usize {
    ROOMS
        .iter()
        .position(|known| *known == room)
        .unwrap_or_else(|| panic!("the room `{room}` has no place in the order"))
}

fn joined(room: &str) -> Option<usize> {
    GRAPHQL.iter().position(|known| *known == room)
}

#[test]
fn legacy_systems_do_not_import_each_other() {
    let pair = ["deep_security", "integration_server"];
    for source in sources().iter().filter(|source| pair.contains(&&*source.room)) {
        let others = source
            .imports()
            .into_iter()
            .filter(|(room, _)| pair.contains(&&**room) && *room != source.room);
        assert_eq!(others.count(), 0, "{}", source.path);
    }
}

#[test]
fn rooms_import_only_from_rooms_before_them() {
    let sources = sources();
    assert!(sources.len() > 50, "the sources were found");
    for source in sources.iter().filter(|source| source.path != "lib.rs") {
        for (room, graphql) in source.imports() {
            if room == source.room {
                continue;
            }
            let layer = rank("schema");
            let allowed = match (source.is_graphql(), graphql) {
                // Every graphql file may read every room below the graph, and the graphql files of
                // rooms before its own.
                (true, true) => joined(&room) < joined(&source.room),
                (true, false) => rank(&room) < layer,
                (false, true) => rank(&source.room) >= layer,
                (false, false) => rank(&room) < rank(&source.room),
            };
            assert!(
                allowed,
                "{} imports crate::{room}{}",
                source.path,
                if graphql { "::graphql" } else { "" }
            );
        }
    }
}

/// One module layout everywhere: `foo/mod.rs`, never `foo.rs` beside `foo/`.
#[test]
fn module_with_children_is_a_folder_with_mod_rs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for source in sources() {
        let folder = root.join(source.path.trim_end_matches(".rs"));
        assert!(!folder.is_dir(), "{} stands beside a folder of its name", source.path);
    }
}

#[test]
fn inside_a_slice_graphql_stands_on_services_and_they_on_entities() {
    for source in sources() {
        let uses = |layer: &str| {
            let own = format!("crate::{}::{layer}", source.room);
            [format!("super::{layer}"), own].iter().any(|path| source.code.contains(&**path))
        };
        if source.is("entity") {
            assert!(!uses("service") && !uses("graphql"), "{}", source.path);
        }
        if source.is("service") {
            assert!(!uses("graphql"), "{}", source.path);
        }
        if source.is_graphql() {
            assert!(!source.mentions("sea_orm"), "{}", source.path);
        }
    }
}

#[test]
fn libraries_stay_behind_their_fences() {
    for source in sources() {
        let path = source.path.as_str();
        let fences = [
            (
                "async_graphql",
                source.is_graphql()
                    || ["schema.rs", "error/code.rs", "error/extensions.rs"].contains(&path)
                    || path.starts_with("http/graphql/")
                    || path.starts_with("http/state/graphql/")
                    || path.starts_with("graphql/"),
            ),
            ("async_graphql_axum", path.starts_with("http/graphql/")),
            ("tower_http", path.starts_with("http/")),
            ("apollo_compiler", path.starts_with("graphql/")),
            (
                "sea_orm",
                source.is("entity")
                    || source.is("service")
                    || ["ids.rs", "secret.rs", "clock.rs"].contains(&path)
                    || path.starts_with("database/"),
            ),
            ("axum", path.starts_with("http/") || path == "auth/presented.rs"),
            ("jsonwebtoken", path.starts_with("tokens/")),
            ("argon2", path == "users/password.rs"),
            ("zxcvbn", path == "users/password.rs"),
            ("totp_rs", path == "users/service/totp.rs"),
            ("openidconnect", path.starts_with("single_sign_on/")),
            ("webauthn_rs", path.starts_with("passkeys/")),
            ("qrcode", path == "users/service/totp.rs"),
            ("clap", path.starts_with("cli/")),
            ("sd_notify", path.starts_with("cli/")),
            ("reqwest", false),
            ("hyper_rustls", path.starts_with("outbound/")),
            ("rustls", path.starts_with("outbound/")),
            ("tokio_rustls", path.starts_with("outbound/")),
            ("x509_parser", path.starts_with("outbound/")),
            (
                "hyper_util",
                path.starts_with("outbound/")
                    || ["cli/http_client.rs", "http/serve.rs"].contains(&path),
            ),
            (
                "hyper",
                path.starts_with("outbound/")
                    || ["cli/http_client.rs", "http/serve.rs"].contains(&path),
            ),
            ("opentelemetry", path.starts_with("telemetry/")),
            ("opentelemetry_sdk", path.starts_with("telemetry/")),
            ("opentelemetry_otlp", path.starts_with("telemetry/")),
            ("tracing_opentelemetry", path.starts_with("telemetry/")),
            (
                "opentelemetry_http",
                path.starts_with("telemetry/") || path == "outbound/transport/collector.rs",
            ),
            ("quick_xml", path.starts_with("integration_server/wire/")),
            ("encoding_rs", path.starts_with("integration_server/wire/")),
        ];
        for (library, allowed) in fences {
            assert!(allowed || !source.mentions(library), "{path} uses {library}");
        }
    }
}

#[test]
fn no_bare_find_stands_outside_an_entity() {
    for source in sources().iter().filter(|source| !source.is("entity")) {
        for bare in ["Entity::find()", "Entity::find_by_id("] {
            assert!(!source.code.contains(bare), "{} says {bare}", source.path);
        }
    }
}

/// Background work follows from records: of keys that were minted, of tasks that callers began, and
/// of links that are still to be verified.
#[test]
fn only_recorded_work_goes_on_without_a_caller() {
    let allowed = ["deep_security", "integration_server"];
    for source in sources() {
        assert!(
            allowed.contains(&&*source.room)
                || source.path == "app/link_checks.rs"
                || !source.code.contains("TenantScope::background("),
            "{}",
            source.path
        );
    }
}

/// The fields of `TenantScope` are private: only these constructors work without a token.
#[test]
fn only_the_command_line_acts_as_operator() {
    for source in sources().iter().filter(|source| source.path != "app/core.rs") {
        assert!(
            source.room == "cli" || !source.code.contains("TenantScope::operator("),
            "{}",
            source.path
        );
    }
}

/// A transaction that meets another one is repeated, which `Database::transaction` alone does.
#[test]
fn only_the_database_room_begins_transactions() {
    for source in sources().iter().filter(|source| source.room != "database") {
        let code: String = source.code.split_whitespace().collect();
        for word in [".begin()", ".begin_with_", "TransactionTrait"] {
            assert!(!code.contains(word), "{} has {word}", source.path);
        }
    }
}
