//! The server's objects as data: where each field of the graph has its value
//! (`docs/reference/integration-server-api.md`, T1 and T3).

use std::sync::{Arc, LazyLock};

use crate::global_id::NodeKind;
use crate::projection::{FieldType, Identity, Kind, ObjectType, Types, Words};

const ADMINISTRATION_SERVER: &str = "IntegrationServerAdministrationServer";

/// The types of all objects of lists.
pub fn types() -> &'static Types {
    static TYPES: LazyLock<Types> =
        LazyLock::new(|| Types(vec![machine(), tenant(), administration_server()]));
    &TYPES
}

fn machine() -> ObjectType {
    let mut fields = identified();
    fields.push(field("biosID", "@biosId", Kind::Uuid));
    fields.push(field("name", "name", Kind::Text));
    fields.push(field("userData", "userData", Kind::Text));
    fields.extend(dates());
    let identity = identity(NodeKind::IntegrationServerVirtualMachine, "@id");
    ObjectType { name: "IntegrationServerVirtualMachine".to_owned(), fields, identity }
}

fn tenant() -> ObjectType {
    let mut fields = identified();
    fields.push(field("name", "name", Kind::RequiredText));
    fields.push(field("description", "description", Kind::Text));
    fields.push(field("userData", "userData", Kind::Text));
    fields.extend(enumeration("status", &[("Active", "ACTIVE"), ("Inactive", "INACTIVE")]));
    fields.extend(enumeration("type", &[("Complete", "COMPLETE"), ("Simple", "SIMPLE")]));
    let server = Kind::Group(ADMINISTRATION_SERVER.to_owned());
    fields.push(field("administrationServer", "vKsc", server));
    fields.extend(dates());
    let identity = identity(NodeKind::IntegrationServerTenant, "@id");
    ObjectType { name: "IntegrationServerTenant".to_owned(), fields, identity }
}

/// Its members are those of the tenant.
fn administration_server() -> ObjectType {
    let fields = vec![
        field("id", "vKsc/@id", Kind::GlobalId),
        field("remoteID", "vKsc/@id", Kind::Id),
        field("administrator", "vKsc/user/name", Kind::Text),
    ];
    let identity = identity(NodeKind::IntegrationServerAdministrationServer, "vKsc/@id");
    ObjectType { name: ADMINISTRATION_SERVER.to_owned(), fields, identity }
}

fn identified() -> Vec<FieldType> {
    vec![field("id", "@id", Kind::GlobalId), field("remoteID", "@id", Kind::Id)]
}

fn dates() -> [FieldType; 4] {
    [
        field("createdAt", "@created", Kind::Date),
        field("created", "@created", Kind::Date),
        field("updatedAt", "@updated", Kind::Date),
        field("updated", "@updated", Kind::Date),
    ]
}

/// An enumeration value, and the word that stands for it.
fn enumeration(name: &str, known: &[(&str, &str)]) -> [FieldType; 2] {
    let known = known.iter().map(|(word, value)| ((*word).to_owned(), (*value).to_owned()));
    let words = Arc::new(Words { known: known.collect(), unknown: "UNKNOWN".to_owned() });
    [
        field(name, name, Kind::Enum(words.clone())),
        field(&format!("{name}Text"), name, Kind::EnumText(words)),
    ]
}

fn identity(node: NodeKind, id: &str) -> Option<Identity> {
    Some(Identity { node, id: id.to_owned(), name: "name".to_owned() })
}

fn field(name: &str, member: &str, kind: Kind) -> FieldType {
    FieldType { name: name.to_owned(), member: member.to_owned(), kind }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use async_graphql::OutputType;
    use async_graphql::registry::{MetaType, Registry};

    use super::types;
    use crate::integration_server::graphql::{MachineObject, TenantObject};

    #[test]
    fn every_field_of_the_graph_is_described() {
        let mut registry = Registry::default();
        MachineObject::create_type_info(&mut registry);
        TenantObject::create_type_info(&mut registry);
        let mut compared = 0;
        for (name, ty) in &registry.types {
            let MetaType::Object { fields, .. } = ty else { continue };
            let described = types().get(name).unwrap_or_else(|| panic!("{name} is not described"));
            let described: BTreeSet<_> =
                described.fields.iter().map(|field| field.name.as_str()).collect();
            assert_eq!(described, fields.keys().map(String::as_str).collect(), "{name}");
            compared += 1;
        }
        assert_eq!(compared, types().0.len());
    }
}
