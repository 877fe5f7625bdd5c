//! People who sign in.

mod authority;
mod command_line;
mod factors;
mod indexes;
mod links;
mod namesakes;
mod passwords;
mod subjects;
mod throttle;
mod throttle_rows;

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use tenant_gateway::auth::RequestId;
use tenant_gateway::ids::{SessionId, TenantId, UserId};
use tenant_gateway::names::Name;
use tenant_gateway::roles::Role;
use tenant_gateway::tokens::{Authentication, Issuer, KeyRing, Narrowing};
use tenant_gateway::users::{EmailAddress, NewUser, SignInOrigin};
use totp_rs::{Algorithm, Builder, Secret};

use crate::support::{Caller, Credentials, TestApp, notes};

/// A password that everybody in these tests has.
pub const PASSWORD: &str = "violet harbour copper 71";

/// A user whom an administrator invited.
pub struct Invitee {
    pub id: String,
    pub email: String,
    /// The token of the link.
    pub token: String,
}

impl Invitee {
    pub fn user(&self) -> UserId {
        self.id.parse().unwrap()
    }
}

fn unused_email() -> String {
    static NUMBERS: AtomicUsize = AtomicUsize::new(1);
    format!("person-{}@example.com", NUMBERS.fetch_add(1, Ordering::Relaxed))
}

/// Invites a person through the API, with these roles in the tenant of the caller.
pub async fn invited(administrator: &Caller, roles: &[Role]) -> Invitee {
    let email = unused_email();
    let roles: Vec<_> = roles.iter().map(|role| role.id()).collect();
    let document = "mutation($input: InviteUserInput!) {
        inviteUser(input: $input) { user { id } inviteURL } }";
    let input = json!({ "input": { "email": email, "name": "Ada Lovelace", "roles": roles } });
    let made = administrator.ask(document, input).await.field("inviteUser");
    let link = made["inviteURL"].as_str().unwrap();
    let (_, token) = link.split_once("/invite/").expect("the link of a page");
    let id = made["user"]["id"].as_str().unwrap().to_owned();
    Invitee { id, email, token: token.to_owned() }
}

/// Invites a person as the operator, with these roles in a tenant.
pub async fn invited_by_operator(app: &TestApp, tenant: TenantId, roles: &[Role]) -> Invitee {
    let email = unused_email();
    let new = NewUser {
        email: EmailAddress::parse("email", &email).unwrap(),
        name: Name::parse("name", "Ada Lovelace").unwrap(),
        roles: roles.to_vec(),
    };
    let made = app.operator.users.invite(&app.operator.scope(tenant), &new).await.unwrap();
    let token = made.token.expose().to_owned();
    notes::note(&token);
    Invitee { id: made.user.id().to_string(), email, token }
}

/// The network address of the people in these tests.
pub fn origin() -> SignInOrigin {
    origin_at("192.0.2.10")
}

pub fn origin_at(address: &str) -> SignInOrigin {
    let address: IpAddr = address.parse().unwrap();
    SignInOrigin { address, request_id: RequestId::parse("sign-in").unwrap() }
}

/// The code of an authenticator app with that key, at a moment in seconds.
pub fn code_at(key: &str, seconds: i64) -> String {
    let totp = Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(30)
        .with_secret(Secret::try_from_base32(key).unwrap())
        .build()
        .unwrap();
    totp.generate(u64::try_from(seconds).unwrap()).to_string()
}

/// A session that shows keys of authenticator apps.
pub fn session() -> SessionId {
    "6f0dd1c2-6d1a-4ef4-8f5e-1d2f7c0f3c11".parse().unwrap()
}

/// The token generation of a person, which a session has from its beginning.
pub async fn generation(app: &TestApp, user: UserId) -> i64 {
    app.operator.users.signed_in(user).await.unwrap().row.token_generation
}

/// Enrols an authenticator app. Returns its key and the recovery codes.
pub async fn enrol(app: &TestApp, user: UserId) -> (String, Vec<String>) {
    let enrolment = app.operator.users.begin_totp(user, session()).await.unwrap();
    notes::note(&enrolment.key);
    let code = code_at(&enrolment.key, app.now().seconds());
    let generation = generation(app, user).await;
    let codes =
        app.operator.users.confirm_totp((user, generation), &code, &origin()).await.unwrap();
    codes.expose().iter().for_each(|code| notes::note(code));
    (enrolment.key, codes.expose().to_vec())
}

/// A person with a token, as a caller of the API.
pub async fn signed_in(app: &TestApp, user: UserId) -> Caller {
    signed_in_narrowed(app, user, Narrowing::default()).await
}

/// The same with a token narrowed to a tenant or a scope.
pub async fn signed_in_narrowed(app: &TestApp, user: UserId, narrowing: Narrowing) -> Caller {
    let person = app.operator.users.signed_in(user).await.unwrap();
    let core = &app.operator.core;
    let config = app.database.config();
    let keys = KeyRing::open(core.rotation(&config), config.auth.access_cache_ttl).await.unwrap();
    let issuer = Issuer::new(
        keys.into(),
        core.time.clone(),
        core.environment.entropy.clone(),
        app.gateway.url.clone(),
        config.tokens.audience.clone(),
        config.tokens.lifetime,
    );
    let authentication =
        Authentication { auth_time: app.now(), methods: vec!["pwd".into(), "otp".into()] };
    let subject = person.subject();
    let issued = issuer.issue_to_user(&subject, "taegis-sdk", &narrowing, &authentication).await;
    let issued = issued.unwrap();
    notes::note(&issued.token);
    let nobody = Credentials {
        id: user.to_string(),
        client_id: "taegis-sdk".to_owned(),
        secret: String::new(),
    };
    app.gateway.caller(nobody, issued.token)
}

/// The audit records about a user, newest first: operation, outcome and reason.
pub async fn records(administrator: &Caller, user: &str) -> Vec<Value> {
    let document = "query($user: String!) { auditLog(subject: $user) {
        nodes { operation outcome actor } } }";
    let found = administrator.ask(document, json!({ "user": user })).await;
    found.field("auditLog")["nodes"].as_array().unwrap().clone()
}
