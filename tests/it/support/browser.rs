//! A person's browser: it keeps cookies, follows no redirect by itself, and sends what browsers
//! send of their own accord.

use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_lc_rs::hmac::{HMAC_SHA1_FOR_LEGACY_USE_ONLY, Key, sign};
use form_urlencoded::Serializer;
use reqwest::header::HeaderMap;
use serde_json::Value;
use tenant_gateway::ids::TenantId;
use tenant_gateway::names::Name;
use tenant_gateway::roles::Role;
use tenant_gateway::users::{EmailAddress, NewUser};

use super::caller::Gateway;
use super::{Answer, TestApp, notes};

/// The password of every person in the tests.
pub const PASSWORD: &str = "quiet lantern over the harbour 7";

/// A page, read to its end.
pub struct Page {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Page {
    async fn read(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let text = response.text().await.expect("the page arrives");
        Self { status, headers, text }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header of text"))
    }

    /// The location of a redirect.
    pub fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{}", self.text);
        self.header("location").expect("a redirect leads somewhere")
    }

    /// The first heading.
    pub fn heading(&self) -> &str {
        let (_, rest) = self.text.split_once("<h1").expect("every page has a heading");
        let (_, rest) = rest.split_once('>').expect("a tag ends");
        rest.split_once('<').expect("a heading ends").0.trim()
    }

    /// The values of `Set-Cookie`.
    pub fn set_cookies(&self) -> Vec<String> {
        let lines = self.headers.get_all("set-cookie").iter();
        lines.map(|line| line.to_str().expect("text").to_owned()).collect()
    }
}

/// A browser at one gateway.
pub struct Browser {
    pub gateway: Gateway,
    cookies: Mutex<BTreeMap<String, String>>,
    http: reqwest::Client,
}

impl Browser {
    pub fn new(gateway: &Gateway) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            gateway: gateway.clone(),
            cookies: Mutex::default(),
            http: http.build().expect("a client without TLS"),
        }
    }

    /// The same browser at another node.
    pub fn at(&self, gateway: &Gateway) -> Self {
        let other = Self::new(gateway);
        *other.cookies.lock().unwrap() = self.cookies.lock().unwrap().clone();
        other
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    /// The header that carries all cookies.
    pub fn cookies(&self) -> String {
        let cookies = self.cookies.lock().unwrap();
        let pairs = cookies.iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("; ")
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Page {
        let request = request.header("cookie", self.cookies()).header("user-agent", "Test 1.0");
        let page = Page::read(request.send().await.expect("the gateway answers")).await;
        for line in page.set_cookies() {
            let (pair, attributes) = line.split_once(';').expect("cookies have attributes");
            let (name, value) = pair.split_once('=').expect("a cookie has a value");
            notes::note(value);
            let mut cookies = self.cookies.lock().unwrap();
            if attributes.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        page
    }

    pub async fn get(&self, path: &str) -> Page {
        let url = format!("{}{path}", self.gateway.url);
        self.send(self.http.get(url).header("sec-fetch-site", "none")).await
    }

    /// A form that is not yet sent, with the headers of a page of the gateway.
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let post = self.bare_form(path).body(body);
        post.header("origin", &self.gateway.origin).header("sec-fetch-site", "same-origin")
    }

    /// The same without a body, and as from no page at all.
    pub fn bare_form(&self, path: &str) -> reqwest::RequestBuilder {
        let post = self.http.post(format!("{}{path}", self.gateway.url));
        post.header("content-type", "application/x-www-form-urlencoded")
    }

    /// Fills in a form and sends it with its token.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf().await;
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        self.send(self.form(path, &fields)).await
    }

    /// The response of `/session`.
    pub async fn session(&self) -> Value {
        let page = self.get("/session").await;
        assert_eq!(page.status, 200, "{}", page.text);
        serde_json::from_str(&page.text).expect("JSON")
    }

    /// The token of its forms, which a browser has once it has opened a page.
    pub async fn csrf(&self) -> String {
        if self.cookie("__Host-csrf").is_none() {
            self.get("/login").await;
        }
        let token = self.session().await["csrfToken"].as_str().expect("a token").to_owned();
        notes::note(&token);
        token
    }

    /// A GraphQL request with the cookies, that is not yet sent.
    pub fn graphql(&self, document: &str) -> reqwest::RequestBuilder {
        self.gateway.graphql(document, &serde_json::json!({})).header("cookie", self.cookies())
    }

    /// Signs in by password and authenticator app; where it leads in the end.
    pub async fn sign_in(&self, app: &TestApp, person: &Person, return_to: &str) -> String {
        let first = self.password(person, return_to).await;
        let code = first.location().to_owned();
        assert!(code.starts_with("/login/code?"), "{code}");
        let fields = [("code", &*person.code(app)), ("return_to", return_to)];
        let second = self.post("/login/code", &fields).await;
        second.location().to_owned()
    }

    /// The first step of a sign-in.
    pub async fn password(&self, person: &Person, return_to: &str) -> Page {
        let fields = [("email", &*person.email), ("password", PASSWORD), ("return_to", return_to)];
        self.post("/login", &fields).await
    }
}

