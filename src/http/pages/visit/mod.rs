//! A request of a person's browser for a page.

mod answers;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequest, Request};
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;

pub use answers::{RetryAfter, page_headers, with_session};

use super::files::{SCRIPT, STYLESHEET};
use super::form::Form;
use super::return_to;
use super::views::Frame;
use crate::auth::RequestId;
use crate::error::Error;
use crate::http::browser::{cookies, csrf, same_origin};
use crate::http::state::AppState;
use crate::http::{address, paths};
use crate::secret::PlainSecret;
use crate::sessions::{NewSession, Session, Visitor};
use crate::users::SignInOrigin;

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
    /// Whether the person opened the page themselves or from another one of the gateway. Not if
    /// another site sent the browser, nor if the browser does not tell.
    pub is_own_navigation: bool,
    session_cookie: Option<PlainSecret>,
    csrf_cookie: PlainSecret,
    /// Whether the browser did not send the cookie of its tokens against forged requests.
    pub is_new: bool,
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
            is_own_navigation: same_origin::is_own_navigation(headers),
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

    /// Begins a session of this browser, in place of the one that it has. Returns its cookie.
    ///
    /// # Errors
    /// As [`Sessions::begin`](crate::sessions::Sessions::begin).
    pub async fn begin_session(&self, new: &NewSession) -> Result<PlainSecret, Error> {
        let sessions = &self.state.sessions;
        let cookie = sessions.begin(new, &self.origin()).await?;
        if let Some(before) = &self.session {
            sessions.end(before.user, before.home, before.id, "signOut", &self.id).await?;
        }
        Ok(cookie)
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

    /// Whether the networks of the browser may begin a sign-in whose state the gateway stores until
    /// it is finished or expires: single sign-on or a passkey. Counts it if so.
    ///
    /// # Errors
    /// The time to wait, if they have begun too many.
    pub fn may_begin_sign_in(&self) -> Result<(), RetryAfter> {
        let now = self.state.authorizer.monotonic();
        let starts = &self.state.sign_in_starts;
        if let Some(seconds) = starts.blocked("", self.visitor.address, now) {
            return Err(RetryAfter(seconds));
        }
        starts.failed("", self.visitor.address, now);
        Ok(())
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
}
