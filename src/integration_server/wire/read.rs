//! Tenants and machines, alone and in lists.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::dates::moment;
use super::document::{Document, Element};
use super::{Malformed, ResponseBody, Result, decode};
use crate::integration_server::model::{
    AdministrationServer, BiosId, RemoteId, RemoteTenant, TenantKind, TenantStatus, VirtualMachine,
};
use crate::projection;

/// Names of roots that are no wrapper, however empty: they report a failure or wrap another kind of
/// document.
const NO_WRAPPERS: &[&str] = &["html", "error", "exception", "fault", "message", "envelope"];

/// The elements that represent an object of the server, in lower case.
const ITEMS: &[&str] = &["tenant", "vm", "task"];

pub(super) const NO_IDENTIFIER: Malformed = Malformed("holds an object without an identifier");
const NO_LIST: Malformed = Malformed("is not the requested list");

/// The items of a wrapper of any name, or the one item that the root itself is.
///
/// # Errors
/// As [`each`].
pub(super) fn list<T>(
    answer: &ResponseBody,
    item: &str,
    read: impl Fn(&mut Document, &Element, &TimeZone) -> Result<T>,
) -> Result<Vec<T>> {
    list_in(&decode::text(answer)?, item, answer.zone, read)
}

/// The same for text that is already decoded.
pub(super) fn list_in<T>(
    text: &str,
    item: &str,
    zone: &TimeZone,
    read: impl Fn(&mut Document, &Element, &TimeZone) -> Result<T>,
) -> Result<Vec<T>> {
    let mut items = Vec::new();
    each(text, item, |document, element| {
        items.push(read(document, element, zone)?);
        Ok(())
    })?;
    Ok(items)
}

/// Reads each item of a wrapper of any name, or the one item that the root itself is.
///
/// # Errors
/// [`Malformed`] for a document without items, unless it is an empty wrapper: a message under the
/// status of a success would otherwise read as "there are none". Also for an item that `read`
/// refuses: a list that leaves one out is wrong.
pub(super) fn each(
    text: &str,
    item: &str,
    mut read: impl FnMut(&mut Document, &Element) -> Result<()>,
) -> Result<()> {
    Document::read(text, |document, root| {
        if root.name == item {
            return read(document, root);
        }
        if !may_wrap(root, item) {
            return Err(NO_LIST);
        }
        let mut has_items = false;
        let is_empty = document.visit(root, |document, child| {
            if child.name == item {
                has_items = true;
                read(document, child)?;
            }
            Ok(())
        })?;
        let says_none = is_empty && may_be_empty(root, item);
        if has_items || says_none { Ok(()) } else { Err(NO_LIST) }
    })
}

/// Whether an element may wrap items: it represents neither a failure nor an item itself in another
/// letter case.
fn may_wrap(root: &Element, item: &str) -> bool {
    let name = root.name.to_ascii_lowercase();
    name != item && !NO_WRAPPERS.contains(&name.as_str())
}

/// Whether an element that holds nothing says "there are none": it is called after the items, or
/// neither after others nor has it attributes, in which another kind of document may say anything.
fn may_be_empty(root: &Element, item: &str) -> bool {
    let name = root.name.to_ascii_lowercase();
    name.contains(item)
        || root.attributes.is_empty() && !ITEMS.iter().any(|other| name.contains(other))
}

/// The only item of a list.
pub(super) fn single<T>(mut items: Vec<T>) -> Result<T> {
    match items.pop() {
        Some(item) if items.is_empty() => Ok(item),
        _ => Err(Malformed("does not hold exactly one object")),
    }
}

/// The identifier of an item, from the text of its `id`.
pub(super) fn identifier(text: Option<&str>) -> Result<RemoteId> {
    text.and_then(RemoteId::read).ok_or(NO_IDENTIFIER)
}

/// A `tenant` (reference, T1).
pub(super) fn tenant(
    document: &mut Document,
    element: &Element,
    zone: &TimeZone,
) -> Result<RemoteTenant> {
    let id = identifier(element.value("id"))?;
    let date = |name| element.value(name).map(|text| moment(text, zone));
    let mut tenant = RemoteTenant {
        id,
        name: String::new(),
        description: None,
        user_data: None,
        administration_server: None,
        status: None,
        kind: None,
        created: date("created"),
        updated: date("updated"),
    };
    while let Some(child) = document.child(element)? {
        match child.name {
            "name" => tenant.name = document.text(&child)?.into_owned(),
            "description" => tenant.description = filled(document.text(&child)?),
            "userData" => tenant.user_data = filled(document.text(&child)?),
            "vKsc" => tenant.administration_server = administration_server(document, &child)?,
            "status" => {
                tenant.status = word(&document.text(&child)?).map(|text| TenantStatus::read(&text));
            }
            "type" => {
                tenant.kind = word(&document.text(&child)?).map(|text| TenantKind::read(&text));
            }
            _ => {}
        }
    }
    Ok(tenant)
}

/// A `vm` (reference, T3).
pub(super) fn machine(
    document: &mut Document,
    element: &Element,
    zone: &TimeZone,
) -> Result<VirtualMachine> {
    let id = identifier(element.value("id"))?;
    let date = |name| element.value(name).map(|text| moment(text, zone));
    let mut machine = VirtualMachine {
        id,
        bios_id: element.value("biosId").and_then(BiosId::read),
        name: None,
        user_data: None,
        created: date("created"),
        updated: date("updated"),
    };
    while let Some(child) = document.child(element)? {
        match child.name {
            "name" => machine.name = filled(document.text(&child)?),
            "userData" => machine.user_data = filled(document.text(&child)?),
            _ => {}
        }
    }
    Ok(machine)
}

/// A `vKsc`; an empty one is none.
fn administration_server(
    document: &mut Document,
    element: &Element,
) -> Result<Option<AdministrationServer>> {
    let id = element.value("id").map(str::to_owned);
    let mut administrator = None;
    while let Some(user) = document.child(element)? {
        if user.name == "user" {
            administrator = None;
        }
        while let Some(child) = document.child(&user)? {
            if user.name == "user" && child.name == "name" {
                administrator = filled(document.text(&child)?);
            }
        }
    }
    let present = id.is_some() || administrator.is_some();
    Ok(present.then_some(AdministrationServer { id, administrator }))
}

/// Text as it is; empty is absent.
fn filled(text: Cow<str>) -> Option<String> {
    (!text.is_empty()).then(|| text.into_owned())
}

/// An enumerated value of the server, trimmed and cut; empty is absent.
pub(super) fn word(text: &str) -> Option<String> {
    projection::word(text).map(str::to_owned)
}

/// Text of at most that many characters.
pub(super) fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

/// Text without the space around it; empty is absent.
pub(super) fn trimmed(text: &str) -> Option<String> {
    filled(text.trim().into())
}
