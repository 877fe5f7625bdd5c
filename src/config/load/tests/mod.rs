mod secrets;

use std::{fs, time::Duration};

use super::*;
use crate::config::{LogFormat, Problem, TokenAlgorithm};

const MASTER_KEY: &str = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U=";

fn with_variables(variables: &[(&str, &str)]) -> Result<Config, ConfigErrors> {
    Config::load(None, owned(variables), vec![])
}

fn with_file(text: &str) -> Result<Config, ConfigErrors> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    fs::write(&path, text).unwrap();
    Config::load(Some(&path), [], vec![])
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn only_problem(result: Result<Config, ConfigErrors>) -> Problem {
    match result.expect_err("a problem").problems() {
        [problem] => problem.clone(),
        problems => panic!("one problem, not {problems:#?}"),
    }
}

#[test]
fn later_source_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    fs::write(
        &path,
        "[server]\nbody_limit = 2048\nshutdown_grace = '1s'\nrequest_timeout = '1s'\n",
    )
    .unwrap();
    let env = owned(&[
        ("TENANT_GATEWAY__SERVER__SHUTDOWN_GRACE", "2s"),
        ("TENANT_GATEWAY__SERVER__REQUEST_TIMEOUT", "2s"),
    ]);
    let config =
        Config::load(Some(&path), env, owned(&[("server.request_timeout", "3s")])).unwrap();
    assert_eq!(config.server.body_limit, 2048);
    assert_eq!(config.server.shutdown_grace, Duration::from_secs(2));
    assert_eq!(config.server.request_timeout, Duration::from_secs(3));
}

#[test]
fn variable_of_any_type_is_understood() {
    let config = with_variables(&[
        ("TENANT_GATEWAY__SERVER__LISTEN", "0.0.0.0:0"),
        ("TENANT_GATEWAY__SERVER__PUBLIC_URL", "https://gateway.example/"),
        ("TENANT_GATEWAY__DATABASE__MAX_CONNECTIONS", "3"),
        ("TENANT_GATEWAY__PLAYGROUND__ENABLED", "true"),
        ("TENANT_GATEWAY__TOKENS__AUDIENCE", "42"),
        ("TENANT_GATEWAY__TOKENS__ALGORITHM", "ES256"),
        ("TENANT_GATEWAY__LOG__FORMAT", "json"),
        ("TENANT_GATEWAY__ADMIN__LISTEN", "off"),
        ("HOME", "/root"),
    ]);
    let config = config.unwrap();
    assert_eq!(config.server.listen.port(), 0);
    assert_eq!(config.server.public_url.as_deref(), Some("https://gateway.example"));
    assert_eq!(config.database.max_connections, 3);
    assert!(config.playground.enabled);
    assert_eq!(config.tokens.audience, "42");
    assert_eq!(config.tokens.algorithm, TokenAlgorithm::Es256);
    assert_eq!(config.log.format, LogFormat::Json);
    assert_eq!(config.admin.listen, None);
}

#[test]
fn unknown_name_is_refused_with_its_source() {
    let problem = only_problem(with_variables(&[("TENANT_GATEWAY__SERVER_LISTEN", "127.0.0.1:1")]));
    assert_eq!(problem.source, Source::Variable("TENANT_GATEWAY__SERVER_LISTEN".into()));
    assert!(problem.message.contains("did you mean TENANT_GATEWAY__SERVER__LISTEN?"), "{problem}");

    let problem = only_problem(with_file("[servr]\nlisten = '127.0.0.1:1'"));
    assert!(problem.to_string().contains("gateway.toml: servr.listen: "), "{problem}");
    assert!(problem.message.contains("did you mean server.listen?"), "{problem}");

    let problem = only_problem(Config::load(None, [], owned(&[("server.nothing_like_it", "1")])));
    assert_eq!(problem.to_string(), "command line: server.nothing_like_it: unknown setting");
}

#[test]
fn name_without_its_section_is_refused_with_the_full_one() {
    let problem = only_problem(Config::load(None, [], owned(&[("listen", "127.0.0.1:1")])));
    assert!(problem.message.contains("did you mean server.listen?"), "{problem}");
    let problem = only_problem(with_file("public_url = 'https://gateway.example'"));
    assert!(problem.message.contains("did you mean server.public_url?"), "{problem}");
    let problem = only_problem(with_variables(&[("TENANT_GATEWAY__PUBLIC_URL", "https://x")]));
    assert!(problem.message.contains("TENANT_GATEWAY__SERVER__PUBLIC_URL?"), "{problem}");
}

