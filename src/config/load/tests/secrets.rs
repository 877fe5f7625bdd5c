//! Tests of secrets among the settings.

use super::*;

#[test]
fn secret_may_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("url");
    fs::write(&path, "postgres://gateway:hunter2@db/gateway\n").unwrap();
    let config = with_variables(&[
        ("TENANT_GATEWAY__DATABASE__URL_FILE", path.to_str().unwrap()),
        ("TENANT_GATEWAY__SEAL__MASTER_KEY", MASTER_KEY),
    ]);
    assert_eq!(config.unwrap().database_url().expose(), "postgres://gateway:hunter2@db/gateway");
}

#[test]
fn secret_given_twice_is_refused() {
    let problem = only_problem(with_variables(&[
        ("TENANT_GATEWAY__SEAL__MASTER_KEY", MASTER_KEY),
        ("TENANT_GATEWAY__SEAL__MASTER_KEY_FILE", "/run/secrets/key"),
    ]));
    assert!(problem.message.contains("also set by TENANT_GATEWAY__SEAL__MASTER_KEY:"), "{problem}");
}

#[test]
fn only_secrets_may_come_from_a_file() {
    let problem =
        only_problem(with_variables(&[("TENANT_GATEWAY__SERVER__LISTEN_FILE", "/etc/listen")]));
    assert!(problem.message.starts_with("unknown setting"), "{problem}");
}

#[test]
fn wrong_secret_is_never_repeated() {
    let told = vec![
        with_variables(&[("TENANT_GATEWAY__SEAL__MASTER_KEY", "hunter2")]),
        with_variables(&[("TENANT_GATEWAY__SEAL__MASTER_KEY_FILE", "hunter2")]),
        with_variables(&[("TENANT_GATEWAY__DATABASE__URL", "mysql://root:hunter2@db")]),
        with_file("[seal]\nmaster_key = ['hunter2']"),
        with_file("[seal]\nmaster_key = 'hunter2"),
        with_file("[seal]\nmaster_key = hunter2"),
        with_file("[seal.master_key]\nkey = 'hunter2'"),
        with_file("[seal]\nmaster_keys = 'hunter2'"),
        with_file("database = 'postgres://root:hunter2@db'"),
        with_file("[database]\nurl = { password = 'hunter2' }"),
    ];
    for result in told {
        let errors = result.unwrap_err();
        assert!(!format!("{errors}{errors:?}").contains("hunter2"), "{errors}");
    }
}

#[test]
fn postgres_needs_a_master_key() {
    let url = ("TENANT_GATEWAY__DATABASE__URL", "postgres://db/gateway");
    let problem = only_problem(with_variables(&[url]));
    assert_eq!(problem.source, Source::Variable(url.0.into()));
    assert!(
        problem.message.contains("seal.master_key")
            && problem.message.contains("TENANT_GATEWAY__SEAL__MASTER_KEY_FILE")
    );
    assert!(with_variables(&[url, ("TENANT_GATEWAY__SEAL__MASTER_KEY", MASTER_KEY)]).is_ok());
}
