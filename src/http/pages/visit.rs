//! A request of a person's browser for a page.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use askama::Template;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequest, Request};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, SET_COOKIE,
    USER_AGENT, X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;

use super::files::{SCRIPT, STYLESHEET};
use super::form::Form;
use super::return_to;
use super::views::{Frame, MessagePage};
use crate::auth::RequestId;
use crate::error::{Error, ErrorCode};
use crate::http::browser::{cookies, csrf, same_origin};
use crate::http::json_reply::DATABASE_RETRY_AFTER;
use crate::http::state::AppState;
use crate::http::{address, paths};
use crate::secret::PlainSecret;
use crate::sessions::{Session, Visitor};
use crate::users::SignInOrigin;

/// The Content-Security-Policy: only the gateway's own files, forms only to the gateway, no framing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
    img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A request for a page. That of a form has passed the check against forged requests.
pub struct Visit {
    /// The state of the server.
    pub state: Arc<AppState>,
    /// The id of the request.
    pub id: RequestId,
    /// The browser, and where it is.
    pub visitor: Visitor,
    /// The fields of the form; empty for a page that is only shown.
    pub form: Form,
    /// The parameters of the address.
    pub query: Form,
    /// The live session of the browser.
    pub session: Option<Session>,
    session_cookie: Option<PlainSecret>,
    csrf_cookie: PlainSecret,
    /// Whether the browser did not send that cookie.
    is_new: bool,
    uri: Uri,
}

impl FromRequest<Arc<AppState>> for Visit {
    type Rejection = Response;

    async fn from_request(request: Request, state: &Arc<AppState>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let mut visit = Self::of(state, &parts.headers, parts.uri, &parts.extensions)?;
        if parts.method == Method::POST {
            visit.read_form(&parts.headers, body).await?;
        }
        visit.find_session().await?;
        Ok(visit)
    }
}

impl Visit {
    /// A request of a script, whose token has been checked.
    pub async fn of_script(state: &Arc<AppState>, parts: &Parts) -> Result<Self, Response> {
        let mut visit = Self::of(state, &parts.headers, parts.uri.clone(), &parts.extensions)?;
        visit.find_session().await?;
        Ok(visit)
    }

    fn of(
        state: &Arc<AppState>,
        headers: &HeaderMap,
        uri: Uri,
        extensions: &Extensions,
    ) -> Result<Self, Response> {
        let csrf_cookie = cookies::read(headers, cookies::CSRF);
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        let address: IpAddr = address::of_client(&state.trusted_proxies, peer, headers);
        let user_agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let id = extensions.get::<RequestId>().cloned();
        let query = Form::parse(uri.query().unwrap_or_default().as_bytes());
        let visit = Self {
            id: id.unwrap_or_else(|| crate::ids::random_uuid(&*state.entropy).into()),
            visitor: Visitor::new(address, user_agent.unwrap_or_default()),
            form: Form::default(),
            session: None,
            session_cookie: cookies::read(headers, cookies::SESSION),
            is_new: csrf_cookie.is_none(),
            csrf_cookie: csrf_cookie.unwrap_or_else(|| PlainSecret::generate(&*state.entropy)),
            state: state.clone(),
            query: Form::default(),
            uri,
        };
        match query {
            Some(query) => Ok(Self { query, ..visit }),
            None => Err(visit.refuse(StatusCode::BAD_REQUEST)),
        }
    }

    /// Reads a form that a page of the gateway has sent with its token.
    async fn read_form(&mut self, headers: &HeaderMap, body: Body) -> Result<(), Response> {
        let form = Form::read(headers, body, self.state.body_timeout).await;
        let form = form.map_err(|status| self.refuse(status))?;
        let origin = self.state.pages.origin.as_deref();
        let is_own = same_origin::is_own_page(origin, headers);
        if !is_own || !csrf::is_valid(headers, form.text("csrf")) {
            tracing::warn!(address = %self.visitor.address, is_own, "form refused as forged");
            return Err(self.message(
                StatusCode::FORBIDDEN,
                "This form cannot be used",
                "It is too old, it comes from another site, or your browser does not keep \
                 cookies for this address. Open the page again and repeat what you did.",
            ));
        }
        self.form = form;
        Ok(())
    }

    async fn find_session(&mut self) -> Result<(), Response> {
        let Some(cookie) = &self.session_cookie else { return Ok(()) };
        let found = self.state.sessions.find(cookie).await;
        self.session = found.map_err(|error| self.failed(&error))?;
        Ok(())
    }

    /// The person's session.
    ///
    /// # Errors
    /// The way to the sign-in, or to its second step, which leads back to this page.
    pub fn signed_in(&self) -> Result<&Session, Response> {
        match &self.session {
            Some(session) if session.is_active() => Ok(session),
            Some(_) => Err(self.redirect(&self.coming_back(paths::LOGIN_CODE))),
            None => Err(self.redirect(&self.coming_back(paths::LOGIN))),
        }
    }

    /// The origin of a sign-in attempt.
    pub fn origin(&self) -> SignInOrigin {
        SignInOrigin { address: self.visitor.address, request_id: self.id.clone() }
    }

    /// A path that leads back to this page afterwards.
    pub fn coming_back(&self, path: &str) -> String {
        let query = self.uri.query().map_or_else(String::new, |query| format!("?{query}"));
        let own = format!("{}{query}", self.uri.path());
        return_to::carried_by(path, return_to::checked(&own).as_deref().unwrap_or_default())
    }

