//! Text patterns, for searches (`%` and `_`) and for the paths of calls (`*`).

/// Whether the whole `text` matches `pattern`, in which `any` matches any text and `one` any one
/// character.
pub fn fits(pattern: &str, text: &str, any: char, one: Option<char>) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let mut at = 0;
    let mut seen = 0;
    let mut retry = None;
    while seen < text.len() {
        match pattern.get(at) {
            Some(&sign) if sign == any => {
                retry = Some((at + 1, seen));
                at += 1;
            }
            Some(&sign) if Some(sign) == one || sign == text[seen] => {
                at += 1;
                seen += 1;
            }
            // Backtrack: the last `any` matches one more character.
            _ => match &mut retry {
                Some((after, swallowed)) => {
                    *swallowed += 1;
                    at = *after;
                    seen = *swallowed;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|&sign| sign == any)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn like(pattern: &str, text: &str) -> bool {
        fits(pattern, text, '%', Some('_'))
    }

    #[test]
    fn wildcards_match_any_text_and_one_character() {
        assert!(like("web%", "web-1.example"));
        assert!(like("%b-_%e", "web-1.example"));
        assert!(like("%", ""));
        assert!(like("w_b", "wëb"));
        assert!(!like("w_b", "wb"));
        assert!(!like("web", "web-1"));
        assert!(!like("%x", "web"));
    }

    #[test]
    fn underscore_is_literal_without_a_one_character_wildcard() {
        assert!(fits("/a_b/*", "/a_b/c/d", '*', None));
        assert!(!fits("/a_b", "/axb", '*', None));
    }
}
