//! The vendor's objects as data: where each field of the graph has its value
//! (`docs/reference/deep-security-api.md`, sections 5 and 8).

use std::sync::{Arc, LazyLock};

use async_graphql::resolver_utils::EnumType;

use super::enums::{
    DeepSecurityLocale, DeepSecurityMaintenanceMode, DeepSecurityModuleState, DeepSecurityScanMode,
    DeepSecurityStatus, DeepSecuritySwitch, DeepSecurityTenantState, DeepSecurityVisibleModule,
    VendorEnum, words,
};
use crate::deep_security::wire::{ApiKey, Computer, Policy, Resource, Role, Tenant};
use crate::projection::{FieldType, Identity, Kind, ObjectType, Types};

/// The name of the type of policies, which other objects link to.
pub const POLICY: &str = "DeepSecurityPolicy";
/// The name of the type of roles, which other objects link to.
pub const ROLE: &str = "DeepSecurityRole";

const COMPUTER_MODULE: &str = "DeepSecurityComputerModule";
const COMPUTER_MODULE_STATUS: &str = "DeepSecurityComputerModuleStatus";
const COMPUTER_STATUS: &str = "DeepSecurityComputerStatus";
const POLICY_MODULE: &str = "DeepSecurityPolicyModule";
const POLICY_MODULE_STATUS: &str = "DeepSecurityPolicyModuleStatus";

/// The most bytes of a tree of rights: enough for hundreds of long names.
const RIGHTS_MAX: usize = 32 * 1024;

/// The security modules: the field and the vendor's member.
const MODULES: [(&str, &str); 9] = [
    ("antiMalware", "antiMalware"),
    ("webReputation", "webReputation"),
    ("activityMonitoring", "activityMonitoring"),
    ("firewall", "firewall"),
    ("intrusionPrevention", "intrusionPrevention"),
    ("integrityMonitoring", "integrityMonitoring"),
    ("logInspection", "logInspection"),
    ("applicationControl", "applicationControl"),
    ("sap", "SAP"),
];

/// The types of all objects.
pub fn types() -> &'static Types {
    static TYPES: LazyLock<Types> = LazyLock::new(|| {
        Types(vec![
            computer(),
            computer_status(),
            computer_module(),
            computer_module_status(),
            policy(),
            policy_module(),
            policy_module_status(),
            role(),
            api_key(),
            tenant(),
        ])
    });
    &TYPES
}

fn computer() -> ObjectType {
    let mut fields = identified();
    fields.extend(same(&["hostName", "displayName", "description", "platform"], || Kind::Text));
    fields.extend(same(&["lastIPUsed", "agentVersion", "hostGUID"], || Kind::Text));
    fields.push(field("groupID", "groupID", Kind::Id));
    fields.extend(same(&["policyID", "assetImportanceID", "relayListID"], || Kind::Reference));
    fields.push(field("policy", "policyID", Kind::Link(POLICY.to_owned())));
    fields.extend(date("lastAgentCommunication", "lastAgentCommunication"));
    fields.extend(date("lastSendPolicyRequest", "lastSendPolicyRequest"));
    fields.extend(date("lastSendPolicySuccess", "lastSendPolicySuccess"));
    fields.push(part("computerStatus", COMPUTER_STATUS));
    fields.extend(modules(COMPUTER_MODULE));
    resource("DeepSecurityComputer", Computer::identity(), fields)
}

fn computer_status() -> ObjectType {
    let mut fields = Vec::new();
    for status in ["agentStatus", "applianceStatus"] {
        fields.extend(enumeration::<DeepSecurityStatus>(status));
        let messages = format!("{status}Messages");
        fields.push(field(&messages, &messages, list(Kind::Text)));
    }
    object(COMPUTER_STATUS, fields)
}

fn computer_module() -> ObjectType {
    let mut fields = module(COMPUTER_MODULE_STATUS);
    fields.extend(date("lastManualScan", "lastManualScan"));
    fields.extend(date("lastScheduledScan", "lastScheduledScan"));
    fields.extend(date("lastIntegrityScan", "lastIntegrityScan"));
    fields.extend(date("lastBaselineCreated", "lastBaselineCreated"));
    fields.extend(enumeration::<DeepSecurityMaintenanceMode>("maintenanceModeStatus"));
    fields.extend(same(&["maintenanceModeDuration"], || Kind::Integer));
    object(COMPUTER_MODULE, fields)
}

fn computer_module_status() -> ObjectType {
    let mut fields = Vec::new();
    for status in ["agentStatus", "applianceStatus"] {
        fields.extend(enumeration::<DeepSecurityStatus>(status));
        let message = format!("{status}Message");
        fields.push(field(&message, &message, Kind::Text));
    }
    object(COMPUTER_MODULE_STATUS, fields)
}

fn policy() -> ObjectType {
    let mut fields = identified();
    fields.extend(same(&["name", "description"], || Kind::Text));
    fields.push(field("parentID", "parentID", Kind::Reference));
    fields.push(field("parent", "parentID", Kind::Link(POLICY.to_owned())));
    fields.extend(enumeration::<DeepSecuritySwitch>("autoRequiresUpdate"));
    fields.extend(enumeration::<DeepSecurityScanMode>("recommendationScanMode"));
    fields.extend(modules(POLICY_MODULE));
    resource(POLICY, Policy::identity(), fields)
}

fn policy_module() -> ObjectType {
    object(POLICY_MODULE, module(POLICY_MODULE_STATUS))
}