    /// The layout that all pages share.
    pub fn frame(&self) -> Frame {
        let base = &self.state.pages.base;
        let person = self.session.as_ref().filter(|session| session.is_active());
        Frame {
            base: base.clone(),
            stylesheet: STYLESHEET.path(base),
            script: SCRIPT.path(base),
            csrf: self.csrf_token(),
            person: person.map(|session| session.email.clone()),
        }
    }

    /// Counts a sign-in that begins and is kept until it is finished or too old. Returns for how many
    /// seconds the browser's network has to wait, if it has begun too many.
    pub fn begin_sign_in(&self) -> Option<u64> {
        let now = self.state.authorizer.monotonic();
        let blocked = self.state.sign_in_starts.blocked("", self.visitor.address, now);
        if blocked.is_none() {
            self.state.sign_in_starts.failed("", self.visitor.address, now);
        }
        blocked
    }

    /// The cookie of this browser from before any sign-in: a ceremony must end in the browser that it
    /// began in.
    pub fn browser(&self) -> &PlainSecret {
        &self.csrf_cookie
    }

    /// The token against forged requests of this browser in its session.
    pub fn csrf_token(&self) -> String {
        csrf::token(&self.csrf_cookie, self.session_cookie.as_ref())
    }

    /// A page.
    pub fn page(&self, status: StatusCode, page: &impl Template) -> Response {
        match page.render() {
            Ok(html) => self.html(status, html),
            Err(error) => {
                Error::internal(error).log_cause();
                self.html(StatusCode::INTERNAL_SERVER_ERROR, String::new())
            }
        }
    }

    fn html(&self, status: StatusCode, html: String) -> Response {
        let mut response = Response::new(Body::from(html));
        *response.status_mut() = status;
        let media_type = HeaderValue::from_static("text/html; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, media_type);
        self.guard(response)
    }

    /// The headers of every answer to a browser: nothing of it is kept or shown elsewhere.
    pub fn guard(&self, mut response: Response) -> Response {
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_SECURITY_POLICY, POLICY),
            (CACHE_CONTROL, "no-store"),
            // Without a referrer browsers would send forms with the origin `null`.
            (REFERRER_POLICY, "same-origin"),
            (X_FRAME_OPTIONS, "DENY"),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if self.is_new
            && let Some(cookie) = cookies::set(cookies::CSRF, &self.csrf_cookie)
        {
            headers.append(SET_COOKIE, cookie);
        }
        response
    }

    /// Status 303 to a path of the gateway, also after a form.
    pub fn redirect(&self, path: &str) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let location = HeaderValue::from_str(&format!("{}{path}", self.state.pages.base));
        if let Ok(location) = location {
            response.headers_mut().insert(LOCATION, location);
        }
        self.guard(response)
    }

    /// Status 303 to another site, after a link: the policy of the pages keeps forms from it.
    pub fn leave(&self, url: &str) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        if let Ok(location) = HeaderValue::from_str(url) {
            response.headers_mut().insert(LOCATION, location);
        }
        self.guard(response)
    }

    /// The same with another session for the browser.
    pub fn redirect_with(&self, path: &str, session: &PlainSecret) -> Response {
        with_session(self.redirect(path), session)
    }

    /// The same without a session.
    pub fn redirect_without_session(&self, path: &str) -> Response {
        let mut response = self.redirect(path);
        if let Some(cookie) = cookies::clear(cookies::SESSION) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }

    /// A page that says why nothing was done.
    pub fn message(&self, status: StatusCode, heading: &'static str, text: &str) -> Response {
        let page = MessagePage {
            page: self.frame(),
            heading,
            text: text.to_owned(),
            is_success: false,
            link: None,
        };
        self.page(status, &page)
    }

    /// A page for a request that cannot be read.
    fn refuse(&self, status: StatusCode) -> Response {
        let text = "The request is malformed. Open the page again and repeat what you did.";
        self.message(status, "Something is wrong with this request", text)
    }

    /// A page for an error, whose cause is logged.
    pub fn failed(&self, error: &Error) -> Response {
        error.log_cause();
        if error.code() == ErrorCode::Unauthenticated {
            return self.redirect_without_session(paths::LOGIN);
        }
        let is_unavailable = error.code() == ErrorCode::DatabaseUnavailable;
        let status = StatusCode::from_u16(error.code().http_status());
        let text = if is_unavailable {
            "The service is temporarily unavailable. Try again in a moment."
        } else {
            "Something failed on our side. Try again; if it fails again, tell your administrator \
             the request id in the response header X-Request-ID."
        };
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = self.message(status, "That did not work", text);
        if is_unavailable {
            let headers = response.headers_mut();
            headers.insert(axum::http::header::RETRY_AFTER, DATABASE_RETRY_AFTER);
        }
        response
    }

    /// The answer, or the page for its error.
    pub fn answer(&self, answer: Result<Response, Error>) -> Response {
        answer.unwrap_or_else(|error| self.failed(&error))
    }
}

/// Gives the browser another session.
pub fn with_session(mut response: Response, session: &PlainSecret) -> Response {
    if let Some(cookie) = cookies::set(cookies::SESSION, session) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
