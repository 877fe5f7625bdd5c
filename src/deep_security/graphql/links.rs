//! Fills the gaps that linked objects leave in projected text.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_graphql::{Context, PathSegment, Pos};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};

use super::fetch::in_slot;
use super::object_types::{POLICY, ROLE};
use crate::auth::graphql::operation;
use crate::deep_security::manager::Manager;
use crate::deep_security::model::ObjectId;
use crate::deep_security::wire::{Policy, Resource, Role};
use crate::error::{Error, Result};
use crate::graph::graphql::{charge_text, largest_text};
use crate::projection::{Gap, Link, ProjectedObject, ProjectedText};

/// The linked objects of a text, by link and id.
pub struct Linked(BTreeMap<(usize, i64), Result<Completed>>);

/// The JSON of an object without gaps, and the errors of objects that it links to.
#[derive(Default)]
struct Completed {
    json: Vec<u8>,
    errors: Vec<FieldError>,
}

/// The error of a field below an object.
#[derive(Clone)]
pub struct FieldError {
    path: Vec<String>,
    at: (usize, usize),
    error: Error,
}

impl FieldError {
    /// Adds the error to the response, as that of an object at the path of the context, or of an
    /// item of the list there.
    pub fn report(self, ctx: &Context<'_>, item: Option<usize>) {
        let Self { path, at: (line, column), error } = self;
        let error = async_graphql::Error::from(error).into_server_error(Pos { line, column });
        let mut error = ctx.set_error_path(error);
        error.path.extend(item.map(PathSegment::Index));
        error.path.extend(path.into_iter().map(PathSegment::Field));
        ctx.add_error(error);
    }
}

/// Reads the objects that the texts link to, each once, and side by side.
pub async fn read_linked(
    ctx: &Context<'_>,
    manager: &Manager,
    links: &[Link],
    gaps: impl Iterator<Item = &Gap>,
) -> Linked {
    let mut wanted: Vec<(usize, i64)> = gaps.map(|gap| (gap.link, gap.id)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let reads = wanted.into_iter().map(async |(link, id)| {
        let read = read(ctx, manager, &links[link], id).await;
        ((link, id), read)
    });
    Linked(join_all(reads).await.into_iter().collect())
}

impl Linked {
    /// Writes an object of a text, with the linked objects in its gaps. Returns the errors of
    /// those that could not be read, whose fields are null.
    pub fn write(
        &self,
        links: &[Link],
        text: &ProjectedText,
        object: usize,
        to: &mut Vec<u8>,
    ) -> Vec<FieldError> {
        let (json, gaps, start) = text.object(object);
        let mut errors = Vec::new();
        let mut written = 0;
        for gap in gaps {
            let link = &links[gap.link];
            to.extend_from_slice(&json[written..gap.at - start]);
            written = gap.at - start;
            match self.0.get(&(gap.link, gap.id)) {
                Some(Ok(object)) => {
                    to.extend_from_slice(&object.json);
                    errors.extend(object.errors.iter().map(|error| below(link, error)));
                }
                Some(Err(error)) => {
                    to.extend_from_slice(b"null");
                    let path = link.path.clone();
                    errors.push(FieldError { path, at: link.at, error: error.clone() });
                }
                None => to.extend_from_slice(b"null"),
            }
        }
        to.extend_from_slice(&json[written..]);
        errors
    }
}

fn below(link: &Link, error: &FieldError) -> FieldError {
    let path = link.path.iter().chain(&error.path).cloned().collect();
    FieldError { path, ..error.clone() }
}

/// Boxed, since an object may link to another of its own type.
fn read<'a>(
    ctx: &'a Context<'_>,
    manager: &'a Manager,
    link: &'a Link,
    id: i64,
) -> BoxFuture<'a, Result<Completed>> {
    read_whole(ctx, manager, link, id).boxed()
}

async fn read_whole(
    ctx: &Context<'_>,
    manager: &Manager,
    link: &Link,
    id: i64,
) -> Result<Completed> {
    let object = match link.target.as_str() {
        POLICY => project::<Policy>(ctx, manager, link, id).await?,
        ROLE => project::<Role>(ctx, manager, link, id).await?,
        other => return Err(Error::internal(format!("nothing links to {other}"))),
    };
    let links = link.plan.links(0);
    let gaps = object.text.gaps_of(1).iter();
    let linked = read_linked(ctx, manager, links, gaps).await;
    let mut whole = Completed::default();
    whole.errors = linked.write(links, &object.text, 0, &mut whole.json);
    charge_text(ctx, whole.json.len(), false)?;
    Ok(whole)
}

/// Reads an object once in an operation, however many objects link to it and whatever is selected
/// of it.
async fn project<T: Resource>(
    ctx: &Context<'_>,
    manager: &Manager,
    link: &Link,
    id: i64,
) -> Result<Arc<ProjectedObject>> {
    let operation = operation(ctx)?;
    let id = ObjectId(id);
    let get = || in_slot(ctx, manager.tenant(), manager.get::<T>(operation, id, None).boxed());
    let key = (manager.key(), format!("{}/{}", T::COLLECTION, id.0));
    let response = operation.once(key, get).boxed().await?;
    let object = manager.project::<T>(&response, id, &link.plan, largest_text(ctx))?;
    charge_text(ctx, object.text.size(), object.is_too_large)?;
    Ok(object)
}