/// A person with an authenticator app.
pub struct Person {
    pub id: String,
    pub email: String,
    pub recovery_codes: Vec<String>,
    key: Vec<u8>,
}

impl Person {
    /// The code that the app shows. Each is good once: let time pass between two.
    pub fn code(&self, app: &TestApp) -> String {
        code_of(&self.key, app)
    }
}

/// The code that an app with that key shows.
pub fn code_of(key: &[u8], app: &TestApp) -> String {
    let step = u64::try_from(app.now().seconds()).unwrap() / 30;
    let key = Key::new(HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[tag.len() - 1] & 15);
    let word: [u8; 4] = tag[at..at + 4].try_into().unwrap();
    format!("{:06}", (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000)
}

/// Invites a person, without their following the link: the path of it.
pub async fn invite(app: &TestApp, tenant: TenantId, role: Role, email: &str) -> (String, String) {
    let new = NewUser {
        email: EmailAddress::read(email).expect("an address"),
        name: Name::parse("name", email).expect("a name"),
        roles: vec![role],
    };
    let invited = app.operator.users.invite(&app.operator.scope(tenant), &new).await.unwrap();
    let token = invited.token.expose().to_owned();
    notes::note(&token);
    (invited.user.id().to_string(), format!("/invite/{token}"))
}

/// Invites a person who then sets a password and an authenticator app, in a browser of theirs.
pub async fn enrol(app: &TestApp, tenant: TenantId, role: Role, email: &str) -> (Person, Browser) {
    let (id, path) = invite(app, tenant, role, email).await;
    let browser = Browser::new(&app.gateway);
    assert_eq!(browser.get(&path).await.heading(), "Set your password");
    let accepted = browser.post(&path, &[("password", PASSWORD)]).await;
    assert!(accepted.location().starts_with("/account/totp?"), "{}", accepted.location());
    let page = browser.get("/account/totp").await;
    assert_eq!(page.heading(), "Set up an authenticator app", "{}", page.text);
    let key = key_of(&page.text);
    let email = email.to_owned();
    let mut person = Person { id, email, recovery_codes: Vec::new(), key };
    let saved = browser.post("/account/totp", &[("code", &person.code(app))]).await;
    assert_eq!(saved.heading(), "Save your recovery codes", "{}", saved.text);
    person.recovery_codes = codes_of(&saved.text);
    // The next code of the app.
    app.advance(30);
    (person, browser)
}

/// The key in the `otpauth` URI of a page, of base 32.
pub fn key_of(html: &str) -> Vec<u8> {
    let (_, rest) = html.split_once("secret=").expect("the page has the key's URI");
    let text: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    notes::note(&text);
    let mut bits = 0_u64;
    let mut count = 0;
    let mut key = Vec::new();
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => panic!("not base 32: {letter}"),
        };
        bits = bits << 5 | u64::from(value);
        count += 5;
        if count >= 8 {
            count -= 8;
            key.extend(u8::try_from(bits >> count));
            bits &= (1 << count) - 1;
        }
    }
    key
}

fn codes_of(html: &str) -> Vec<String> {
    let parts = html.split("<code").skip(1).filter_map(|part| part.split_once('>'));
    let codes = parts.filter_map(|(_, rest)| rest.split_once('<')).map(|(code, _)| code.trim());
    codes.inspect(|code| notes::note(code)).map(str::to_owned).collect()
}

impl Browser {
    /// A GraphQL request as a script of the gateway's own page sends it.
    pub async fn graphql_as_page(&self, document: &str) -> Answer {
        let request = self.graphql(document).header("origin", &self.gateway.origin);
        let request = request.header("sec-fetch-site", "same-origin");
        self.gateway.send(request.header("x-csrf-token", self.csrf().await)).await
    }
}
