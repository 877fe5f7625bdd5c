//! An HTTP client without types of the simulator.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response};
use roxmltree::{Document, Node};
use tenant_gateway_simulators::clock::Clock;
use tenant_gateway_simulators::integration_server::{
    Config, Dialect, Encoding, Simulator, TaskTiming, TenantSeed,
};

/// 2024-03-01T09:15:00Z
pub const NOW: i64 = 1_709_284_500_000;
/// The duration of each state and stage.
pub const STEP: Duration = Duration::from_secs(10);
/// Longer than any task.
pub const LONG: Duration = Duration::from_hours(1);

pub const COMPLETE: &str = "<tenant><name>Northwind &amp; Söhne</name><description>retail</description>\
    <userData><![CDATA[crm=42]]></userData><preferredViisAddress>192.0.2.9</preferredViisAddress><type>Complete</type>\
    <vKsc><user><name>northwind-admin</name><password>R29vZC1QYXNzMQ==</password></user></vKsc></tenant>";
pub const SIMPLE: &str = "<tenant><name>Labs</name><type>Simple</type></tenant>";

/// A simulator with a Complete and a Simple tenant, whose clock stands still.
pub fn config() -> Config {
    Config::default()
        .clock(Clock::standing_at(NOW))
        .task_timing(TaskTiming::of(STEP))
        .tenant(
            TenantSeed::complete("Contoso Retail")
                .machines(2)
                .description("retail")
                .user_data("a]]>b"),
        )
        .tenant(TenantSeed::simple("Fabrikam Energy").machines(3).inactive())
}

pub async fn simulator() -> Simulator {
    start(config()).await
}

pub async fn start(config: Config) -> Simulator {
    Simulator::start(config).await.expect("a free port")
}

/// Calls with the simulator's account.
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    password: String,
}

impl Client {
    pub fn new(simulator: &Simulator) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build();
        let base_url = format!("{}/api/2.0/virtualization", simulator.base_url);
        Self { http: http.expect("a client"), base_url, password: simulator.password() }
    }

    /// A request without any header.
    pub fn bare(&self, method: &str, path: &str) -> RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        self.http.request(method, format!("{}{path}", self.base_url))
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.bare(method, path).basic_auth("multitenancy", Some(&self.password))
    }

    pub async fn call(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let request =
            self.request(method, path).header("content-type", "application/xml; charset=utf-8");
        taken(request.body(body.to_owned()).send().await.expect("an answer")).await
    }

    /// Requests any path without credentials.
    pub async fn http_get(&self, url: &str) -> u16 {
        self.http.get(url).send().await.expect("an answer").status().as_u16()
    }

    pub async fn get(&self, path: &str) -> (u16, String) {
        self.call("GET", path, "").await
    }

    pub async fn post(&self, path: &str, body: &str) -> (u16, String) {
        self.call("POST", path, body).await
    }

    /// A read that must succeed.
    pub async fn read(&self, path: &str) -> String {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    /// Starts a task in the documented dialect; returns its id.
    pub async fn start(&self, method: &str, path: &str, body: &str) -> String {
        let (status, body) = self.call(method, path, body).await;
        assert_eq!(status, 202, "{body}");
        attribute(&body, "id")
    }

    /// Starts a task and lets it end; returns its state and the text of its `error` or else its
    /// `result`.
    pub async fn outcome(
        &self,
        simulator: &Simulator,
        method: &str,
        path: &str,
        body: &str,
    ) -> (String, String) {
        let task = self.start(method, path, body).await;
        simulator.advance(LONG);
        let task = self.read(&format!("/tasks/{task}")).await;
        let said = if has(&task, "error") { text(&task, "error") } else { text(&task, "result") };
        (text(&task, "state"), said)
    }
}

pub async fn taken(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    (status, response.text().await.expect("a whole body"))
}

/// Parses a document, which must be well-formed.
pub fn with<T>(xml: &str, read: impl FnOnce(Node) -> T) -> T {
    read(
        Document::parse(xml.trim_start_matches('\u{FEFF}'))
            .unwrap_or_else(|error| panic!("{error}: {xml}"))
            .root_element(),
    )
}

/// All text of a direct child of the root.
pub fn text(xml: &str, name: &str) -> String {
    with(xml, |root| child_text(root, name))
}

pub fn child_text(node: Node, name: &str) -> String {
    let child = node
        .children()
        .find(|child| child.tag_name().name() == name)
        .expect("a child of that name");
    child.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect()
}

pub fn has(xml: &str, name: &str) -> bool {
    with(xml, |root| root.children().any(|child| child.tag_name().name() == name))
}

pub fn attribute(xml: &str, name: &str) -> String {
    with(xml, |root| root.attribute(name).expect("an attribute of that name").to_owned())
}

/// The names of a list's items.
pub fn names(xml: &str) -> Vec<String> {
    let items = ["tenant", "vm"];
    with(xml, |root| {
        let items = root.children().filter(|node| items.contains(&node.tag_name().name()));
        items.map(|item| child_text(item, "name")).collect()
    })
}

/// The identifiers of a list's items.
pub fn ids(xml: &str) -> Vec<String> {
    with(xml, |root| {
        root.children().filter_map(|node| node.attribute("id")).map(str::to_owned).collect()
    })
}

/// A body in the encoding of that dialect.
pub fn decoded(dialect: &Dialect, body: &[u8]) -> String {
    let units = |pair: fn([u8; 2]) -> u16| -> Vec<u16> {
        body.chunks_exact(2).map(|bytes| pair([bytes[0], bytes[1]])).collect()
    };
    let text = match dialect.encoding {
        Encoding::Utf8 | Encoding::Utf8Bom => String::from_utf8(body.to_vec()).expect("UTF-8"),
        Encoding::Utf16Bom => String::from_utf16(&units(u16::from_le_bytes)).expect("UTF-16"),
        Encoding::Utf16ByType => String::from_utf16(&units(u16::from_be_bytes)).expect("UTF-16"),
        Encoding::Latin1 => body.iter().copied().map(char::from).collect(),
    };
    text.trim_start_matches('\u{FEFF}').to_owned()
}
