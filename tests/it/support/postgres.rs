//! One PostgreSQL server for the test process, with a database for each test.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Database as Connector};
use tenant_gateway::database::{Database, Options};

use super::notes;

const TEMPLATE: &str = "gateway_template";

/// Stops the server and deletes its files when the test process is gone, which closes its end of
/// the pipe.
const WATCHDOG: &str = r#"folder=$1; shift; "$@" & server=$!; read -r _; kill -QUIT "$server"; wait "$server"; rm -rf "$folder""#;

/// The server's log. Two concurrent runs do not share it.
pub fn log() -> PathBuf {
    notes::folder().join(format!("it-postgres-server-{}.log", std::process::id()))
}

/// A running server, reachable only by the socket in its private folder.
struct Server {
    folder: PathBuf,
    /// Holds the pipe that the watchdog waits on.
    _watchdog: Child,
}

/// An empty database for the caller alone.
pub async fn empty() -> String {
    create("template1").await
}

/// A database with the current schema.
pub async fn migrated() -> String {
    create(TEMPLATE).await
}

async fn create(template: &str) -> String {
    static NUMBERS: AtomicUsize = AtomicUsize::new(1);
    let server = server();
    let name = format!("it_{}", NUMBERS.fetch_add(1, Ordering::Relaxed));
    let connection = Connector::connect(server.url("postgres")).await.expect("PostgreSQL answers");
    let statement = format!("CREATE DATABASE {name} TEMPLATE {template}");
    connection.execute_unprepared(&statement).await.expect("a database can be made");
    connection.close().await.expect("the connection ends");
    server.url(&name)
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| {
        let server = Server::start();
        // The first test already runs inside a runtime.
        thread::scope(|scope| {
            let made = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.expect("a runtime can be made").block_on(server.make_template());
            });
            made.join().expect("the template is made");
        });
        server
    })
}

impl Server {
    fn url(&self, database: &str) -> String {
        format!("postgres://gateway@localhost/{database}?host={}", self.folder.display())
    }

    fn start() -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new()
            .prefix("tenant-gateway-it-")
            .tempdir()
            .expect("a temp folder")
            .keep();
        let owner = Owner::of(&folder);
        let log = fs::File::create(log()).expect("the server's log opens");
        let output = || Stdio::from(log.try_clone().expect("the server's log opens twice"));
        let data = folder.join("data");
        let made = owner
            .command(&programs.join("initdb"))
            .args([
                "--no-sync",
                "--username=gateway",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
            ])
            .arg("--pgdata")
            .arg(&data)
            .current_dir(&folder)
            .stdout(output())
            .stderr(output())
            .status();
        assert!(
            made.is_ok_and(|status| status.success()),
            "initdb failed: see {}",
            self::log().display()
        );
        let mut server = owner.command(&programs.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(&folder);
        // Durability is not needed: nothing outlives the test process, and no test kills the
        // server.
        for setting in [
            "listen_addresses=",
            "fsync=off",
            "full_page_writes=off",
            "max_connections=300",
            "log_line_prefix=%d|",
        ] {
            server.args(["-c", setting]);
        }
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&folder)
            .arg(server.get_program())
            .args(server.get_args())
            .current_dir(&folder)
            .stdin(Stdio::piped())
            .stdout(output())
            .stderr(output())
            // A process group of its own: Ctrl-C ends the tests, and the watchdog then stops the
            // server.
            .process_group(0)
            .spawn()
            .expect("sh starts");
        wait_for(&programs, &folder);
        Self { folder, _watchdog: watchdog }
    }

    async fn make_template(&self) {
        let connection =
            Connector::connect(self.url("postgres")).await.expect("PostgreSQL answers");
        connection.execute_unprepared(&format!("CREATE DATABASE {TEMPLATE}")).await.expect(
            "the template can be \
            made",
        );
        connection.close().await.expect("the connection ends");
        let options = Options {
            url: self.url(TEMPLATE),
            max_connections: 2,
            busy_timeout: Duration::from_secs(10),
        };
        let database = Database::connect(options).await.expect("the template opens");
        database.migrate().await.expect("the template can be migrated");
        // PostgreSQL refuses to copy a template that has open connections.
        database.close().await.expect("the connections end");
    }
}

fn wait_for(programs: &Path, folder: &Path) {
    for _ in 0..600 {
        let asked =
            Command::new(programs.join("pg_isready")).arg("-q").arg("-h").arg(folder).status();
        if asked.is_ok_and(|status| status.success()) {
            return;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("PostgreSQL did not start within 30 s: see {}", log().display());
}

/// The user that PostgreSQL runs as, since it refuses to run as root.
struct Owner(Option<(u32, u32)>);

impl Owner {
    fn of(folder: &Path) -> Self {
        if fs::metadata(folder).expect("the temp folder is there").uid() != 0 {
            return Self(None);
        }
        let ids = ["postgres", "nobody"]
            .into_iter()
            .find_map(|user| Some((id("-u", user)?, id("-g", user)?)));
        let (user, group) =
            ids.expect("PostgreSQL must not run as root: a user `postgres` or `nobody` is needed");
        chown(folder, Some(user), Some(group)).expect("root may give its folder away");
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
            .expect("root may close the folder");
        Self(Some((user, group)))
    }

    fn command(&self, program: &Path) -> Command {
        let Some((user, group)) = self.0 else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command
            .arg(format!("--reuid={user}"))
            .arg(format!("--regid={group}"))
            .args(["--clear-groups", "--"])
            .arg(program);
        command
    }
}

fn id(what: &str, user: &str) -> Option<u32> {
    let answer = Command::new("id").args([what, user]).output().ok()?;
    String::from_utf8(answer.stdout).ok()?.trim().parse().ok()
}

/// The newest that Debian installed, else the one in the search path.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<_> = versions
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort_by_key(|bin| {
        bin.parent().and_then(Path::file_name).and_then(|name| name.to_str()?.parse::<u32>().ok())
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
    found.pop().or(in_path).expect(
        "PostgreSQL's server programs are missing: install them (Debian: apt-get install \
            postgresql)",
    )
}
