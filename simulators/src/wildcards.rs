//! Text patterns, for searches (`%` and `_`) and for the paths of calls (`*`).

/// Whether the whole of `text` fits `pattern`, in which `any` stands for any text and `one` for one
/// character.
pub fn fits(pattern: &str, text: &str, any: char, one: Option<char>) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut seen) = (0, 0);
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
            // The last `any` has to swallow one character more.
            _ => match &mut retry {
                Some((after, swallowed)) => {
                    *swallowed += 1;
                    (at, seen) = (*after, *swallowed);
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
    fn any_text_and_one_character() {
        assert!(like("web%", "web-1.example"));
        assert!(like("%b-_%e", "web-1.example"));
        assert!(like("%", ""));
        assert!(like("w_b", "wëb"));
        assert!(!like("w_b", "wb"));
        assert!(!like("web", "web-1"));
        assert!(!like("%x", "web"));
    }

    #[test]
    fn without_a_sign_for_one_character_it_is_a_letter() {
        assert!(fits("/a_b/*", "/a_b/c/d", '*', None));
        assert!(!fits("/a_b", "/axb", '*', None));
    }
}
