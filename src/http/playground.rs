//! The page for trying out queries, whole in the binary: it asks nothing of any other origin.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::AppState;

/// Where the page is.
pub const PATH: &str = "/playground";

/// `data:` is for the small pictures in the stylesheet of the editor.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const LEFT_OUT: &str = "There is no playground in this build of the gateway.\n\n\
    It is made when Node.js 18 or newer and npm are there at build time:\n\n    \
    TENANT_GATEWAY_BUILD_PLAYGROUND=on cargo build --release\n";

/// The files that `build.rs` made.
#[allow(dead_code, reason = "never made in a build without the page")]
struct Pages {
    index: &'static [u8],
    index_etag: &'static str,
    assets: &'static [Asset],
}

/// A file whose name changes with its content.
#[allow(dead_code, reason = "never made in a build without the page")]
struct Asset {
    name: &'static str,
    media_type: &'static str,
    gzip: bool,
    bytes: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/playground.rs"));

/// Whether the page was made when this binary was.
pub fn is_built() -> bool {
    PAGES.is_some()
}

/// The paths of the page, and `/`, which leads there.
pub fn routes() -> Router<Arc<AppState>> {
    let to_page = || async { (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, PATH)]) };
    Router::new()
        .route("/", get(to_page))
        .route("/playground/", get(to_page))
        .route(PATH, get(page))
        .route("/playground/assets/{name}", get(asset))
}

async fn page(headers: HeaderMap) -> Response {
    let Some(pages) = &PAGES else {
        return (StatusCode::NOT_FOUND, guarded("text/plain; charset=utf-8"), LEFT_OUT)
            .into_response();
    };
    // The page names its files by their content, so that it alone must be asked for again.
    let cached = [(CACHE_CONTROL, "no-cache"), (ETAG, pages.index_etag)];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known == pages.index_etag) {
        return (StatusCode::NOT_MODIFIED, cached).into_response();
    }
    (cached, guarded("text/html; charset=utf-8"), pages.index).into_response()
}

async fn asset(uri: Uri, Path(name): Path<String>) -> Response {
    let known = PAGES.iter().flat_map(|pages| pages.assets).find(|asset| asset.name == name);
    let Some(asset) = known else {
        return super::reply::no_such_path(uri, None).await;
    };
    let forever = [(CACHE_CONTROL, "public, max-age=31536000, immutable")];
    let mut response = (forever, guarded(asset.media_type), asset.bytes).into_response();
    if asset.gzip {
        // Stored in this form alone: every browser reads it, whatever a proxy made of its
        // Accept-Encoding.
        response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// What holds for all that a browser gets here.
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
