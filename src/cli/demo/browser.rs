//! Opens the playground in a browser, signed in.
//!
//! The browser gets the path of a file that only the owner of the demo can read, never a secret:
//! arguments of programs are visible to other users of the machine, and addresses stay in a
//! browser's history.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use askama::Template;

use crate::cli::output::complain;
use crate::http::playground;
use crate::secret::PlainSecret;

/// The file that the browser opens: it posts the one-time code to the gateway.
#[derive(Template)]
#[template(
    source = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="referrer" content="no-referrer">
<title>Playground · Tenant Gateway</title>
<form method="post" action="{{ url }}{{ path }}">
<input type="hidden" name="code" value="{{ code }}">
<button>Sign in to the playground</button>
</form>
<script>document.forms[0].submit()</script>
</html>
"#,
    ext = "html"
)]
struct SignInFile<'a> {
    url: &'a str,
    path: &'a str,
    code: &'a str,
}

/// Writes the file into a folder that nobody else can read.
///
/// # Errors
/// If it cannot be written.
pub fn write_sign_in_file(folder: &Path, url: &str, code: &PlainSecret) -> io::Result<PathBuf> {
    let page = SignInFile { url, path: playground::SIGN_IN_PATH, code: code.expose() };
    let page = page.render().map_err(io::Error::other)?;
    let path = folder.join("playground.html");
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    file.write_all(page.as_bytes())?;
    Ok(path)
}

/// Opens the file with the first program that can, and says so if there is none. Does not wait for
/// it: some of these programs run until the browser ends.
pub fn open(file: PathBuf, url: &str) {
    let unopened = format!(
        "No browser could be opened. Open {url}{} yourself, and sign in with the client_id and \
         client_secret above.",
        playground::PATH
    );
    std::thread::spawn(move || {
        if !open::commands(file).into_iter().any(succeeds) {
            complain(&unopened);
        }
    });
}

fn succeeds(mut command: Command) -> bool {
    // Its messages are not those of the demo.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
