//! The members of each kind of object, as the reference lists them in section 8.

use super::modules::{DETECTING, MONITORING, SWITCHED};
use super::schema::Kind::{
    Choice, Date, Flag, Module, Number, Numbers, Reference, Settings, Text, Texts, Tree, Version,
};
use super::schema::{Field, Schema};

const LOCALES: &[&str] = &["en-US", "ja-JP"];
const SWITCH: &[&str] = &["off", "on"];
const TENANT_STATES: &[&str] = &[
    "undefined",
    "created",
    "active",
    "suspended",
    "suspended-db-locked",
    "pending-deletion",
    "db-upgrade-failure",
    "confirmation-required",
    "cache-requires-initialization",
    "cache-initializing",
    "cache-ready-for-use",
    "cache-activating",
];

/// Searchable, but made by the manager.
const fn made(name: &'static str, kind: super::schema::Kind) -> Field {
    Field::new(name, kind).read_only()
}

/// Written, but not searchable.
const fn written(name: &'static str, kind: super::schema::Kind) -> Field {
    Field::new(name, kind).not_searchable()
}

pub(crate) const API_KEY: Schema = Schema {
    member: "apiKeys",
    name: "keyName",
    fields: &[
        Field::new("keyName", Text),
        Field::new("description", Text),
        written("locale", Choice(LOCALES)),
        Field::new("roleID", Number),
        Field::new("timeZone", Text),
        Field::new("active", Flag),
        made("created", Date),
        made("lastSignIn", Date),
        Field::new("unlockTime", Date),
        made("unsuccessfulSignInAttempts", Number),
        Field::new("expiryDate", Date),
        made("serviceAccount", Flag),
    ],
};

pub(crate) const ROLE: Schema = Schema {
    member: "roles",
    name: "name",
    fields: &[
        Field::new("name", Text),
        Field::new("description", Text),
        made("urn", Text).not_searchable(),
        made("immutable", Flag).not_searchable(),
        Field::new("canOnlyManipulateUsersWithEqualOrLesserRights", Flag),
        Field::new("allComputers", Flag),
        Field::new("allPolicies", Flag),
        Field::new("allowUserInterface", Flag),
        Field::new("allowWebService", Flag),
        Field::new("allowManageWorkloadSecurityLink", Flag),
        Field::new("allowMigration", Flag),
        written("computerIDs", Numbers),
        written("computerGroupIDs", Numbers),
        written("policyIDs", Numbers),
        written("rights", Tree),
    ],
};

pub(crate) const TENANT: Schema = Schema {
    member: "tenants",
    name: "name",
    fields: &[
        Field::new("databaseServerID", Number),
        Field::new("name", Text),
        Field::new("description", Text),
        Field::new("timeZone", Text),
        made("guid", Text),
        written("agentInitiatedActivationPassword", Text),
        written("locale", Choice(LOCALES)),
        Field::new("demoMode", Flag),
        Field::new("hideUnlicensedModules", Flag),
        written("modulesVisible", Texts),
        made("lastSigninTime", Date),
        Field::new("tenantState", Choice(TENANT_STATES)),
        made("activationCodes", Texts).not_searchable(),
        made("administrator", Tree).not_searchable(),
        made("primaryContacts", Tree).not_searchable(),
    ],
};

pub(crate) const COMPUTER: Schema = Schema {
    member: "computers",
    name: "hostName",
    fields: &[
        Field::new("hostName", Text),
        Field::new("displayName", Text),
        Field::new("description", Text),
        made("lastIPUsed", Text),
        made("platform", Text),
        Field::new("groupID", Number),
        Field::new("policyID", Reference),
        Field::new("assetImportanceID", Reference),
        Field::new("relayListID", Number),
        made("agentFingerPrint", Text),
        made("applianceFingerPrint", Text).not_searchable(),
        made("biosUUID", Text).not_searchable(),
        made("lastAgentCommunication", Date),
        made("lastSendPolicyRequest", Date),
        made("lastSendPolicySuccess", Date),
        made("lastApplianceCommunication", Date).not_searchable(),
        made("agentVersion", Version),
        made("hostGUID", Text),
        made("ec2VirtualMachineSummary/accountID", Text),
        made("ec2VirtualMachineSummary/availabilityZone", Text),
        made("ec2VirtualMachineSummary/instanceID", Text),
        made("ec2VirtualMachineSummary/operatingSystem", Text),
        made("ec2VirtualMachineSummary/privateIPAddress", Text),
        written("antiMalware", Module(SWITCHED)),
        written("webReputation", Module(SWITCHED)),
        written("activityMonitoring", Module(SWITCHED)),
        written("firewall", Module(SWITCHED)),
        written("intrusionPrevention", Module(DETECTING)),
        written("integrityMonitoring", Module(MONITORING)),
        written("logInspection", Module(SWITCHED)),
        written("applicationControl", Module(SWITCHED)),
        written("SAP", Module(SWITCHED)),
        written("computerSettings", Settings),
    ],
};

pub(crate) const POLICY: Schema = Schema {
    member: "policies",
    name: "name",
    fields: &[
        Field::new("parentID", Reference),
        Field::new("name", Text),
        Field::new("description", Text),
        Field::new("recommendationScanMode", Choice(&["off", "ongoing"])),
        Field::new("autoRequiresUpdate", Choice(SWITCH)),
        written("interfaceTypes", Tree),
        written("antiMalware", Module(SWITCHED)),
        written("webReputation", Module(SWITCHED)),
        written("activityMonitoring", Module(SWITCHED)),
        written("firewall", Module(SWITCHED)),
        written("intrusionPrevention", Module(DETECTING)),
        written("integrityMonitoring", Module(MONITORING)),
        written("logInspection", Module(SWITCHED)),
        written("applicationControl", Module(SWITCHED)),
        written("SAP", Module(SWITCHED)),
        written("policySettings", Settings),
    ],
};
