//! The baseline of a query: the smallest resolver with async-graphql, axum, reqwest and typed serde
//! that answers the same queries from a Deep Security manager. It reads each policy once in a
//! request, and has no tenants, tokens, limits or logs.

use std::collections::HashMap;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use async_graphql::dataloader::{DataLoader, Loader};
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
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

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
        ctx.data_unchecked::<DataLoader<Policies>>().load_one(id).await
    }
}

struct Policies(Arc<Manager>);

impl Loader<i32> for Policies {
    type Value = Policy;
    type Error = async_graphql::Error;

    async fn load(&self, ids: &[i32]) -> async_graphql::Result<HashMap<i32, Policy>> {
        let Manager { url, key, http } = &*self.0;
        let policies = ids.iter().map(async |id| {
            let call = http.get(format!("{url}/policies/{id}")).header("api-version", "v1");
            Ok::<_, async_graphql::Error>((*id, answer(call.header("api-secret-key", key)).await?))
        });
        Ok(try_join_all(policies).await?.into_iter().collect())
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

async fn graphql(
    State((schema, manager)): State<(Floor, Arc<Manager>)>,
    body: Bytes,
) -> impl IntoResponse {
    let request: Request = serde_json::from_slice(&body).expect("a request of the benchmark");
    let request = request.data(DataLoader::new(Policies(manager), tokio::spawn));
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
    let schema = Schema::build(Query, EmptyMutation, EmptySubscription).data(manager.clone());
    let schema = schema.finish();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    println!("{}", listener.local_addr().expect("an address"));
    let listener = listener.tap_io(|stream| stream.set_nodelay(true).expect("it is open"));
    let router = Router::new().route("/graphql", post(graphql)).with_state((schema, manager));
    axum::serve(listener, router).await.expect("it serves until killed");
    ExitCode::SUCCESS
}
