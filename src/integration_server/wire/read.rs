//! Tenants and machines, alone and in lists.

use jiff::tz::TimeZone;

use super::dates::moment;
use super::document::{Document, Element};
use super::{Answer, Malformed, Result, decode};
use crate::integration_server::model::{
    AdministrationServer, BiosId, Listed, RemoteId, RemoteTenant, TenantKind, TenantStatus, VirtualMachine,
};

const WORD_MAX: usize = 100;

/// Reads one item; `None` if it lacks what it cannot do without.
type Reads<T> = fn(&mut Document, &Element, &TimeZone) -> Result<Option<T>>;

/// The items of a wrapper of any name, or the one item that the root itself is.
pub(super) fn list<T>(answer: &Answer, item: &str, read: Reads<T>) -> Result<Listed<T>> {
    list_in(&decode::text(answer)?, item, answer.zone, read)
}

/// The same in text that is decoded already.
pub(super) fn list_in<T>(text: &str, item: &str, zone: &TimeZone, read: Reads<T>) -> Result<Listed<T>> {
    Document::read(text, |document, root| {
        let mut listed = Listed { items: Vec::new(), unusable: 0 };
        let mut add = |found: Option<T>| match found {
            Some(found) => listed.items.push(found),
            None => listed.unusable += 1,
        };
        if root.name == item {
            add(read(document, root, zone)?);
        } else if ["html", "error"].iter().any(|name| root.name.eq_ignore_ascii_case(name)) {
            return Err(Malformed("is a page or an error under the status of a success"));
        } else {
            while let Some(child) = document.child(root)? {
                if child.name == item {
                    add(read(document, &child, zone)?);
                }
            }
        }
        Ok(listed)
    })
}

/// The only item of a list.
pub(super) fn single<T>(listed: Listed<T>) -> Result<T> {
    let Listed { mut items, unusable } = listed;
    match items.pop() {
        Some(item) if items.is_empty() && unusable == 0 => Ok(item),
        _ => Err(Malformed("is not about exactly one usable thing")),
    }
}

/// A `tenant` (reference, T1).
pub(super) fn tenant(document: &mut Document, element: &Element, zone: &TimeZone) -> Result<Option<RemoteTenant>> {
    let Some(id) = element.attribute("id").and_then(RemoteId::read) else { return Ok(None) };
    let date = |name| element.attribute(name).map(|text| moment(text, zone));
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
        match child.name.as_str() {
            "name" => tenant.name = document.text(&child)?,
            "description" => tenant.description = filled(document.text(&child)?),
            "userData" => tenant.user_data = filled(document.text(&child)?),
            "vKsc" => tenant.administration_server = administration_server(document, &child)?,
            "status" => tenant.status = word(document.text(&child)?).map(|text| TenantStatus::read(&text)),
            "type" => tenant.kind = word(document.text(&child)?).map(|text| TenantKind::read(&text)),
            _ => {}
        }
    }
    Ok(Some(tenant))
}

/// A `vm` (reference, T3).
pub(super) fn machine(document: &mut Document, element: &Element, zone: &TimeZone) -> Result<Option<VirtualMachine>> {
    let Some(id) = element.attribute("id").and_then(RemoteId::read) else { return Ok(None) };
    let date = |name| element.attribute(name).map(|text| moment(text, zone));
    let mut machine = VirtualMachine {
        id,
        bios_id: element.attribute("biosId").and_then(BiosId::read),
        name: None,
        user_data: None,
        created: date("created"),
        updated: date("updated"),
    };
    while let Some(child) = document.child(element)? {
        match child.name.as_str() {
            "name" => machine.name = filled(document.text(&child)?),
            "userData" => machine.user_data = filled(document.text(&child)?),
            _ => {}
        }
    }
    Ok(Some(machine))
}

/// A `vKsc`; an empty one is none.
fn administration_server(document: &mut Document, element: &Element) -> Result<Option<AdministrationServer>> {
    let id = element.attribute("id").map(str::to_owned);
    let mut administrator = None;
    while let Some(user) = document.child(element)? {
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
fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// A word of the server's own, without the space around it; empty is absent. One that is longer than any is cut, since it is kept
/// and shown where nobody knows it.
pub(super) fn word(text: String) -> Option<String> {
    trimmed(text).map(|text| cut(text, WORD_MAX))
}

/// Text of so many characters at most.
pub(super) fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => text[..end].to_owned(),
        None => text,
    }
}

/// Text without the space around it; empty is absent.
pub(super) fn trimmed(text: String) -> Option<String> {
    filled(text.trim().to_owned())
}
