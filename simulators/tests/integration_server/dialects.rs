use roxmltree::{Document, Node};
use tenant_gateway_simulators::integration_server::{
    Accepted, Dialect, Errors, Fate, Progress, Results, Simulator, TaskKind, TenantSeed,
};

use crate::support::*;

/// The facts that are equal in every dialect.
const USER_DATA: &str = "{\"a\": [1, 2], \"b\": \"]]> <tenant id='1'/> & \r\n\u{e9}\u{4e2d}\"}";

async fn speaking(dialect: Dialect) -> (Simulator, Client) {
    let odd =
        TenantSeed::simple("ООО «Ромашка» & R&D <север>").user_data(USER_DATA).description("");
    let simulator = start(config().dialect(dialect).tenant(odd)).await;
    let client = Client::new(&simulator);
    (simulator, client)
}

/// Parses a document of that dialect: decodes it and expects it well-formed.
async fn document(client: &Client, dialect: &Dialect, path: &str) -> String {
    let response = client.request("GET", path).send().await.unwrap();
    let content_type =
        response.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(content_type.unwrap_or_default(), dialect.content_type);
    let text = decoded(dialect, &response.bytes().await.unwrap());
    Document::parse(&text).unwrap_or_else(|error| panic!("{}: {error}: {text}", dialect.name));
    text
}

/// The fields read of each list item.
fn items<T>(list: &str, name: &str, read: impl Fn(Node) -> T) -> Vec<T> {
    with(list, |root| {
        root.children().filter(|node| node.tag_name().name() == name).map(read).collect()
    })
}

/// The text of a child element, by local name.
fn field(node: Node, name: &str) -> String {
    let child = node.children().find(|child| child.tag_name().name() == name);
    child
        .into_iter()
        .flat_map(|child| child.children())
        .filter(Node::is_text)
        .filter_map(|node| node.text())
        .collect()
}

#[tokio::test]
async fn every_dialect_is_well_formed_and_says_the_same() {
    for dialect in Dialect::ALL {
        let (simulator, client) = speaking(dialect).await;
        let tenants = document(&client, &dialect, "/tenants").await;
        let mut named = items(&tenants, "tenant", |tenant| {
            (
                field(tenant, "name"),
                field(tenant, "userData"),
                field(tenant, "status").trim().to_owned(),
            )
        });
        let expected = [
            ("Contoso Retail", "a]]>b", "Active"),
            ("Fabrikam Energy", "", "Inactive"),
            ("ООО «Ромашка» & R&D <север>", USER_DATA, "Active"),
        ];
        let expected = expected
            .map(|(name, data, status)| (name.to_owned(), data.to_owned(), status.to_owned()));
        assert_eq!(named[0] == expected[2], dialect.newest_first);
        named.sort();
        assert_eq!(named, expected, "{}", dialect.name);
        let machines = format!("/tenants/{}/vms", simulator.tenant("Contoso Retail").id);
        let machines = document(&client, &dialect, &machines).await;
        let mut machines = items(&machines, "vm", |machine| field(machine, "name"));
        machines.sort();
        assert_eq!(machines, ["web-01", "web-02"]);
    }
}

#[tokio::test]
async fn list_of_one_may_be_bare() {
    for dialect in Dialect::ALL {
        let (simulator, client) = speaking(dialect).await;
        simulator.add_task("DeployScanServer");
        let list = document(&client, &dialect, "/tasks").await;
        assert_eq!(with(&list, |root| root.tag_name().name() == "task"), dialect.bare_single);
        let none = document(&client, &dialect, "/tasks?type=None").await;
        assert_eq!(with(&none, |root| root.tag_name().name().to_owned()), dialect.wrappers[2]);
    }
}

#[tokio::test]
async fn every_dialect_tells_of_a_task_in_its_own_way() {
    for dialect in Dialect::ALL {
        let (simulator, client) = speaking(dialect).await;
        let response = client.request("POST", "/tenants").body(SIMPLE).send().await.unwrap();
        assert_eq!(response.status(), 202);
        let task = simulator.found_tasks()[0].id.clone();
        let location =
            response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        let body = decoded(&dialect, &response.bytes().await.unwrap()).to_lowercase();
        let told = body.contains(&task);
        let located = location.is_some_and(|location| location.ends_with(&task));
        let expected = match dialect.accepted {
            Accepted::Nothing => (false, false),
            Accepted::Location => (false, true),
            _ => (true, false),
        };
        assert_eq!((told, located), expected, "{}", dialect.name);
        assert_eq!(
            body.is_empty(),
            matches!(dialect.accepted, Accepted::Nothing | Accepted::Location)
        );
    }
}

