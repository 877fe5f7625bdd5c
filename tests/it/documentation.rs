//! The documentation lists every setting and every error code.

use tenant_gateway::config::Setting;
use tenant_gateway::error::ErrorCode;

const CONFIGURATION: &str = include_str!("../../docs/configuration.md");
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
