//! Makes the playground out of `playground/` and hands its files to `src/http/playground/`.
//!
//! `TENANT_GATEWAY_BUILD_PLAYGROUND` decides: `off` leaves the page out, `on` fails where it cannot
//! be made, and without it the page is made where Node.js is there, else left out with a warning.
#![allow(clippy::unnecessary_debug_formatting, reason = "Debug writes paths as Rust literals")]

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SWITCH: &str = "TENANT_GATEWAY_BUILD_PLAYGROUND";
const SOURCES: &str = "playground";
/// The sources of the page. `node_modules` is not among them.
const INPUTS: [&str; 7] = [
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "vite.config.ts",
    "index.html",
    "src",
    "examples",
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={SWITCH}");
    for input in INPUTS {
        println!("cargo:rerun-if-changed={SOURCES}/{input}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let switch = env::var(SWITCH).unwrap_or_default();
    let pages = match switch.as_str() {
        "off" => None,
        "" | "on" => match make_pages(&out) {
            Ok(pages) => Some(pages),
            Err(why) if switch == "on" => panic!("the playground cannot be made: {why}"),
            Err(why) => {
                println!("cargo:warning=the playground is left out: {why}");
                println!("cargo:warning={SWITCH}=on makes this an error, {SWITCH}=off silences it");
                None
            }
        },
        other => panic!("{SWITCH} is `{other}`; it may be `on`, `off` or absent"),
    };
    let table = table(pages.as_deref()).expect("the made files can be read");
    fs::write(out.join("playground.rs"), table).expect("OUT_DIR can be written");
}

/// Installs and bundles outside the sources, which a build leaves as they are. Gives back the
/// folder of the made files.
fn make_pages(out: &Path) -> Result<PathBuf, String> {
    require("node", "Node.js 18 or newer")?;
    require("npm", "npm")?;
    let work = out.join("playground");
    let failed = |error: io::Error| error.to_string();
    if work.exists() {
        fs::remove_dir_all(&work).map_err(failed)?;
    }
    fs::create_dir_all(&work).map_err(failed)?;
    for input in INPUTS {
        copy(&Path::new(SOURCES).join(input), &work.join(input)).map_err(failed)?;
    }
    // No scripts of packages are run; without a network the build goes on after seconds, not
    // minutes.
    let install = "ci --omit=dev --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-retry-mintimeout=1000";
    run(&work, "npm", &install.split(' ').collect::<Vec<_>>())?;
    run(&work, "node", &["node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"])?;
    fs::remove_dir_all(work.join("node_modules")).map_err(failed)?;
    Ok(work.join("dist"))
}

fn require(program: &str, name: &str) -> Result<(), String> {
    let found =
        Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if found {
        Ok(())
    } else {
        Err(format!("{name} is not installed; install it and build with {SWITCH}=on"))
    }
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Result<(), String> {
    let failed = |why: String| format!("`{program} {}` failed: {why}", arguments.join(" "));
    let ran = Command::new(program).args(arguments).current_dir(folder).output();
    let Output { status, stdout, stderr } = ran.map_err(|error| failed(error.to_string()))?;
    if status.success() {
        return Ok(());
    }
    let log = folder.join("failed.log");
    fs::write(&log, [stdout, stderr].concat()).ok();
    Err(failed(format!("see {}", log.display())))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// The Rust source of the table of files: `None` where there is no playground in this build.
fn table(pages: Option<&Path>) -> io::Result<String> {
    let Some(pages) = pages else {
        return Ok("static PAGES: Option<Pages> = None;\n".to_owned());
    };
    let index = pages.join("index.html");
    let mut hasher = DefaultHasher::new();
    fs::read(&index)?.hash(&mut hasher);
    let mut source = format!(
        "static PAGES: Option<Pages> = Some(Pages {{\n    index: include_bytes!({index:?}),\n    \
         index_etag: \"\\\"{:016x}\\\"\",\n    assets: &[\n",
        hasher.finish()
    );
    let mut files = fs::read_dir(pages.join("assets"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    files.sort();
    for file in files {
        let stored = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let name = stored.strip_suffix(".gz").unwrap_or(stored);
        let (media_type, gzip) = (media_type(name), stored != name);
        writeln!(
            source,
            "        Asset {{ name: {name:?}, media_type: {media_type:?}, gzip: {gzip}, bytes: include_bytes!({file:?}) }},"
        )
        .expect("a String can be written");
    }
    source.push_str("    ],\n});\n");
    Ok(source)
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => panic!("{name}: no media type is known for it; add one to build.rs"),
    }
}
