use std::sync::Arc;

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::global_id::NodeKind;

fn field(name: &str, kind: Kind) -> FieldType {
    FieldType { name: name.to_owned(), member: name.to_owned(), kind }
}

fn types() -> Types {
    let words = Words { known: vec![("on".into(), "ON".into())], unknown: "UNKNOWN".to_owned() };
    let identity = Identity {
        node: NodeKind::DeepSecurityComputer,
        id: "ID".to_owned(),
        name: "name".to_owned(),
    };
    let thing = ObjectType {
        name: "Thing".to_owned(),
        fields: vec![
            field("name", Kind::Text),
            field("state", Kind::Enum(Arc::new(words))),
            field("part", Kind::Object("Part".to_owned())),
            field("parent", Kind::Link("Thing".to_owned())),
            field("sizes", Kind::List(Box::new(Kind::Integer))),
            field("at", Kind::Date),
        ],
        identity: Some(identity),
    };
    let part = ObjectType {
        name: "Part".to_owned(),
        fields: vec![field("flag", Kind::Boolean)],
        identity: None,
    };
    Types(vec![thing, part])
}

fn selected(names: &[&str]) -> Vec<Selected> {
    let field = |name: &&str| Selected {
        key: (*name).to_owned(),
        name: (*name).to_owned(),
        at: (1, 1),
        below: if *name == "part" { selected(&["flag"]) } else { Vec::new() },
    };
    names.iter().map(field).collect()
}

fn plan(names: &[&str]) -> Plan {
    Plan::new(&types(), "Thing", &[&selected(names)]).unwrap()
}

fn read(plan: &Plan, body: &str) -> Result<ProjectedList, JsonError> {
    read_within(plan, body, usize::MAX)
}

fn read_within(plan: &Plan, body: &str, largest: usize) -> Result<ProjectedList, JsonError> {
    let keeps = |name: &str| name != "left out";
    let place = Uuid::nil();
    let reader = ListReader { plan, member: "things", limit: 3, place, largest, keeps: &keeps };
    reader.read(body)
}

fn texts(list: &ProjectedList) -> Vec<&str> {
    let text = |index| std::str::from_utf8(list.texts[0].object(index).0).unwrap();
    (0..list.kept.len()).map(text).collect()
}

