//! Files that should be a database, a backup or a master key, and are something else.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::process::Deployment;
use crate::support::{Engine, OnEngine, notes};

const DATABASE: &str = "tenant-gateway.db";
const KEY: &str = "master.key";

/// The words of a driver or of a file system, which tell an operator nothing.
const DRIVER: [&str; 4] = ["Query Error", "returned from database", "code: ", "(os error"];

/// Runs a command that must fail; returns its error.
fn refusal(deployment: &Deployment, arguments: &[&str]) -> String {
    let output = deployment.run(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?} fails");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let error = told.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    assert!(!DRIVER.iter().any(|words| error.contains(words)), "{arguments:?}: {error}");
    error.to_owned()
}

async fn deployment() -> Deployment {
    let deployment = Deployment::on(Engine::Sqlite).await;
    deployment.init();
    // The first start creates a signing key and seals it.
    deployment.serve().await.kill();
    notes::note(fs::read_to_string(deployment.database.folder.path().join(KEY)).unwrap().trim());
    deployment
}

/// Files that are no database, each with what it is.
fn foreign_files(folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let pipe = folder.join("pipe");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let directory = folder.join("directory");
    fs::create_dir(&directory).unwrap();
    let mut files = vec![(pipe, "a special file"), (directory, "a directory")];
    for (name, content, kind) in [
        ("empty", &b""[..], "an empty file"),
        ("text", b"[server]\nlisten = '127.0.0.1:8080'\n", "a file of another kind"),
        ("dump", b"PGDMP\x01\x0e\0", "an archive of pg_dump"),
        ("copy.gz", b"\x1f\x8b\x08\0\0\0\0\0", "a compressed file"),
    ] {
        fs::write(folder.join(name), content).unwrap();
        files.push((folder.join(name), kind));
    }
    files
}

#[tokio::test]
async fn file_that_is_no_backup_is_told_by_what_it_is() {
    let deployment = deployment().await;
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("elsewhere").display().to_string();
    let setting = format!("data.dir={other}");
    for (file, kind) in foreign_files(folder.path()) {
        let name = file.to_str().unwrap();
        let expected = format!("error: {name} is {kind}, not a database of tenant-gateway");
        assert_eq!(refusal(&deployment, &["backup", "check", name]), expected);
        assert_eq!(refusal(&deployment, &["restore", name, "--set", &setting]), expected);
        assert!(!Path::new(&other).join(DATABASE).exists(), "nothing is restored");
    }
}

#[tokio::test]
async fn backup_that_was_cut_off_is_told_as_incomplete() {
    let deployment = deployment().await;
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.db");
    assert!(deployment.run(&["backup", whole.to_str().unwrap()]).status.success());
    let content = fs::read(&whole).unwrap();
    let cut = folder.path().join("cut.db");
    for length in [100, 200, 4096, content.len() / 2] {
        fs::write(&cut, &content[..length]).unwrap();
        let told = refusal(&deployment, &["backup", "check", cut.to_str().unwrap()]);
        assert!(told.contains("cut.db cannot be used: "), "{length}: {told}");
    }
}

#[tokio::test]
async fn copy_that_cannot_be_written_is_told_by_the_name_that_was_given() {
    let deployment = deployment().await;
    let file = deployment.database.folder.path().join("nowhere/copy.db");
    let output = deployment.run(&["backup", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains(&format!("{}: No such file", file.display())), "{told}");
}

#[tokio::test]
async fn other_file_in_the_place_of_the_database_is_told_and_left_alone() {
    let deployment = deployment().await;
    let database = deployment.database.folder.path().join(DATABASE);
    for suffix in ["", "-wal", "-shm"] {
        fs::remove_file(database.with_file_name(format!("{DATABASE}{suffix}"))).ok();
    }
    let folder = tempfile::tempdir().unwrap();
    // An empty file is a new database, and SQLite itself refuses what is no file.
    let files = foreign_files(folder.path());
    for (file, kind) in files.iter().filter(|(_, kind)| *kind != "an empty file") {
        fs::rename(file, &database).unwrap();
        let expected =
            format!("{} is {kind}, not a database of tenant-gateway", database.display());
        for command in [&["serve"][..], &["client", "list"], &["migrate", "status"], &["init"]] {
            assert_eq!(refusal(&deployment, command), format!("error: {expected}"), "{command:?}");
        }
        let doctor = deployment.run(&["doctor"]);
        let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
        assert!(told.contains(&expected) && told.contains("tenant-gateway restore"), "{told}");
        assert!(*kind != "a directory" || !told.contains("chmod 600"), "{told}");
        fs::rename(&database, file).unwrap();
    }
}

#[tokio::test]
async fn master_key_that_cannot_be_read_is_told_with_its_file() {
    let deployment = deployment().await;
    let key = deployment.database.folder.path().join(KEY);
    for (content, reason) in [
        (Some(&b""[..]), "the file is empty"),
        (Some(b"hunter2hunter2hunter2"), "must be 32 bytes in base 64"),
        (Some(b"\xff\xfe"), "not a text"),
        (None, "not a file"),
    ] {
        fs::remove_file(&key).unwrap();
        match content {
            Some(content) => {
                let mut file = fs::File::create(&key).unwrap();
                file.set_permissions(Permissions::from_mode(0o600)).unwrap();
                file.write_all(content).unwrap();
            }
            None => fs::create_dir(&key).unwrap(),
        }
        for command in [&["serve"][..], &["client", "list"], &["keys", "rotate"]] {
            let told = refusal(&deployment, command);
            assert!(told.contains(key.to_str().unwrap()), "{command:?}: {told}");
            assert!(told.contains(reason) && told.contains("restore it"), "{command:?}: {told}");
            assert!(!told.contains("hunter2"), "{told}");
        }
    }
}

#[tokio::test]
async fn simulator_refuses_a_password_file_without_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    fs::write(&file, "\n").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenant-gateway"));
    command.args(["simulate", "integration-server", "--listen", "127.0.0.1:0", "--password-file"]);
    let output = command.arg(&file).env_clear().stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains(file.to_str().unwrap()) && told.contains("no password"), "{told}");
}