#[test]
fn variable_with_single_underscores_is_refused() {
    for name in ["TENANT_GATEWAY_SERVER_LISTEN", "TENANT_GATEWAY_SERVER__LISTEN"] {
        let problem = only_problem(with_variables(&[(name, "127.0.0.1:1")]));
        assert_eq!(problem.source, Source::Variable(name.into()));
        assert!(
            problem.message.contains("did you mean TENANT_GATEWAY__SERVER__LISTEN?"),
            "{problem}"
        );
    }
    let problem =
        only_problem(with_variables(&[("TENANT_GATEWAY_SEAL_MASTER_KEY_FILE", "/run/key")]));
    assert!(
        problem.message.contains("did you mean TENANT_GATEWAY__SEAL__MASTER_KEY_FILE?"),
        "{problem}"
    );
    assert!(
        with_variables(&[
            ("TENANT_GATEWAY_CONFIG", "x"),
            ("TENANT_GATEWAY_SERVICE_HOST", "10.0.0.1")
        ])
        .is_ok()
    );
}

#[test]
fn empty_or_misplaced_section_is_refused() {
    assert_eq!(only_problem(with_file("[servers]")).key.as_deref(), Some("servers"));
    assert_eq!(only_problem(with_file("listen = 1")).key.as_deref(), Some("listen"));
    assert!(only_problem(with_file("server = 1")).message.contains("write [server]"));
    assert!(with_file("[server]").is_ok());
}

#[test]
fn all_problems_are_reported_together() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.toml");
    fs::write(
        &path,
        "[server]\nlisten = 'here'\nbody_limit = 0\n[tokens]\nlifetime = \
        '5'\n[clients]\nusage_flush = '1h'\n",
    )
    .unwrap();
    let env = owned(&[
        ("TENANT_GATEWAY__TOKENS__ALGORITHM", "none"),
        ("TENANT_GATEWAY__LOG__FILTER", "a=b=c"),
    ]);
    let flags = owned(&[("database.url", "postgres://db/gateway")]);
    let errors = Config::load(Some(&path), env, flags).unwrap_err();
    let keys: Vec<_> =
        errors.problems().iter().filter_map(|problem| problem.key.as_deref()).collect();
    let expected = [
        "server.listen",
        "server.body_limit",
        "tokens.lifetime",
        "log.filter",
        "tokens.algorithm",
        "clients.usage_flush",
        "database.url",
    ];
    for key in expected {
        assert!(keys.contains(&key), "{key} in {errors}");
    }
    assert_eq!(errors.to_string().lines().count(), 1 + expected.len());
}

#[test]
fn value_out_of_range_names_the_range() {
    let problem = only_problem(with_variables(&[("TENANT_GATEWAY__TOKENS__LIFETIME", "30s")]));
    assert_eq!(
        problem.to_string(),
        "TENANT_GATEWAY__TOKENS__LIFETIME: tokens.lifetime: must be between 1m and 24h"
    );
    let problem =
        only_problem(with_variables(&[("TENANT_GATEWAY__CLIENTS__GRACE_PERIOD_MAX", "8d")]));
    assert!(problem.message.ends_with("168h"), "{problem}");
}

const CACHED: [&str; 4] = ["computers", "policies", "roles", "api_keys"];

#[test]
fn deep_security_cache_ttl_is_at_most_an_hour() {
    for kind in CACHED {
        let variable = format!("TENANT_GATEWAY__DEEP_SECURITY__{kind}_CACHE_TTL").to_uppercase();
        let with = |ttl| with_variables(&[(&variable, ttl)]);
        assert!(with("0s").is_ok() && with("1h").is_ok(), "{kind}");
        let problem = only_problem(with("3601s")).to_string();
        assert_eq!(
            problem,
            format!("{variable}: deep_security.{kind}_cache_ttl: must be between 0s and 1h")
        );
    }
}