fn policy_module_status() -> ObjectType {
    let mut fields = enumeration::<DeepSecurityStatus>("status");
    fields.push(field("statusMessage", "statusMessage", Kind::Text));
    object(POLICY_MODULE_STATUS, fields)
}

fn role() -> ObjectType {
    let mut fields = identified();
    fields.extend(same(&["name", "description"], || Kind::Text));
    fields.extend(same(&["immutable", "allComputers", "allPolicies"], || Kind::Boolean));
    fields.extend(same(&["allowUserInterface", "allowWebService"], || Kind::Boolean));
    let lesser_rights = ["canOnlyManipulateUsersWithEqualOrLesserRights"];
    fields.extend(same(&lesser_rights, || Kind::Boolean));
    fields.extend(same(&["computerIDs", "computerGroupIDs", "policyIDs"], || list(Kind::Id)));
    fields.push(field("rights", "rights", Kind::Json(RIGHTS_MAX)));
    resource(ROLE, Role::identity(), fields)
}

fn api_key() -> ObjectType {
    let mut fields = identified();
    fields.extend(same(&["keyName", "description", "timeZone"], || Kind::Text));
    fields.extend(enumeration::<DeepSecurityLocale>("locale"));
    fields.push(field("roleID", "roleID", Kind::Reference));
    fields.push(field("role", "roleID", Kind::Link(ROLE.to_owned())));
    fields.extend(same(&["active", "serviceAccount"], || Kind::Boolean));
    fields.extend(date("created", "created"));
    fields.extend(date("lastSignIn", "lastSignIn"));
    fields.push(field("unlocksAt", "unlockTime", Kind::Date));
    fields.push(field("unlockTime", "unlockTime", Kind::Date));
    fields.push(field("expiresAt", "expiryDate", Kind::Date));
    fields.push(field("expiryDate", "expiryDate", Kind::Date));
    fields.extend(same(&["unsuccessfulSignInAttempts"], || Kind::SmallInteger));
    resource("DeepSecurityApiKey", ApiKey::identity(), fields)
}

fn tenant() -> ObjectType {
    let mut fields = identified();
    fields.extend(same(&["name", "description", "guid", "timeZone"], || Kind::Text));
    fields.extend(enumeration::<DeepSecurityLocale>("locale"));
    fields.extend(enumeration::<DeepSecurityTenantState>("tenantState"));
    let visible = Kind::Enum(Arc::new(words::<DeepSecurityVisibleModule>()));
    fields.push(field("modulesVisible", "modulesVisible", list(visible)));
    fields.push(field("modulesVisibleText", "modulesVisible", list(Kind::Text)));
    fields.extend(date("lastSignIn", "lastSigninTime"));
    resource("DeepSecurityTenant", Tenant::identity(), fields)
}

/// The fields that modules of computers and policies have in common.
fn module(status: &str) -> Vec<FieldType> {
    let mut fields = enumeration::<DeepSecurityModuleState>("state");
    fields.push(part("moduleStatus", status));
    fields.push(field("ruleIDs", "ruleIDs", list(Kind::Id)));
    for scan in ["realTimeScan", "manualScan", "scheduledScan"] {
        let configuration = format!("{scan}ConfigurationID");
        fields.push(field(&configuration, &configuration, Kind::Reference));
    }
    fields.push(field("blockUnrecognized", "blockUnrecognized", Kind::Boolean));
    fields
}

fn modules(ty: &str) -> impl Iterator<Item = FieldType> {
    MODULES.iter().map(move |(name, member)| field(name, member, Kind::Object(ty.to_owned())))
}

fn identified() -> Vec<FieldType> {
    vec![field("id", "ID", Kind::GlobalId), field("remoteID", "ID", Kind::Id)]
}

/// Fields that are named as their members.
fn same(names: &[&str], kind: impl Fn() -> Kind) -> Vec<FieldType> {
    names.iter().map(|name| field(name, name, kind())).collect()
}

/// A moment, and the older field with the same value.
fn date(name: &str, member: &str) -> [FieldType; 2] {
    [field(&format!("{name}At"), member, Kind::Date), field(name, member, Kind::Date)]
}

/// An enumeration value, and the vendor's spelling of it.
fn enumeration<E: VendorEnum + EnumType>(name: &str) -> Vec<FieldType> {
    let value = field(name, name, Kind::Enum(Arc::new(words::<E>())));
    vec![value, field(&format!("{name}Text"), name, Kind::Text)]
}

fn part(name: &str, ty: &str) -> FieldType {
    field(name, name, Kind::Object(ty.to_owned()))
}

fn list(item: Kind) -> Kind {
    Kind::List(Box::new(item))
}

fn field(name: &str, member: &str, kind: Kind) -> FieldType {
    FieldType { name: name.to_owned(), member: member.to_owned(), kind }
}

fn object(name: &str, fields: Vec<FieldType>) -> ObjectType {
    ObjectType { name: name.to_owned(), fields, identity: None }
}

fn resource(name: &str, identity: Identity, fields: Vec<FieldType>) -> ObjectType {
    ObjectType { identity: Some(identity), ..object(name, fields) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use async_graphql::OutputType;
    use async_graphql::registry::{MetaType, Registry};

    use super::types;
    use crate::deep_security::graphql::computer::ComputerObject;
    use crate::deep_security::graphql::key::ApiKeyObject;
    use crate::deep_security::graphql::tenant::TenantObject;

    #[test]
    fn every_field_of_the_graph_is_described() {
        let mut registry = Registry::default();
        ComputerObject::create_type_info(&mut registry);
        ApiKeyObject::create_type_info(&mut registry);
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
