//! Folds names, so that a search compares what people see: without letter case, whether a letter is
//! composed or decomposed, wide or narrow, and without characters that nobody sees.

use icu_casemap::CaseMapper;
use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

/// The longest folded name, in bytes: the indexes of PostgreSQL take no more than 2,704 for all
/// their columns. No name of 255 characters reaches it, unless it is made of those that stand for
/// whole words.
const FOLDED_MAX: usize = 2000;

const DOTLESS_I: char = 'ı';
const DOT_ABOVE: char = '\u{307}';

/// The NFKC case folding of a text, and beyond it one letter i with or without its dot, since
/// Turkish names are typed on other keyboards too. Cut at 2,000 bytes. Folding twice changes
/// nothing.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    let folded = CaseMapper::new().fold_string(&decomposed);
    let visible = one_i(folded.chars().filter(|character| !is_ignorable(*character)));
    // Folding may leave letters that compatibility takes apart once more.
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(&visible);
    let folded = CaseMapper::new().fold_string(&decomposed);
    cut(compose_compatible(&one_i(folded.chars())))
}

/// A text in the composed form (NFC) in which nearly all programs keep it, for systems that compare
/// character by character.
pub fn compose(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// Whether Unicode has a character shown as nothing (the property Default_Ignorable_Code_Point).
pub fn is_ignorable(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFF8}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// A text in the form NFKC, in which characters that only differ in their presentation are one.
pub fn compose_compatible(text: &str) -> String {
    ComposingNormalizerBorrowed::new_nfkc().normalize(text).into_owned()
}

/// Replaces the dotless i, and takes the dot from one that has two.
fn one_i(characters: impl Iterator<Item = char>) -> String {
    let mut folded = String::new();
    for character in characters {
        match character {
            DOTLESS_I => folded.push('i'),
            DOT_ABOVE if folded.ends_with('i') => {}
            other => folded.push(other),
        }
    }
    folded
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(FOLDED_MAX));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_look_alike_fold_alike() {
        for (one, two) in [
            ("STRASSE", "straße"),
            ("ОТЧЁТ", "отче\u{308}т"),
            ("ΟΔΟΣ", "οδος"),
            ("İstanbul", "istanbul"),
            ("I\u{307}STANBUL", "ıstanbul"),
            ("Zoe\u{308}", "ZOË"),
            ("ＡＣＭＥ　１", "acme 1"),
            ("ﬁnance", "FINANCE"),
            ("in\u{AD}voice\u{200B}", "Invoice"),
            ("\u{FEFF}Acme\u{2060}", "acme"),
            ("ᾳ", "ΑΙ"),
            ("\u{2126}", "ω"),
            ("가", "\u{1100}\u{1161}"),
        ] {
            assert_eq!(fold(one), fold(two), "{one} {two}");
        }
        assert_ne!(fold("e"), fold("é"));
        assert_eq!(compose("Zoe\u{308} ﬁ"), "Zoë ﬁ");
    }

    #[test]
    fn every_character_folds_to_something_stable() {
        for character in (char::MIN..=char::MAX).filter(|character| !character.is_control()) {
            let once = fold(&character.to_string());
            assert_eq!(fold(&once), once, "{:?}", u32::from(character));
            assert!(
                is_ignorable(character) == once.is_empty(),
                "{:?} {once:?}",
                u32::from(character)
            );
        }
    }

    #[test]
    fn folded_text_fits_an_index() {
        let folded = fold(&"\u{FDFA}".repeat(255));
        assert!(folded.len() <= FOLDED_MAX && folded.len() > FOLDED_MAX - 4, "{}", folded.len());
    }

    proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn composed_and_decomposed_fold_alike(text in "\\PC{0,40}") {
            let decomposed = DecomposingNormalizerBorrowed::new_nfd().normalize(&text).into_owned();
            prop_assert_eq!(fold(&decomposed), fold(&text));
        }
    }
}
