//! A client of the gateway as its program sees it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use form_urlencoded::Serializer;
use serde_json::{Value, json};

use super::{Answer, notes};

/// The credentials of a client.
#[derive(Clone)]
pub struct Credentials {
    pub id: String,
    pub client_id: String,
    pub secret: String,
}

impl Credentials {
    /// Reads the payload of `createClient` or of a rotation that selected `CREDENTIALS`.
    pub fn of(new_client: &Value) -> Self {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let client = &new_client["client"];
        let secret = text(&new_client["clientSecret"]);
        Self { id: text(&client["id"]), client_id: text(&client["clientID"]), secret }
    }

    /// The `Authorization` header with these credentials.
    pub fn basic(&self) -> String {
        let pair = STANDARD.encode(format!("{}:{}", self.client_id, self.secret));
        notes::note(&self.secret);
        notes::note(&pair);
        format!("Basic {pair}")
    }
}

/// The selection that [`Credentials::of`] reads.
pub const CREDENTIALS: &str = "{ client { id clientID } clientSecret }";

/// A gateway at an address.
#[derive(Clone)]
pub struct Gateway {
    pub url: String,
    /// The origin of its pages, as browsers name it.
    pub origin: String,
    pub http: reqwest::Client,
}

impl Gateway {
    /// The gateway at that URL, which browsers know by its public URL if it has one.
    pub fn at(url: &str, public_url: Option<&str>) -> Self {
        let public = url::Url::parse(public_url.unwrap_or(url)).expect("a URL");
        let origin = public.origin().ascii_serialization();
        Self { url: url.to_owned(), origin, http: reqwest::Client::new() }
    }

    /// A request to the token endpoint without credentials.
    pub fn token_request(&self, form: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let post = self.http.post(format!("{}/oauth2/token", self.url));
        post.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// Requests a token as the SDK does.
    pub async fn ask_token(&self, credentials: &Credentials) -> Answer {
        let request = self.token_request(&[("grant_type", "client_credentials")]);
        let sent = request.header("authorization", credentials.basic()).send().await;
        Answer::read(sent.expect("the gateway answers")).await
    }

    /// Requests a token; panics on an error.
    pub async fn token(&self, credentials: &Credentials) -> String {
        let answer = self.ask_token(credentials).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["access_token"].as_str().expect("a token").to_owned()
    }

    /// Whether the credentials are accepted by the token endpoint.
    pub async fn works(&self, credentials: &Credentials) -> bool {
        match self.ask_token(credentials).await {
            Answer { status: 200, .. } => true,
            Answer { status: 401, body, .. } => {
                assert_eq!(body["error"], "invalid_client");
                false
            }
            answer => panic!("{} {}", answer.status, answer.body),
        }
    }

    /// Builds a GraphQL request without sending it.
    pub fn graphql(&self, document: &str, variables: &Value) -> reqwest::RequestBuilder {
        let post = self.http.post(format!("{}/graphql", self.url));
        post.json(&json!({ "query": document, "variables": variables }))
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        Answer::read(request.send().await.expect("the gateway answers")).await
    }

    /// A caller with a token that was issued in another way.
    pub fn caller(&self, credentials: Credentials, token: String) -> Caller {
        Caller { gateway: self.clone(), credentials, token, tenant: None }
    }

    /// Acts with these credentials.
    pub async fn log_in(&self, credentials: Credentials) -> Caller {
        let token = self.token(&credentials).await;
        Caller { gateway: self.clone(), credentials, token, tenant: None }
    }
}

/// A caller with its token and tenant context.
#[derive(Clone)]
pub struct Caller {
    pub gateway: Gateway,
    pub credentials: Credentials,
    pub token: String,
    tenant: Option<String>,
}

impl Caller {
    pub fn id(&self) -> &str {
        &self.credentials.id
    }

    /// The same caller in the context of a tenant.
    pub fn within(&self, tenant: impl ToString) -> Self {
        Self { tenant: Some(tenant.to_string()), ..self.clone() }
    }

    /// The same caller at another node.
    pub fn at(&self, gateway: &Gateway) -> Self {
        Self { gateway: gateway.clone(), ..self.clone() }
    }

    /// The same caller with a new token.
    pub async fn again(&self) -> Self {
        Self { token: self.gateway.token(&self.credentials).await, ..self.clone() }
    }

    pub async fn ask(&self, document: &str, variables: Value) -> Answer {
        self.gateway.send(self.request(document, &variables)).await
    }

    /// Builds a request of this caller without sending it.
    pub fn request(&self, document: &str, variables: &Value) -> reqwest::RequestBuilder {
        let request = self.gateway.graphql(document, variables).bearer_auth(&self.token);
        match &self.tenant {
            Some(tenant) => request.header("X-Tenant-Context", tenant),
            None => request,
        }
    }

    /// The status of any request of this caller.
    pub async fn status(&self) -> u16 {
        self.ask("{ __typename }", json!({})).await.status
    }

    /// Creates a client through the API.
    pub async fn create(&self, name: &str, roles: &[&str]) -> Credentials {
        let document = format!(
            "mutation($name: String!, $roles: [ID!]) {{ createClient(name: $name, roles: $roles) \
            {CREDENTIALS} }}"
        );
        Credentials::of(
            &self
                .ask(&document, json!({ "name": name, "roles": roles }))
                .await
                .field("createClient"),
        )
    }

    /// Rotates a secret through the API.
    pub async fn rotate(&self, of: &Credentials, grace_seconds: i32) -> Credentials {
        let document = format!(
            "mutation($id: ID!, $grace: Int) {{ rotateClientSecret(id: $id, gracePeriodSeconds: \
            $grace) {CREDENTIALS} }}"
        );
        let answer = self.ask(&document, json!({ "id": of.id, "grace": grace_seconds })).await;
        Credentials::of(&answer.field("rotateClientSecret"))
    }

    /// One client with the fields asked for.
    pub async fn client(&self, id: &str, fields: &str) -> Value {
        let document = format!("query($id: ID!) {{ client(id: $id) {fields} }}");
        self.ask(&document, json!({ "id": id })).await.field("client")
    }
}