#[test]
fn former_name_of_a_setting_is_accepted_from_every_source_and_noted() {
    for kind in CACHED {
        let former = format!("deep_security.remember_{kind}");
        let present = format!("deep_security.{kind}_cache_ttl");
        let variable = format!("TENANT_GATEWAY__DEEP_SECURITY__REMEMBER_{kind}").to_uppercase();
        let configs = [
            with_file(&format!("[deep_security]\nremember_{kind} = '7s'")).unwrap(),
            with_variables(&[(&variable, "7s")]).unwrap(),
            Config::load(None, [], owned(&[(&former, "7s")])).unwrap(),
        ];
        for config in configs {
            let shown = config.show();
            assert!(shown.contains(&format!("{kind}_cache_ttl = \"7s\"")), "{shown}");
            let [noted] = config.former_names.as_slice() else {
                panic!("{:?}", config.former_names)
            };
            assert_eq!((noted.former, noted.present.as_str()), (former.as_str(), present.as_str()));
        }
    }
    assert!(with_variables(&[]).unwrap().former_names.is_empty());
}

#[test]
fn former_name_beside_the_present_one_is_refused() {
    let problem =
        only_problem(with_file("[deep_security]\nremember_roles = '7s'\nroles_cache_ttl = '7s'"));
    assert_eq!(problem.key.as_deref(), Some("deep_security.remember_roles"));
    let problem = only_problem(with_variables(&[
        ("TENANT_GATEWAY__DEEP_SECURITY__REMEMBER_ROLES", "7s"),
        ("TENANT_GATEWAY__DEEP_SECURITY__ROLES_CACHE_TTL", "7s"),
    ]));
    assert!(
        problem
            .message
            .contains("TENANT_GATEWAY__DEEP_SECURITY__ROLES_CACHE_TTL, which is also set"),
        "{problem}"
    );
}

#[test]
fn missing_file_is_named() {
    let problem = only_problem(Config::load(Some(Path::new("/nowhere/gateway.toml")), [], vec![]));
    assert!(problem.to_string().starts_with("/nowhere/gateway.toml: cannot read: "), "{problem}");
}

#[test]
fn file_of_another_kind_is_refused_by_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("binary");
    let empty = folder.path().join("empty");
    fs::write(&binary, b"\x89PNG\r\n").unwrap();
    fs::write(&empty, "\n").unwrap();
    for (path, reason) in [(folder.path(), "directory"), (&binary, "it is not UTF-8 text")] {
        let problem = only_problem(Config::load(Some(path), [], vec![]));
        assert!(problem.message.contains(reason), "{problem}");
        let problem = only_problem(with_variables(&[(
            "TENANT_GATEWAY__SEAL__MASTER_KEY_FILE",
            path.to_str().unwrap(),
        )]));
        assert!(problem.message.contains(reason), "{problem}");
    }
    assert!(Config::load(Some(&empty), [], vec![]).is_ok(), "no settings are the default ones");
    let problem = only_problem(with_variables(&[(
        "TENANT_GATEWAY__SEAL__MASTER_KEY_FILE",
        empty.to_str().unwrap(),
    )]));
    assert_eq!(problem.message, "the file is empty");
}

#[test]
fn mistake_causes_no_second_problem() {
    let problem = only_problem(with_variables(&[
        ("TENANT_GATEWAY__DATABASE__URL", "postgres://db/gateway"),
        ("TENANT_GATEWAY__SEAL__MASTER_KEY", "too short"),
    ]));
    assert_eq!(problem.key.as_deref(), Some("seal.master_key"));
}

#[test]
fn two_listeners_need_two_addresses() {
    let same = ("TENANT_GATEWAY__ADMIN__LISTEN", "127.0.0.1:8080");
    assert_eq!(only_problem(with_variables(&[same])).key.as_deref(), Some("admin.listen"));
    let any = owned(&[("server.listen", "127.0.0.1:0"), ("admin.listen", "127.0.0.1:0")]);
    assert!(Config::load(None, [], any).is_ok());
}

#[test]
fn rust_log_beats_every_other_filter() {
    let flags = || owned(&[("log.filter", "warn")]);
    let with = |rust_log| Config::load(None, owned(&[("RUST_LOG", rust_log)]), flags());
    assert_eq!(with("debug").unwrap().log.filter, "debug");
    assert_eq!(with("").unwrap().log.filter, "warn");
    assert_eq!(only_problem(with("a=b=c")).source, Source::Variable("RUST_LOG".into()));
}
