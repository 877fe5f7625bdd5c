//! Strict parsing of request bodies: undocumented elements are refused.

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};

use super::objects::TenantKind;
use super::refusal::Refusal;
use super::work::Administrator;

/// The body of T4.
pub(crate) struct NewTenant {
    pub name: String,
    pub description: Option<String>,
    pub user_data: Option<String>,
    pub address: Option<String>,
    pub kind: TenantKind,
    pub administrator: Option<Administrator>,
}

/// The body of T7.
pub(crate) struct NewMachine {
    pub bios_id: String,
    pub name: Option<String>,
    pub user_data: Option<String>,
}

/// Reads the body of T4; `default` is the kind where it names none.
pub(crate) fn tenant(body: &[u8], default: Option<TenantKind>) -> Result<NewTenant, Refusal> {
    let document = parsed(body)?;
    let root = root(&document, "tenant")?;
    check_children(
        root,
        &["name", "description", "userData", "preferredViisAddress", "type", "vKsc"],
    )?;
    let kind = match text(root, "type") {
        Some(kind) => TenantKind::named(&kind)
            .ok_or_else(|| Refusal::coded(400, "VIRMT_InvalidTenantType"))?,
        None => default.ok_or_else(Refusal::missing_parameter)?,
    };
    let address = text(root, "preferredViisAddress");
    if address.as_ref().is_some_and(|address| address.parse::<IpAddr>().is_err()) {
        return Err(Refusal::coded(400, "VIRMT_InvalidViisAddressFormat"));
    }
    Ok(NewTenant {
        name: text(root, "name")
            .filter(|name| !name.is_empty())
            .ok_or_else(Refusal::missing_parameter)?,
        description: text(root, "description"),
        user_data: text(root, "userData"),
        address,
        kind,
        administrator: if kind == TenantKind::Complete { Some(administrator(root)?) } else { None },
    })
}

/// The administrator of a Complete tenant; the password is Base64 of UTF-8.
fn administrator(tenant: Node) -> Result<Administrator, Refusal> {
    let read = || {
        let user = child(child(tenant, "vKsc")?, "user")?;
        let password = STANDARD.decode(text(user, "password")?).ok()?;
        let password = String::from_utf8(password).ok()?;
        Some(Administrator { name: text(user, "name")?, password })
    };
    let given = read().filter(|administrator| {
        !administrator.name.is_empty() && !administrator.password.is_empty()
    });
    given.ok_or_else(|| Refusal::coded(400, "VIRMT_VKscCredentialsNotSpecified"))
}

/// Reads the body of T7.
pub(crate) fn machine(body: &[u8]) -> Result<NewMachine, Refusal> {
    let document = parsed(body)?;
    let root = root(&document, "vm")?;
    check_children(root, &["name", "userData"])?;
    let bios_id =
        root.attribute("biosId").filter(|id| is_uuid(id)).ok_or_else(Refusal::missing_parameter)?;
    Ok(NewMachine {
        bios_id: bios_id.to_owned(),
        name: text(root, "name"),
        user_data: text(root, "userData"),
    })
}

fn is_uuid(text: &str) -> bool {
    let shape: String =
        text.chars().map(|sign| if sign.is_ascii_hexdigit() { '0' } else { sign }).collect();
    shape == "00000000-0000-0000-0000-000000000000"
}

/// Well-formed UTF-8 without a document type.
fn parsed(body: &[u8]) -> Result<Document<'_>, Refusal> {
    let wrong = |()| Refusal::new(400, "The body is not an XML document in UTF-8");
    let text = std::str::from_utf8(body).map_err(|_| wrong(()))?;
    Document::parse(text).map_err(|_| wrong(()))
}

fn root<'a>(document: &'a Document, name: &str) -> Result<Node<'a, 'a>, Refusal> {
    let root = document.root_element();
    let refusal = || Refusal::new(400, format!("The body is not a {name}"));
    root.has_tag_name(name).then_some(root).ok_or_else(refusal)
}

/// No unknown element, and none twice.
fn check_children(node: Node, known: &[&str]) -> Result<(), Refusal> {
    let mut seen: Vec<&str> = Vec::new();
    for name in node.children().filter(Node::is_element).map(|child| child.tag_name().name()) {
        if !known.contains(&name) || seen.contains(&name) {
            return Err(Refusal::new(400, format!("The element {name} was not expected")));
        }
        seen.push(name);
    }
    Ok(())
}

fn child<'a>(node: Node<'a, 'a>, name: &str) -> Option<Node<'a, 'a>> {
    node.children().find(|child| child.has_tag_name(name))
}

/// The text of a child, all pieces of it.
fn text(node: Node, name: &str) -> Option<String> {
    let pieces = child(node, name)?.children().filter(Node::is_text);
    Some(pieces.filter_map(|piece| piece.text()).collect())
}
