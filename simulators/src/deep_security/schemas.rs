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

/// A member that is searchable and read-only.
const fn read_only(name: &'static str, kind: super::schema::Kind) -> Field {
    Field::new(name, kind).read_only()
}

/// A member that is writable and not searchable.
const fn unsearchable(name: &'static str, kind: super::schema::Kind) -> Field {
    Field::new(name, kind).not_searchable()
}

pub(crate) const API_KEY: Schema = Schema {
    member: "apiKeys",
    name: "keyName",
    fields: &[
        Field::new("keyName", Text),
        Field::new("description", Text),
        unsearchable("locale", Choice(LOCALES)),
        Field::new("roleID", Number),
        Field::new("timeZone", Text),
        Field::new("active", Flag),
        read_only("created", Date),
        read_only("lastSignIn", Date),
        Field::new("unlockTime", Date),
        read_only("unsuccessfulSignInAttempts", Number),
        Field::new("expiryDate", Date),
        read_only("serviceAccount", Flag),
    ],
};

pub(crate) const ROLE: Schema = Schema {
    member: "roles",
    name: "name",
    fields: &[
        Field::new("name", Text),
        Field::new("description", Text),
        read_only("urn", Text).not_searchable(),
        read_only("immutable", Flag).not_searchable(),
        Field::new("canOnlyManipulateUsersWithEqualOrLesserRights", Flag),
        Field::new("allComputers", Flag),
        Field::new("allPolicies", Flag),
        Field::new("allowUserInterface", Flag),
        Field::new("allowWebService", Flag),
        Field::new("allowManageWorkloadSecurityLink", Flag),
        Field::new("allowMigration", Flag),
        unsearchable("computerIDs", Numbers),
        unsearchable("computerGroupIDs", Numbers),
        unsearchable("policyIDs", Numbers),
        unsearchable("rights", Tree),
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
        read_only("guid", Text),
        unsearchable("agentInitiatedActivationPassword", Text),
        unsearchable("locale", Choice(LOCALES)),
        Field::new("demoMode", Flag),
        Field::new("hideUnlicensedModules", Flag),
        unsearchable("modulesVisible", Texts),
        read_only("lastSigninTime", Date),
        Field::new("tenantState", Choice(TENANT_STATES)),
        read_only("activationCodes", Texts).not_searchable(),
        read_only("administrator", Tree).not_searchable(),
        read_only("primaryContacts", Tree).not_searchable(),
    ],
};

pub(crate) const COMPUTER: Schema = Schema {
    member: "computers",
    name: "hostName",
    fields: &[
        Field::new("hostName", Text),
        Field::new("displayName", Text),
        Field::new("description", Text),
        read_only("lastIPUsed", Text),
        read_only("platform", Text),
        Field::new("groupID", Number),
        Field::new("policyID", Reference),
        Field::new("assetImportanceID", Reference),
        Field::new("relayListID", Number),
        read_only("agentFingerPrint", Text),
        read_only("applianceFingerPrint", Text).not_searchable(),
        read_only("biosUUID", Text).not_searchable(),
        read_only("lastAgentCommunication", Date),
        read_only("lastSendPolicyRequest", Date),
        read_only("lastSendPolicySuccess", Date),
        read_only("lastApplianceCommunication", Date).not_searchable(),
        read_only("agentVersion", Version),
        read_only("hostGUID", Text),
        read_only("ec2VirtualMachineSummary/accountID", Text),
        read_only("ec2VirtualMachineSummary/availabilityZone", Text),
        read_only("ec2VirtualMachineSummary/instanceID", Text),
        read_only("ec2VirtualMachineSummary/operatingSystem", Text),
        read_only("ec2VirtualMachineSummary/privateIPAddress", Text),
        unsearchable("antiMalware", Module(SWITCHED)),
        unsearchable("webReputation", Module(SWITCHED)),
        unsearchable("activityMonitoring", Module(SWITCHED)),
        unsearchable("firewall", Module(SWITCHED)),
        unsearchable("intrusionPrevention", Module(DETECTING)),
        unsearchable("integrityMonitoring", Module(MONITORING)),
        unsearchable("logInspection", Module(SWITCHED)),
        unsearchable("applicationControl", Module(SWITCHED)),
        unsearchable("SAP", Module(SWITCHED)),
        unsearchable("computerSettings", Settings),
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
        unsearchable("interfaceTypes", Tree),
        unsearchable("antiMalware", Module(SWITCHED)),
        unsearchable("webReputation", Module(SWITCHED)),
        unsearchable("activityMonitoring", Module(SWITCHED)),
        unsearchable("firewall", Module(SWITCHED)),
        unsearchable("intrusionPrevention", Module(DETECTING)),
        unsearchable("integrityMonitoring", Module(MONITORING)),
        unsearchable("logInspection", Module(SWITCHED)),
        unsearchable("applicationControl", Module(SWITCHED)),
        unsearchable("SAP", Module(SWITCHED)),
        unsearchable("policySettings", Settings),
    ],
};
