//! The calls of the API, one module for each collection (reference, section 7).

mod api_keys;
mod computers;
mod policies;
mod roles;
mod sessions;
mod settings;
mod tenants;

use std::sync::Arc;

use serde_json::Value;

use crate::answer::{Answer, json};
use crate::deep_security::access::Caller;
use crate::deep_security::config::Product;
use crate::deep_security::manager::{Manager, Tenant};
use crate::deep_security::object::{Collection, Object};
use crate::deep_security::refusal::{Outcome, Refusal};
use crate::deep_security::schema::Schema;
use crate::deep_security::search::Filter;
use crate::request::Request;

/// An authenticated call.
struct Context<'a> {
    manager: &'a mut Manager,
    caller: Caller,
    request: &'a Request,
}

/// Handles a request.
pub(super) fn handle(manager: &mut Manager, request: &Request) -> Outcome {
    let path = request.segments();
    let early = manager.dialect.version_before_credential;
    if early || path == ["sessions"] {
        check_version(request)?;
    }
    if path == ["sessions"] {
        return sessions::create(manager, request);
    }
    let caller = manager.admit(request)?;
    if !early {
        check_version(request)?;
    }
    let context = &mut Context { manager, caller, request };
    match (request.method.as_str(), path.as_slice()) {
        (method, ["apikeys", rest @ ..]) => api_keys::handle(context, method, rest),
        (method, ["roles", rest @ ..]) => roles::handle(context, method, rest),
        (method, ["computers", rest @ ..]) => computers::handle(context, method, rest),
        (method, ["policies", rest @ ..]) => policies::handle(context, method, rest),
        (method, ["tenants", rest @ ..]) if context.manager.product == Product::OnPremises => {
            tenants::handle(context, method, rest)
        }
        _ => Err(Refusal::not_found()),
    }
}

fn check_version(request: &Request) -> Result<(), Refusal> {
    match request.header("api-version") {
        Some("v1") => Ok(()),
        _ => Err(Refusal::bad("The header api-version is missing or not supported.")),
    }
}

/// The body as an object; an absent body is an empty object.
fn read_body(manager: &Manager, request: &Request) -> Result<Object, Refusal> {
    if request.body.is_empty() {
        return Ok(Object::default());
    }
    let content_type = request.header("content-type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    if manager.dialect.strict_content_type && media_type != "application/json" {
        return Err(Refusal::new(415, "The body must be application/json."));
    }
    serde_json::from_slice(&request.body)
        .map_err(|_| Refusal::bad("The body is not a JSON object."))
}

impl Context<'_> {
    fn body(&self) -> Result<Object, Refusal> {
        read_body(self.manager, self.request)
    }

    /// The caller's tenant; only `/tenants` reaches other tenants.
    fn tenant(&self) -> &Tenant {
        &self.manager.tenants[&self.caller.tenant]
    }

    fn tenant_mut(&mut self) -> &mut Tenant {
        self.manager.tenants.get_mut(&self.caller.tenant).expect("callers go with their tenant")
    }

    /// `before`, changed by the members of the body.
    fn written(&self, schema: &Schema, before: &Object) -> Result<Object, Refusal> {
        let mut object = before.clone();
        schema.write(&mut object, &self.body()?, self.manager.dialect.strict_bodies)?;
        Ok(object)
    }

    fn search<'a>(
        &self,
        schema: &Schema,
        objects: impl Iterator<Item = &'a Arc<Object>>,
    ) -> Result<Vec<Arc<Object>>, Refusal> {
        Ok(Filter::read(&self.body()?, schema, &self.manager.dialect)?.apply(objects))
    }

    /// 400 if the name is missing, or if it is taken and the dialect requires unique names.
    fn check_name(
        &self,
        schema: &Schema,
        others: &Collection,
        id: Option<i32>,
        object: &Object,
    ) -> Result<(), Refusal> {
        match object.get(schema.name).and_then(Value::as_str) {
            None | Some("") => Err(Refusal::bad(format!("{} is required.", schema.name))),
            Some(name)
                if self.manager.dialect.unique_names && others.has_other(id, schema.name, name) =>
            {
                Err(Refusal::bad(format!("{name} exists already.")))
            }
            Some(_) => Ok(()),
        }
    }

    /// The answer to `DELETE` of an unknown id.
    fn nothing_to_delete(&self) -> Outcome {
        match self.manager.dialect.delete_unknown {
            200 => Ok(Answer::empty(200)),
            status => Err(Refusal::new(status, "The object does not exist.")),
        }
    }
}

/// An id in the path; 404 unless it consists of digits.
fn id(segment: &str) -> Result<i32, Refusal> {
    let digits = segment.bytes().all(|byte| byte.is_ascii_digit());
    segment.parse().ok().filter(|_| digits).ok_or_else(Refusal::not_found)
}

fn find(collection: &Collection, id: i32) -> Result<&Arc<Object>, Refusal> {
    collection.get(id).ok_or_else(Refusal::not_found)
}

fn one(object: &Object) -> Outcome {
    Ok(Answer::value(200, object))
}

fn many(schema: &Schema, objects: Vec<Arc<Object>>) -> Outcome {
    Ok(Answer::list(schema.member, objects.into_iter().map(|object| json(&*object))))
}
