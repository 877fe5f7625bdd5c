//! The baseline of a query: the smallest resolver with async-graphql, axum, reqwest and typed serde
//! that answers the same queries from a Deep Security manager. Rows that have the same policy wait
//! for one read of it. No tenants, tokens, limits or logs.

use std::collections::HashMap;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Arc, Mutex};

use async_graphql::{
    ComplexObject, Context, EmptyMutation, EmptySubscription, ID, Object, Request, Schema,
    SimpleObject,
};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use axum::serve::ListenerExt;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::sync::OnceCell;

use crate::gateway::Server;

/// The manager's address and key; set only in the process that runs this baseline.
const ROLE: &str = "TENANT_GATEWAY_RESOLVER_FLOOR";

struct Manager {
    url: String,
    key: String,
    http: reqwest::Client,
}

#[derive(Deserialize, SimpleObject)]
#[graphql(complex)]
#[serde(rename_all = "camelCase")]
struct Computer {
    #[serde(rename = "ID")]
    #[graphql(name = "id")]
    id: i32,
    host_name: Option<String>,
    display_name: Option<String>,
    description: Option<String>,
    platform: Option<String>,
    #[serde(rename = "lastIPUsed")]
    #[graphql(name = "lastIPUsed")]
    last_ip_used: Option<String>,
    agent_version: Option<String>,
    #[serde(rename = "policyID")]
    #[graphql(skip)]
    policy_id: Option<i32>,
}

#[derive(Clone, Deserialize, SimpleObject)]
struct Policy {
    name: String,
}

#[ComplexObject]
impl Computer {
    async fn policy(&self, ctx: &Context<'_>) -> async_graphql::Result<Option<Policy>> {
        let Some(id) = self.policy_id.filter(|id| *id != 0) else { return Ok(None) };
        let Manager { url, key, http } = &**ctx.data_unchecked::<Arc<Manager>>();
        let policy = ctx.data_unchecked::<Policies>().cell(id);
        let read = async || {
            let call = http.get(format!("{url}/policies/{id}")).header("api-version", "v1");
            answer(call.header("api-secret-key", key)).await
        };
        Ok(Some(policy.get_or_try_init(read).await?.clone()))
    }
}

/// The policies of a request. Not a loader of batches: it sends a batch a millisecond after the
/// first row asked, so that over several connections a policy is read again for later rows.
#[derive(Default)]
struct Policies(Mutex<HashMap<i32, Arc<OnceCell<Policy>>>>);

impl Policies {
    fn cell(&self, id: i32) -> Arc<OnceCell<Policy>> {
        self.0.lock().expect("nothing panics").entry(id).or_default().clone()
    }
}

#[derive(Deserialize, SimpleObject)]
struct Computers {
    #[serde(rename = "computers")]
    nodes: Vec<Computer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Search {
    max_items: i32,
    #[serde(rename = "sortByObjectID")]
    sort_by_object_id: bool,
}

struct Query;

#[Object]
impl Query {
    async fn computers(&self, ctx: &Context<'_>, first: i32) -> async_graphql::Result<Computers> {
        let Manager { url, key, http } = &**ctx.data_unchecked::<Arc<Manager>>();
        let call =
            http.post(format!("{url}/computers/search?expand=none")).header("api-version", "v1");
        let call = call
            .header("api-secret-key", key)
            .json(&Search { max_items: first, sort_by_object_id: true });
        answer(call).await
    }

    async fn computer(&self, ctx: &Context<'_>, id: ID) -> async_graphql::Result<Computer> {
        let Manager { url, key, http } = &**ctx.data_unchecked::<Arc<Manager>>();
        let call =
            http.get(format!("{url}/computers/{}?expand=none", *id)).header("api-version", "v1");
        answer(call.header("api-secret-key", key)).await
    }
}

async fn answer<T: serde::de::DeserializeOwned>(
    call: reqwest::RequestBuilder,
) -> async_graphql::Result<T> {
    let answer = async { call.send().await?.error_for_status()?.json().await };
    answer.await.map_err(|error: reqwest::Error| async_graphql::Error::new(error.to_string()))
}

type Floor = Schema<Query, EmptyMutation, EmptySubscription>;

async fn graphql(State(schema): State<Floor>, body: Bytes) -> impl IntoResponse {
    let request: Request = serde_json::from_slice(&body).expect("a request of the benchmark");
    let request = request.data(Policies::default());
    let answer = serde_json::to_vec(&schema.execute(request).await).expect("an answer is JSON");
    ([(CONTENT_TYPE, "application/json")], answer)
}

pub fn role() -> Option<String> {
    std::env::var(ROLE).ok()
}

/// Starts the baseline in front of a manager.
pub fn start(url: &str, key: &str) -> Server {
    let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
    command.env(ROLE, format!("{url} {key}"));
    command.stdout(Stdio::piped()).stderr(Stdio::inherit());
    Server::spawn_and_read(command)
}

/// Serves until killed; prints its address first.
#[tokio::main]
pub async fn serve(role: &str) -> ExitCode {
    let (url, key) = role.split_once(' ').expect("two words");
    let (url, key) = (url.to_owned(), key.to_owned());
    let manager = Arc::new(Manager { url, key, http: reqwest::Client::new() });
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription).data(manager).finish();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("it is open"));
    let router = Router::new().route("/graphql", post(graphql)).with_state(schema);
    axum::serve(listener, router).await.expect("it serves until killed");
    ExitCode::SUCCESS
}
