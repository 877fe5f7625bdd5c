//! The playground: a page for trying out operations, embedded in the binary. It loads nothing from
//! other origins.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::state::{AppState, PlaygroundCredentials};
use super::{body, json_reply};

/// The path of the page.
pub const PATH: &str = super::paths::PLAYGROUND;

/// The path to which the browser that the demo opens posts its one-time code, as the field `code`
/// of a form.
pub const SIGN_IN_PATH: &str = super::paths::PLAYGROUND_SIGN_IN;

/// In bytes. A code has 53 characters.
const FORM_LIMIT: usize = 1024;

const CODE_REFUSED: &str =
    "This sign-in link was used before or has expired. Sign in with a client.";

/// The editor's stylesheet has small images as `data:` URLs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const NOT_BUILT: &str = "This build of the gateway does not include the playground.\n\n\
    Building it requires Node.js 18 or newer and npm:\n\n    \
    TENANT_GATEWAY_BUILD_PLAYGROUND=on cargo build --release\n";

/// The files that `build.rs` has built.
#[allow(dead_code, reason = "not constructed in a build without the page")]
struct Pages {
    index: &'static [u8],
    index_etag: &'static str,
    assets: &'static [Asset],
}

/// A file whose name contains a hash of its content.
#[allow(dead_code, reason = "not constructed in a build without the page")]
struct Asset {
    name: &'static str,
    media_type: &'static str,
    gzip: bool,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/playground.rs"));

/// Whether this binary includes the page.
pub fn is_built() -> bool {
    PAGES.is_some()
}

/// The paths of the page, and `/`, which redirects to it.
pub fn routes() -> Router<Arc<AppState>> {
    let to_page = || async { (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, PATH)]) };
    Router::new()
        .route("/", get(to_page))
        .route("/playground/", get(to_page))
        .route(PATH, get(page))
        .route(SIGN_IN_PATH, get(to_page).post(sign_in))
        .route("/playground/assets/{name}", get(asset))
}

async fn page(headers: HeaderMap) -> Response {
    let Some(pages) = &PAGES else {
        return (StatusCode::NOT_FOUND, guarded("text/plain; charset=utf-8"), NOT_BUILT)
            .into_response();
    };
    // Its files are named by their content: only the page itself needs revalidation.
    let cached = [(CACHE_CONTROL, "no-cache"), (ETAG, pages.index_etag)];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known == pages.index_etag) {
        return (StatusCode::NOT_MODIFIED, cached).into_response();
    }
    (cached, guarded("text/html; charset=utf-8"), pages.index).into_response()
}

/// The `<meta>` elements in the head of the page: a client to sign in with, or the reason why there
/// is none. The page removes them from the document at once.
#[derive(Template)]
#[template(
    source = r#"{% match sign_in %}{% when Ok with (client) %}
<meta name="client-id" content="{{ client.client_id }}">
<meta name="client-secret" content="{{ client.client_secret.expose() }}">
{% when Err with (notice) %}
<meta name="notice" content="{{ notice }}">
{% endmatch %}"#,
    ext = "html"
)]
struct Head<'a> {
    sign_in: Result<&'a PlaygroundCredentials, &'a str>,
}

/// Signs the browser in that presents the one-time code: the response is the page with a client's
/// credentials in it.
async fn sign_in(State(state): State<Arc<AppState>>, body: Body) -> Response {
    let form = body::read(body, FORM_LIMIT, state.body_timeout).await.unwrap_or_default();
    let code = form_urlencoded::parse(&form).find(|(name, _)| name == "code");
    let credentials = code.and_then(|(_, code)| state.one_time_sign_in.take(&code));
    let (status, sign_in) = match &credentials {
        Some(credentials) => (StatusCode::OK, Ok(credentials)),
        None => (StatusCode::FORBIDDEN, Err(CODE_REFUSED)),
    };
    match page_with(&Head { sign_in }) {
        Some(page) => {
            let kept = [(CACHE_CONTROL, "no-store")];
            (status, kept, guarded("text/html; charset=utf-8"), page).into_response()
        }
        None => {
            (StatusCode::NOT_FOUND, guarded("text/plain; charset=utf-8"), NOT_BUILT).into_response()
        }
    }
}

/// The page with more in its head; `None` in a build without the page.
fn page_with(head: &Head<'_>) -> Option<String> {
    let index = std::str::from_utf8(PAGES.as_ref()?.index).ok()?;
    let (before, after) = index.split_once("</head>")?;
    Some(format!("{before}{}</head>{after}", head.render().ok()?))
}

async fn asset(uri: Uri, Path(name): Path<String>) -> Response {
    let known = PAGES.iter().flat_map(|pages| pages.assets).find(|asset| asset.name == name);
    let Some(asset) = known else {
        return json_reply::no_such_path(uri, None).await;
    };
    let forever = [(CACHE_CONTROL, "public, max-age=31536000, immutable")];
    let mut response = (forever, guarded(asset.media_type), asset.bytes).into_response();
    if asset.gzip {
        // Stored in this form only: every browser decodes it, even if a proxy has changed its
        // Accept-Encoding.
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// The headers of every file: its media type and the restrictions of the browser.
fn guarded(media_type: &'static str) -> [(HeaderName, &'static str); 6] {
    [
        (CONTENT_TYPE, media_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ]
}
