//! Objects that tasks create in Security Center beside the server's own database (reference, T4).

use std::collections::BTreeSet;

/// Security Center, as far as this API shows it.
pub(crate) struct SecurityCenter {
    /// Whether the connection to it is set up.
    pub configured: bool,
    /// Folders of tenants, by their names.
    pub folders: BTreeSet<String>,
    /// Administrators, unique over all virtual servers.
    pub administrators: BTreeSet<String>,
    last_server: u32,
}

impl SecurityCenter {
    pub fn new(configured: bool) -> Self {
        Self {
            configured,
            folders: BTreeSet::new(),
            administrators: BTreeSet::new(),
            last_server: 1000,
        }
    }

    /// The identifier of a new virtual server.
    pub fn new_server(&mut self) -> u32 {
        self.last_server += 1;
        self.last_server
    }
}

/// Whether a password has 8 to 16 ASCII characters of three of the four groups, without spaces and
/// `.` before `@`.
pub(crate) fn complies(password: &str) -> bool {
    let groups: [fn(&char) -> bool; 4] = [
        char::is_ascii_uppercase,
        char::is_ascii_lowercase,
        char::is_ascii_digit,
        char::is_ascii_punctuation,
    ];
    let allowed = password.chars().all(|sign| groups.iter().any(|group| group(&sign)));
    let used = groups.iter().filter(|group| password.chars().any(|sign| group(&sign))).count();
    allowed && used >= 3 && (8..=16).contains(&password.len()) && !password.contains(".@")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_needs_length_and_three_character_groups() {
        assert!(complies("Good-Pass1") && complies("goodpass-1") && complies("GOODpass."));
        for poor in [
            "Good-P1",
            "Good-Pass1Good-Pass1",
            "goodpass1",
            "Good Pass-1",
            "Göod-Pass1",
            "Good.@Pass1",
        ] {
            assert!(!complies(poor), "{poor}");
        }
    }
}
