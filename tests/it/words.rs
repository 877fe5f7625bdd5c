//! Words that the code has given up for the field's own, and comments that begin with a relative
//! clause: they do not come back.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each old word with the one in its place, in the order in which they were given up. Upper and
/// lower case differ; a file's name counts as a word of the file.
const WORDS: &[(&str, &str)] = &[
    ("Answerable", "OperationMeta"),
    ("Judged", "TwoPassSchema"),
    ("Door", "AppState"),
    ("Guests", "StreamRegistry"),
    ("Guest", "StreamGuard"),
    ("ask_to_leave", "shutdown"),
    ("overstayed", "drain_timeout_elapsed"),
    ("LEAVING", "DRAIN_TIMEOUT"),
    ("Entered", "AuthenticatedCaller"),
    ("Staying", "StreamSession"),
    ("Wishes", "RequestOptions"),
    ("Surface", "OauthState"),
    ("TooOften", "RateLimitExceeded"),
    ("self_wakes", "eager_repoll"),
    ("Way", "CredentialSource"),
    ("Minted", "TenantKey"),
    ("Right", "KeyAccess"),
    ("Remember", "CacheTtl"),
    ("remembering", "cached"),
    ("Listed", "Resource"),
    ("Setback", "Backoff"),
    ("Rows", "InlineList"),
    ("Looker", "Reconciler"),
    ("Sight", "Match"),
    ("Vain", "MissCounters"),
    ("InHand", "ClaimSet"),
    ("let_go", "release_leases"),
    ("Told", "TaskErrorText"),
    ("Pace", "PollSettings"),
    ("FaultKind", "CallErrorKind"),
    ("Runner", "TaskPoller"),
    ("Standing", "AccessSnapshot"),
    ("standings", "snapshots"),
    ("Deed", "AuditedChange"),
    ("decoys", "dummy_keys"),
    ("LineKey", "RouteKey"),
    ("own_line", "installation_route"),
    ("own_route", "installation_route"),
    ("first_key", "create_installation_key"),
    ("Journey", "OutgoingCall"),
    ("Fare", "CallPermit"),
    ("BudgetPermit", "CallPermit"),
    ("Passage", "RatePermit"),
    ("Flights", "SingleFlight"),
    ("Seat", "Joined"),
    ("Landing", "FlightGuard"),
    ("Unsendable", "InvalidRequest"),
    ("in_row", "consecutive_failures"),
    ("Shown", "AuthHeaders"),
    ("Denied", "CallError"),
    ("Surroundings", "Environment"),
    ("Upkeep", "BackgroundJobs"),
];

/// The Rust sources below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

/// The words of a text: letters, digits and underscores.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
}

#[test]
fn old_words_do_not_come_back() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources = sources(&root);
    assert!(sources.len() > 50, "the sources were found");
    let replaced: HashMap<&str, &str> = WORDS.iter().copied().collect();
    let mut found = Vec::new();
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        let name = path.strip_prefix(&root).unwrap().display().to_string();
        for (number, line) in [name.as_str()].into_iter().chain(text.lines()).enumerate() {
            for old in words(line).filter(|word| replaced.contains_key(word)) {
                let new = replaced[old];
                found.push(format!("{name}:{number}: `{old}` is `{new}` now: {}", line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn words_are_found_whole() {
    let found: Vec<_> =
        words("let way: Way<Ways> = find_Way()").filter(|one| *one == "Way").collect();
    assert_eq!(found, ["Way"]);
}

/// Words that begin a relative clause.
const RELATIVE: &[&str] = &["What", "Who", "Whoever", "Whatever", "Which", "That which"];

/// Whether the line is a comment that begins with a relative clause.
fn begins_with_relative_clause(line: &str) -> bool {
    let Some(comment) = line.trim_start().strip_prefix("//") else { return false };
    let comment = comment.trim_start_matches(['/', '!']).trim_start();
    RELATIVE.iter().any(|word| comment.strip_prefix(word).is_some_and(|rest| rest.starts_with(' ')))
}

#[test]
fn comments_begin_with_a_subject() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["src", "migrations/src", "simulators/src", "tests", "benches"];
    let mut found = Vec::new();
    for path in folders.iter().flat_map(|folder| sources(&root.join(folder))) {
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().enumerate().filter(|(_, line)| begins_with_relative_clause(line));
        for (number, line) in lines {
            let name = path.strip_prefix(root).unwrap().display();
            found.push(format!("{name}:{}: {}", number + 1, line.trim()));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn relative_clauses_are_found() {
    assert!(begins_with_relative_clause("    /// What the node may hold."));
    assert!(begins_with_relative_clause("//! Which spans there are."));
    assert!(!begins_with_relative_clause("/// Whatsoever"));
    assert!(!begins_with_relative_clause("let text = \"What is it?\";"));
}
