//! The documentation lists every setting and every error code, and the files of a journey.

use std::path::Path;

use tenant_gateway::config::Setting;
use tenant_gateway::error::ErrorCode;

const CONFIGURATION: &str = include_str!("../../docs/configuration.md");
const ARCHITECTURE: &str = include_str!("../../docs/architecture.md");
const ERRORS: &str = include_str!("../../docs/errors.md");

#[test]
fn every_setting_stands_in_the_table_with_its_variable_and_default() {
    for setting in Setting::all() {
        let row = CONFIGURATION
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", setting.key())));
        let row = row.unwrap_or_else(|| panic!("{} has no row", setting.key()));
        assert!(row.contains(&format!("`{}`", setting.variable())), "{row}");
        assert_eq!(row.contains("_FILE`"), setting.file_variable().is_some(), "{row}");
        if let Some(default) = setting.default_value() {
            assert!(
                row.contains(&format!("`{}`", default.trim_matches('"'))),
                "default {default} in {row}"
            );
        }
    }
}

#[test]
fn every_error_code_stands_in_the_table_with_its_status() {
    for code in ErrorCode::ALL {
        let row = ERRORS.lines().find(|line| line.starts_with(&format!("| `{}` |", code.as_str())));
        let row = row.unwrap_or_else(|| panic!("{} has no row", code.as_str()));
        assert!(row.contains(&format!("| {} |", code.http_status())), "{row}");
        assert!(row.contains(if code.retryable() { "| yes |" } else { "| no |" }), "{row}");
    }
}

/// The files of the table that begins with the row `head`. A name without a folder is in the folder
/// of the one before it.
fn files_of_journey(head: &str) -> Vec<String> {
    let (_, table) = ARCHITECTURE.split_once(head).expect("the table");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let mut folder = "";
    let mut files = Vec::new();
    for name in rows.flat_map(|row| row.split('`').skip(1).step_by(2)) {
        let name = match name.rsplit_once('/') {
            Some((before, name)) => {
                folder = before;
                name
            }
            None => name,
        };
        files.push(format!("{folder}/{name}"));
    }
    files
}

#[test]
fn files_of_a_journey_exist_and_are_as_many_as_it_says() {
    let files = files_of_journey("| Station | Files |");
    for file in &files {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
        let exists = source.with_extension("rs").is_file() || source.join("mod.rs").is_file();
        assert!(exists, "{file}");
    }
    let said = format!("These are {} files:", files.len());
    assert!(ARCHITECTURE.contains(&said), "{said} {files:?}");
}
