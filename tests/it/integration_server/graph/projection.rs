//! Projected text against the resolvers: `nodes(ids)` resolves each object field by field, lists
//! write what the server sent as text.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use serde_json::value::RawValue;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;

use super::House;
use crate::support::{Caller, both_databases};

/// The number of lists that are compared for each type and database.
const LISTS: usize = 24;

/// A type of objects, and what its server sends.
struct Subject {
    ty: &'static str,
    list: &'static str,
    item: &'static str,
    fields: &'static [&'static str],
    attributes: &'static [&'static str],
    children: &'static [&'static str],
}

const SUBJECTS: [Subject; 2] = [
    Subject {
        ty: "IntegrationServerVirtualMachine",
        list: "virtualMachines",
        item: "vm",
        fields: &[
            "__typename",
            "id",
            "remoteID",
            "biosID",
            "name",
            "userData",
            "createdAt",
            "created",
            "updatedAt",
            "updated",
            "... on Node { id }",
        ],
        attributes: &["biosId", "created", "updated", "other"],
        children: &["name", "userData", "other"],
    },
    Subject {
        ty: "IntegrationServerTenant",
        list: "tenants",
        item: "tenant",
        fields: &[
            "__typename",
            "id",
            "remoteID",
            "name",
            "description",
            "userData",
            "status",
            "statusText",
            "type",
            "typeText",
            "administrationServer { id remoteID administrator }",
            "administrationServer { administrator }",
            "administrationServer { __typename }",
            "createdAt",
            "updated",
        ],
        attributes: &["created", "updated", "other"],
        children: &["name", "description", "userData", "status", "type", "vKsc", "other"],
    },
];

/// Text as a server could write it: words, dates, UUIDs, entities, other scripts, nothing.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("  ".to_owned()),
        Just("2024-03-01T09:15:00".to_owned()),
        Just("2024-03-01T09:15:00.1234567+02:00".to_owned()),
        Just("9999-12-31T23:59:59".to_owned()),
        Just("01.03.2024".to_owned()),
        Just("345AE5D6-EEB7-4635-884A-01AC1781DEEB".to_owned()),
        Just("345AE5D6EEB74635884A01AC1781DEEB".to_owned()),
        prop::sample::select(&["Active", " INACTIVE ", "complete", "Simple", "Paused"][..])
            .prop_map(str::to_owned),
        Just("long ".repeat(40)),
        Just("&lt;a b=&quot;1&quot;/&gt;&amp;&#x41;".to_owned()),
        "[ -%'-;=?-~é€\u{1F600}]{0,8}".prop_map(|text| text.replace('"', "'")),
    ]
}

fn child(name: &'static str) -> BoxedStrategy<String> {
    if name != "vKsc" {
        let plain = text().prop_map(move |text| format!("<{name}>{text}</{name}>"));
        let inner = text().prop_map(move |text| {
            format!("<{name}><!-- a --><x>y</x>{text}<![CDATA[<c>]]></{name}>")
        });
        return prop_oneof![3 => plain, 1 => inner, 1 => Just(format!("<{name}/>"))].boxed();
    }
    let user = prop::collection::vec(text(), 0..3).prop_map(|names| {
        names.iter().map(|name| format!("<user><name>{name}</name></user>")).collect::<String>()
    });
    let id = prop::option::of(prop::sample::select(&["7", " 8 ", "", "AB&amp;C"][..]));
    (id, user)
        .prop_map(|(id, user)| match id {
            Some(id) => format!("<vKsc id=\"{id}\">{user}<user/></vKsc>"),
            None => format!("<vKsc>{user}</vKsc>"),
        })
        .boxed()
}

/// An object of a list, without its identifier: attributes and children, some of them twice.
fn object(subject: &'static Subject) -> impl Strategy<Value = (String, String)> {
    let attributes = prop::collection::btree_map(
        prop::sample::select(subject.attributes),
        text(),
        0..subject.attributes.len(),
    );
    let attributes = attributes.prop_map(|attributes| {
        attributes.iter().map(|(name, text)| format!(" {name}=\"{text}\"")).collect::<String>()
    });
    let children = prop::collection::vec(
        prop::sample::select(subject.children).prop_flat_map(child),
        0..subject.children.len() + 2,
    );
    (attributes, children.prop_map(|children| children.concat()))
}

fn selection(subject: &'static Subject) -> impl Strategy<Value = String> {
    let field = (prop::sample::select(subject.fields), prop::option::of("[a-c]"));
    let field = field.prop_map(|(field, alias)| match alias {
        Some(alias) if !field.starts_with('.') => format!("{alias}{}: {field}", field.len()),
        _ => field.to_owned(),
    });
    prop::collection::vec(field, 1..6).prop_map(|fields| fields.join(" "))
}

/// The items of a list in the data, as they were sent.
fn items(answer: &str, path: &[&str]) -> Vec<String> {
    let mut raw: &RawValue = serde_json::from_str(answer).unwrap();
    for name in ["data"].iter().chain(path) {
        let members: HashMap<String, &RawValue> = serde_json::from_str(raw.get())
            .unwrap_or_else(|error| panic!("{name}: {error}: {answer}"));
        raw = members[*name];
    }
    let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap();
    items.into_iter().map(|item| item.get().to_owned()).collect()
}

async fn compare(house: &House, caller: &Caller, subject: &'static Subject) {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let Subject { ty, list, item, .. } = subject;
    let mut compared = 0;
    for _ in 0..LISTS {
        let selected = selection(subject).new_tree(&mut runner).unwrap().current();
        let objects = prop::collection::vec(object(subject), 1..4);
        let objects = objects.new_tree(&mut runner).unwrap().current();
        let objects: String = (1..)
            .zip(&objects)
            .map(|(id, (attributes, children))| {
                format!("<{item} id=\" T-{id} \"{attributes}>{children}</{item}>")
            })
            .collect();
        let text = format!("<?xml version=\"1.0\"?><{item}s>{objects}</{item}s>");
        house.server.order_always(Calls::all(), Fault::Rubbish { text: text.clone() });
        let ask = async |document: &str| caller.ask(document, json!({})).await;
        let ids = format!("{{ integrationServer {{ {list} {{ nodes {{ id }} }} }} }}");
        let ids = ask(&ids).await.field("integrationServer")[list]["nodes"].clone();
        let ids: Vec<&str> =
            ids.as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect();
        let document = format!("{{ nodes(ids: {ids:?}) {{ ... on {ty} {{ {selected} }} }} }}");
        let resolved = items(&ask(&document).await.text, &["nodes"]);
        let document = format!(
            "{{ integrationServer {{ {list} {{ x: nodes {{ {selected} }} \
            edges {{ n: node {{ {selected} }} }} }} }} }}"
        );
        let listed = ask(&document).await.text;
        let nodes = items(&listed, &["integrationServer", list, "x"]);
        assert_eq!(nodes, resolved, "{selected}: {text}");
        let edges = items(&listed, &["integrationServer", list, "edges"]);
        let nodes: Vec<_> = nodes.iter().map(|node| format!("{{\"n\":{node}}}")).collect();
        assert_eq!(edges, nodes, "{selected}: {text}");
        compared += resolved.iter().map(String::len).sum::<usize>();
        house.server.clear_orders();
    }
    assert!(compared > 1_000, "{ty}: the selections are not empty");
}

both_databases! {
    async fn projected_objects_are_those_of_the_resolvers(house: House) {
        compare(&house, &house.north, &SUBJECTS[0]).await;
        compare(&house, &house.partner, &SUBJECTS[1]).await;
    }
}
