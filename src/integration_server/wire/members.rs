//! Objects as plans read them: the text of their members, by path.
//!
//! A path leads from the element of the object to a child or an attribute: `name`, `@id`,
//! `vKsc/user/name`.

use std::borrow::Cow;

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
    let members: Vec<Member> = paths.iter().map(String::as_str).enumerate().collect();
    let mut values = vec![None; paths.len()];
    read(document, element, &members, &mut values)?;
    let id = identifier(values[0].as_deref())?;
    Ok(ListedObject::new(&id, values))
}

/// Reads members of an element. Of several children with one name the last counts.
fn read<'a>(
    document: &mut Document,
    element: &Element,
    members: &[Member<'a>],
    values: &mut [Option<String>],
) -> Result<()> {
    for (at, _) in members {
        values[*at] = None;
    }
    for attribute in element.attributes() {
        for at in positions(members, |path| path.strip_prefix('@') == Some(attribute.name)) {
            // One without a prefix comes first.
            if values[at].is_none() || !attribute.has_prefix {
                values[at] = Some(attribute.value().into_owned());
            }
        }
    }
    for (at, _) in members {
        values[*at].take_if(|value| value.is_empty());
    }
    while let Some(child) = document.child(element)? {
        let below = |(at, path): &Member<'a>| {
            let rest = path.strip_prefix(child.name())?.strip_prefix('/')?;
            Some((*at, rest))
        };
        let below: Vec<Member> = members.iter().filter_map(below).collect();
        if !below.is_empty() {
            read(document, &child, &below, values)?;
            continue;
        }
        let mut places = positions(members, |path| path == child.name());
        if let Some(first) = places.next() {
            let text = document.text(&child)?;
            values[first] = Some(text).filter(|text| !text.is_empty()).map(Cow::into_owned);
            for at in places {
                values[at] = values[first].clone();
            }
        }
    }
    Ok(())
}

/// The positions of the values of members whose paths match.
fn positions<'a>(
    members: &[Member<'a>],
    matches: impl Fn(&'a str) -> bool,
) -> impl Iterator<Item = usize> {
    members.iter().filter(move |(_, path)| matches(path)).map(|(at, _)| *at)
}
