use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;

/// The values of an array, or why it is not read.
fn items(text: &str) -> Result<Vec<&str>, String> {
    let mut json = JsonReader::new(text);
    let mut items = Vec::new();
    let read = json.array(|json| {
        items.push(json.value()?);
        Ok(())
    });
    let read = read.and_then(|()| json.end());
    read.map(|()| items).map_err(|problem| json.error(problem).to_string())
}

fn judge(text: &str) -> Result<Vec<&str>, String> {
    let items: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|error| JsonError::from(error).to_string())?;
    Ok(items.into_iter().map(RawValue::get).collect())
}

#[test]
fn members_are_read_in_their_order() {
    let text = " { \"a\" : 1 , \"\\u0062\":[ ] ,\"c\":{\"d\":null}}\n";
    let mut json = JsonReader::new(text);
    let mut members = Vec::new();
    let read = json.object(|json| {
        let key = json.key()?;
        members.push((key.name.into_owned(), key.raw, json.value()?));
        Ok(())
    });
    assert_eq!(read.and_then(|()| json.end()), Ok(()));
    let expected =
        [("a", "\"a\" :", "1"), ("b", "\"\\u0062\":", "[ ]"), ("c", "\"c\":", "{\"d\":null}")];
    assert_eq!(members, expected.map(|(name, raw, value)| (name.to_owned(), raw, value)));
}

#[test]
fn key_is_found_again_as_it_stood() {
    let mut json = JsonReader::new(r#"{"a":1, "a":2,"a" :3,"ab":4}"#);
    let mut found = Vec::new();
    let read = json.object(|json| {
        let is_known = json.skip_key("\"a\":");
        if !is_known {
            json.key()?;
        }
        found.push((is_known, json.value()?));
        Ok(())
    });
    assert_eq!(read, Ok(()));
    assert_eq!(found, [(true, "1"), (true, "2"), (false, "3"), (false, "4")]);
}

#[test]
fn broken_texts_are_refused_as_serde_json_refuses_them() {
    for text in [
        "",
        " ",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1]]",
        "[1]x",
        "[01]",
        "[-]",
        "[1.]",
        "[.5]",
        "[1e]",
        "[1e+]",
        "[+1]",
        "[tr]",
        "[nul",
        "[truee]",
        "[NaN]",
        "[\"]",
        "[\"a",
        "[\"\\",
        "[\"\\x\"]",
        "[\"\\u12\"]",
        "[\"\\u12g4\"]",
        "[\"a\nb\"]",
        "[\"\u{1f}\"]",
        "[\"long enough for a word\t\"]",
        "[{]",
        "[{}",
        "[{\"a\"}]",
        "[{\"a\":}]",
        "[{\"a\":1,}]",
        "[{a:1}]",
        "[{\"a\":1 \"b\":2}]",
        "[{\"a\":[1}]]",
        "[[1,2}",
        "[{\"a\":1]",
        "[]]",
        "x",
        "]",
        "[\n\n 1,\n x]",
    ] {
        assert!(judge(text).is_err(), "{text}");
        let refused = items(text);
        assert!(refused.is_err(), "{text}: {refused:?}");
        let kind =
            |error: Result<_, String>| error.err().unwrap().split(',').next().map(str::to_owned);
        assert_eq!(kind(refused), kind(judge(text)), "{text}");
    }
}

#[test]
fn value_of_another_type_is_told_from_a_broken_one() {
    let problem = |text| items(text).unwrap_err();
    assert_eq!(problem("{\"a\":1}"), "has a missing or mistyped field, at line 1 column 7");
    assert_eq!(problem("{\"a\":"), "is incomplete JSON, at line 1 column 5");
    assert_eq!(problem("\n <"), "is not JSON, at line 2 column 2");
    assert_eq!(problem("[1,\n  2,,3]"), "is not JSON, at line 2 column 5");
}

#[test]
fn depth_is_bounded() {
    for (opening, closing) in [("[", "]"), ("{\"a\":", "}")] {
        let nested = |depth| format!("[{}1{}]", opening.repeat(depth), closing.repeat(depth));
        assert_eq!(items(&nested(128)), judge(&nested(128)));
        assert!(items(&nested(129)).is_err());
    }
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
        "[a-z\"\\\\]{0,24}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Texts that serde_json wrote, with one part replaced, are read as serde_json reads them.
    #[test]
    fn reads_what_serde_json_reads(
        values in prop::collection::vec(value(), 0..4),
        is_pretty in any::<bool>(),
        at in any::<prop::sample::Index>(),
        length in 0_usize..3,
        part in "[\\[\\]{}:,\"\\\\ 0-9.eE+\\-truefalsn\\x00-\\x1fäu]{0,3}",
    ) {
        let write = if is_pretty { serde_json::to_string_pretty } else { serde_json::to_string };
        let text = write(&values).unwrap();
        prop_assert_eq!(items(&text), judge(&text));
        let mut characters: Vec<char> = text.chars().collect();
        let start = at.index(characters.len());
        let end = (start + length).min(characters.len());
        characters.splice(start..end, part.chars());
        let changed: String = characters.into_iter().collect();
        prop_assert_eq!(items(&changed).ok(), judge(&changed).ok());
    }
}
