//! Objects as plans read them: the text of their members, by path.
//!
//! A path leads from the element of the object to a child or an attribute: `name`, `@id`,
//! `vKsc/user/name`.

use super::Result;
use super::document::{Document, Element};
use super::read::identifier;
use crate::integration_server::model::ListedObject;

/// A member that is needed: where its text goes, and its path.
type Member<'a> = (usize, &'a str);

/// Reads an object; the first two paths are those of its identifier and its name.
///
/// # Errors
/// [`Malformed`](super::Malformed) if it has no identifier.
pub(super) fn object(
    document: &mut Document,
    element: &Element,
    paths: &[String],
) -> Result<ListedObject> {
    let id = identifier(element)?;
    let members: Vec<Member> = paths.iter().map(String::as_str).enumerate().collect();
    let mut values = vec![None; paths.len()];
    read(document, element, &members, &mut values)?;
    Ok(ListedObject::new(&id, values))
}

/// Reads members of an element. Of several children with one name the last counts.
fn read<'a>(
    document: &mut Document,
    element: &Element,
    members: &[Member<'a>],
    values: &mut [Option<String>],
) -> Result<()> {
    for (at, path) in members {
        let attribute = path.strip_prefix('@').and_then(|name| element.attribute(name));
        values[*at] = attribute.map(str::to_owned);
    }
    while let Some(child) = document.child(element)? {
        let below = |(at, path): &Member<'a>| {
            let rest = path.strip_prefix(child.name.as_str())?.strip_prefix('/')?;
            Some((*at, rest))
        };
        let below: Vec<Member> = members.iter().filter_map(below).collect();
        if !below.is_empty() {
            read(document, &child, &below, values)?;
        } else if members.iter().any(|(_, path)| *path == child.name) {
            let text = document.text(&child)?;
            let text = Some(text).filter(|text| !text.is_empty());
            for (at, _) in members.iter().filter(|(_, path)| *path == child.name) {
                values[*at].clone_from(&text);
            }
        }
    }
    Ok(())
}