#[tokio::test]
async fn every_dialect_tells_the_result_of_a_creation() {
    for dialect in Dialect::ALL {
        let (simulator, client) = speaking(dialect).await;
        client.request("POST", "/tenants").body(SIMPLE).send().await.unwrap();
        simulator.advance(LONG);
        let id = simulator.found_tenant("Labs").unwrap().id;
        let task =
            document(&client, &dialect, &format!("/tasks/{}", simulator.found_tasks()[0].id)).await;
        with(&task, |root| {
            let result = root.children().find(|node| node.tag_name().name() == "result").unwrap();
            let inner = field(root, "result");
            match dialect.results {
                Results::Element => {
                    let tenant =
                        result.children().find(|node| node.tag_name().name() == "tenant").unwrap();
                    assert!(tenant.attribute("id").unwrap().eq_ignore_ascii_case(&id));
                }
                Results::Escaped | Results::Cdata => {
                    assert!(attribute(&inner, "id").eq_ignore_ascii_case(&id));
                }
                Results::Identifier => assert_eq!(inner.trim(), id),
            }
        });
    }
}

#[tokio::test]
async fn every_dialect_tells_errors_of_tasks_and_how_far_they_are() {
    for dialect in Dialect::ALL {
        let (simulator, client) = speaking(dialect).await;
        simulator.order_task(
            TaskKind::CreateTenant,
            Fate::Fails { code: "VIRMT_X".to_owned(), after: 3 },
            1,
        );
        client.request("POST", "/tenants").body(COMPLETE).send().await.unwrap();
        simulator.advance(LONG);
        let task =
            document(&client, &dialect, &format!("/tasks/{}", simulator.found_tasks()[0].id)).await;
        with(&task, |root| {
            let error = root.children().find(|node| node.tag_name().name() == "error").unwrap();
            let attributes = error.attributes().map(|attribute| attribute.value().to_owned());
            let texts = error
                .descendants()
                .filter(Node::is_text)
                .filter_map(|node| node.text())
                .map(str::to_owned);
            assert!(
                attributes.chain(texts).any(|said| said.contains("VIRMT_X")),
                "{}",
                dialect.name
            );
            assert_eq!(field(root, "state").trim(), "Failed");
            let progress = match dialect.progress {
                Progress::Whole => "50",
                Progress::Fraction => "50.0",
                Progress::Percent => "50%",
                Progress::Absent => "",
            };
            assert_eq!(field(root, "progress").trim(), progress);
        });
    }
}

#[tokio::test]
async fn every_dialect_has_its_word_for_canceled() {
    for dialect in Dialect::ALL {
        let (simulator, client) = speaking(dialect).await;
        client.request("POST", "/tenants").body(SIMPLE).send().await.unwrap();
        let task = simulator.found_tasks()[0].id.clone();
        assert_eq!(
            client.request("POST", &format!("/tasks/{task}/cancel")).send().await.unwrap().status(),
            200
        );
        let shown = document(&client, &dialect, &format!("/tasks/{task}")).await;
        assert_eq!(with(&shown, |root| field(root, "state").trim().to_owned()), dialect.canceled);
        let listed =
            document(&client, &dialect, &format!("/tasks?state={}", dialect.canceled)).await;
        assert!(listed.to_lowercase().contains(&task));
    }
}

#[tokio::test]
async fn every_dialect_has_its_shape_of_errors() {
    for dialect in Dialect::ALL {
        let (_simulator, client) = speaking(dialect).await;
        let response = client.request("GET", "/tenants/nobody").send().await.unwrap();
        assert_eq!(response.status(), 404);
        let bytes = response.bytes().await.unwrap();
        let is_xml = matches!(dialect.errors, Errors::CodeAndMessage | Errors::Namespaced);
        let text = if is_xml {
            decoded(&dialect, &bytes)
        } else {
            String::from_utf8(bytes.to_vec()).unwrap()
        };
        assert_eq!(
            text.contains("VIRMT_TenantWithSpecifiedIdNotFound"),
            dialect.errors != Errors::Empty,
            "{text}"
        );
        assert_eq!(text.is_empty(), dialect.errors == Errors::Empty);
        assert!(!is_xml || Document::parse(&text).is_ok());
    }
}

#[tokio::test]
async fn changes_answer_with_the_thing_or_with_nothing() {
    for dialect in Dialect::ALL {
        let (simulator, client) = speaking(dialect).await;
        let path = format!("/tenants/{}/vms/register", simulator.tenant("Contoso Retail").id);
        let body = "<vm biosId='345AE5D6-eeb7-4635-884a-01ac1781deeb'><name>db-01</name></vm>";
        let response = client.request("POST", &path).body(body).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let text = decoded(&dialect, &response.bytes().await.unwrap());
        assert_eq!(
            text.contains("345AE5D6-eeb7-4635-884a-01ac1781deeb"),
            dialect.echoes,
            "{}",
            dialect.name
        );
        assert_eq!(text.is_empty(), !dialect.echoes);
    }
}

#[test]
fn dialect_is_found_by_its_name() {
    for dialect in Dialect::ALL {
        assert_eq!(dialect.name.parse(), Ok(dialect));
    }
    assert!("unheard".parse::<Dialect>().is_err_and(|error| error.contains("documented, terse")));
}