#[test]
fn fields_are_in_the_order_of_the_selection_and_the_rest_is_skipped() {
    let plan = plan(&["state", "name", "__typename"]);
    let body = r#"{"x":[{}],"things":[{"name":"a","y":{"z":[1,"]"]},"ID":2,"state":"on"}]}"#;
    let list = read(&plan, body).unwrap();
    assert_eq!(texts(&list), [r#"{"state":"ON","name":"a","__typename":"Thing"}"#]);
    assert_eq!((list.ids, list.mismatches), (vec![2], 0));
}

#[test]
fn first_objects_are_the_beginning_of_the_text_of_all() {
    let body = r#"{"things":[{"ID":1,"name":"a"},{"ID":2,"name":"left out"},{"ID":3,"name":"b"}]}"#;
    let list = read(&plan(&["name"]), body).unwrap();
    let first = |count| std::str::from_utf8(list.texts[0].first(count)).unwrap();
    assert_eq!(
        [first(0), first(1), first(2)],
        ["", r#"{"name":"a"}"#, r#"{"name":"a"},{"name":"b"}"#]
    );
}

#[test]
fn value_of_another_type_is_null_and_counted() {
    let plan = plan(&["state", "part", "sizes", "at"]);
    let body = r#"{"things":[
        {"ID":1,"state":7,"part":[],"sizes":[1,null],"at":"now"},
        {"ID":2,"state":null,"part":{"flag":"true"},"sizes":[1, 2],"at":-1}]}"#;
    let list = read(&plan, body).unwrap();
    assert_eq!(
        texts(&list),
        [
            r#"{"state":null,"part":null,"sizes":null,"at":null}"#,
            r#"{"state":null,"part":{"flag":null},"sizes":[1,2],"at":"1969-12-31T23:59:59.999Z"}"#,
        ]
    );
    assert_eq!(list.mismatches, 5);
}

#[test]
fn objects_whose_names_are_not_kept_count_as_read() {
    let plan = plan(&["name"]);
    let list = read(&plan, r#"{"things":[{"ID":1,"name":"left out"},{"ID":2,"name":null}]}"#);
    let list = list.unwrap();
    assert_eq!(
        (texts(&list), list.ids.as_slice(), list.kept.as_slice()),
        (vec![r#"{"name":null}"#], &[1, 2][..], &[2][..])
    );
}

#[test]
fn link_leaves_a_gap_in_its_object() {
    let plan = plan(&["name", "parent", "state"]);
    let body = r#"{"things":[{"ID":1,"parent":7},{"ID":2,"parent":0},{"ID":3,"parent":9}]}"#;
    let list = read(&plan, body).unwrap();
    let (text, gaps, start) = list.texts[0].object(2);
    assert_eq!(text, br#"{"name":null,"parent":,"state":null}"#);
    assert_eq!(gaps, [Gap { at: start + 22, link: 0, id: 9 }]);
    assert_eq!(list.texts[0].object(1).1, []);
    assert_eq!(list.texts[0].gaps_of(2).len(), 1);
    assert_eq!((plan.links(0)[0].target.as_str(), plan.links(0)[0].path.len()), ("Thing", 1));
}

#[test]
fn malformed_bodies_are_refused() {
    let plan = plan(&["name", "state"]);
    for body in [
        "",
        "[]",
        "{}",
        r#"{"things":{}}"#,
        r#"{"things":[7]}"#,
        r#"{"things":[{}]}"#,
        r#"{"things":[{"ID":"1"}]}"#,
        r#"{"things":[{"ID":1.5}]}"#,
        r#"{"things":[{"ID":null}]}"#,
        r#"{"things":[{"ID":99999999999999999999}]}"#,
        r#"{"things":[{"ID":1,"name":7}]}"#,
        r#"{"things":[{"ID":1,"ID":1}]}"#,
        r#"{"things":[{"ID":1,"x":NaN}]}"#,
        r#"{"things":[{"ID":1,"state":"\ud800"}]}"#,
        r#"{"things":[{"ID":1}]"#,
        r#"{"things":[{"ID":1}]}{}"#,
        r#"{"things":[{"ID":1},{"ID":2},{"ID":3},{"ID":4}]}"#,
    ] {
        assert!(read(&plan, body).is_err(), "{body}");
    }
}

#[test]
fn text_above_its_largest_size_is_not_kept() {
    let names: Vec<&str> = std::iter::repeat_n("name", 1_000).collect();
    let plan = plan(&names);
    let body = r#"{"things":[{"ID":1,"name":"a long name"}]}"#;
    let whole = 1_000 * r#""name":"a long name","#.len();
    assert!(!read_within(&plan, body, whole + 1).unwrap().is_too_large);
    let cut = read_within(&plan, body, whole / 2).unwrap();
    assert!(cut.is_too_large && cut.texts.is_empty());
}

#[test]
fn key_differs_with_the_selection() {
    let keys = [&["name"][..], &["name", "state"], &["state", "name"], &["part"]];
    let keys: std::collections::BTreeSet<_> =
        keys.iter().map(|names| plan(names).key().to_owned()).collect();
    assert_eq!(keys.len(), 4);
}

/// A type with every kind of text, once with its members in a group.
fn described_by_words() -> Types {
    let words = Arc::new(Words { known: vec![("On".into(), "ON".into())], unknown: "ODD".into() });
    let fields = vec![
        field("ID", Kind::GlobalId),
        field("name", Kind::RequiredText),
        field("uuid", Kind::Uuid),
        field("state", Kind::Enum(words.clone())),
        FieldType {
            name: "stateText".to_owned(),
            member: "state".to_owned(),
            kind: Kind::EnumText(words),
        },
        field("at", Kind::Date),
        field("count", Kind::SmallInteger),
        field("flag", Kind::Boolean),
        field("group", Kind::Group("Group".to_owned())),
    ];
    let identity = Identity {
        node: NodeKind::IntegrationServerTenant,
        id: "ID".to_owned(),
        name: "name".to_owned(),
    };
    let group = vec![field("a", Kind::Text), field("b", Kind::Text)];
    Types(vec![
        ObjectType { name: "Thing".to_owned(), fields, identity: Some(identity) },
        ObjectType { name: "Group".to_owned(), fields: group, identity: None },
    ])
}

fn plan_by_words(names: &[&str]) -> Plan {
    let mut selection = selected(names);
    for field in &mut selection {
        if field.name == "group" {
            field.below = selected(&["a"]);
        }
    }
    Plan::new(&described_by_words(), "Thing", &[&selection]).unwrap()
}

/// Projects one object of plain text, whose members are given by name.
fn plain(names: &[&str], members: &[(&str, &str)]) -> String {
    let plan = plan_by_words(names);
    let value = |name: &String| {
        let found = members.iter().find(|(member, _)| member == name);
        found.map(|(_, text)| (*text).to_owned())
    };
    let values: Vec<_> = plan.members().iter().map(value).collect();
    let date = |text: &str| (text == "soon").then(|| crate::clock::Timestamp::from_millis(0));
    let objects = PlainObjects { plan: &plan, place: Uuid::nil(), largest: 10_000, date: &date };
    let projected = objects.project([values.iter().map(Option::as_deref)]);
    assert!(!projected.is_too_large);
    String::from_utf8(projected.texts[0].first(1).to_vec()).unwrap()
}

#[test]
fn plain_text_becomes_the_value_of_its_kind() {
    let all = ["name", "uuid", "state", "stateText", "at", "count", "flag", "group"];
    assert_eq!(
        plain(&all, &[("ID", "1")]),
        r#"{"name":"","uuid":null,"state":null,"stateText":null,"at":null,"count":null,"#
            .to_owned()
            + r#""flag":null,"group":null}"#
    );
    let members = [
        ("name", "a \"b\""),
        ("uuid", "345AE5D6-EEB7-4635-884A-01AC1781DEEB"),
        ("state", " oN "),
        ("at", "soon"),
        ("count", " 7 "),
        ("flag", "true"),
        ("b", "unselected"),
    ];
    assert_eq!(
        plain(&all, &members),
        r#"{"name":"a \"b\"","uuid":"345ae5d6-eeb7-4635-884a-01ac1781deeb","state":"ON","#
            .to_owned()
            + r#""stateText":"On","at":"1970-01-01T00:00:00.000Z","count":7,"flag":true,"#
            + r#""group":{"a":null}}"#
    );
    let odd = "odd ".repeat(50);
    let members = [("uuid", "7"), ("state", odd.as_str()), ("at", "1"), ("flag", "yes")];
    let names = ["uuid", "state", "stateText", "at", "flag"];
    assert_eq!(
        plain(&names, &members),
        format!(
            r#"{{"uuid":null,"state":"ODD","stateText":"{}","at":null,"flag":null}}"#,
            &odd[..100]
        )
    );
}

#[test]
fn plans_of_all_members_read_the_same_whatever_is_selected() {
    let members = |names: &[&str]| {
        let plan = Plan::of_all_members(&described_by_words(), "Thing", &[&selected(names)]);
        plan.unwrap().members().to_vec()
    };
    let all = ["ID", "name", "uuid", "state", "at", "count", "flag", "a", "b"];
    assert_eq!(members(&["flag", "uuid"]), all);
    assert_eq!(members(&["name"]), all);
}

#[test]
fn json_has_the_same_kinds() {
    let plan = plan_by_words(&["name", "uuid", "state", "stateText", "group"]);
    let body = r#"{"things":[
        {"ID":1},
        {"ID":2,"name":"c","uuid":"345AE5D6-EEB7-4635-884A-01AC1781DEEB","state":"on","a":"d"},
        {"ID":3,"uuid":7,"state":"","b":null}]}"#;
    let list = read(&plan, body).unwrap();
    let none = r#"{"name":"","uuid":null,"state":null,"stateText":null,"group":null}"#;
    let third = r#"{"name":"","uuid":null,"state":"ODD","stateText":null,"group":null}"#;
    let second = r#"{"name":"c","uuid":"345ae5d6-eeb7-4635-884a-01ac1781deeb","state":"ODD","#;
    let second = second.to_owned() + r#""stateText":"On","group":{"a":"d"}}"#;
    assert_eq!(texts(&list), [none, &second, third]);
}

#[test]
fn plain_text_above_its_largest_size_is_cut_off() {
    let plan = plan_by_words(&["name"]);
    let date = |_: &str| None;
    let objects = PlainObjects { plan: &plan, place: Uuid::nil(), largest: 40, date: &date };
    let object = [Some("1".to_owned()), Some("twenty characters!!!".to_owned())];
    let projected = objects.project([&object; 2].map(|object| object.iter().map(Option::as_deref)));
    assert!(projected.is_too_large);
    assert_eq!(projected.texts[0].first(1), br#"{"name":"twenty characters!!!"}"#);
}

proptest! {
    /// For any value of a member the text is one JSON object with the selected fields.
    #[test]
    fn text_is_json(value in "[\\PC\"\\\\u0-9\\[\\]{}:,. -]{0,24}", text in any::<String>()) {
        let plan = plan(&["state", "name", "part", "sizes"]);
        let text = serde_json::Value::from(text);
        for value in [value, text.to_string()] {
            let body = format!(r#"{{"things":[{{"ID":1,"name":{text},"state":{value}}}]}}"#);
            if let Ok(list) = read(&plan, &body) {
                for written in texts(&list) {
                    let object: serde_json::Value = serde_json::from_str(written).unwrap();
                    prop_assert_eq!(object.as_object().unwrap().len(), 4);
                    prop_assert_eq!(&object["name"], &text);
                }
            }
        }
    }
}
