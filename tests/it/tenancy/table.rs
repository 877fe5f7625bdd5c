//! The expected authorization of every root field. A field without a row fails
//! `walk::every_field_has_an_expectation`.

use tenant_gateway::roles::Role;

/// The expected authorization of a root field.
pub struct Row {
    pub field: &'static str,
    /// A valid request; the variables `$client`, `$tenant`, `$secret`, `$key`, `$upstream` and
    /// `$link` are always provided.
    pub document: &'static str,
    /// The roles that are allowed in the tenant in context; all others get FORBIDDEN.
    pub allowed: &'static [Role],
    /// The variable with the object's id, if the field takes one.
    pub object: Option<&'static str>,
}

const ANY: &[Role] = &Role::ALL;
const READERS: &[Role] = &[Role::Administrator, Role::Analyst, Role::Auditor];
const MANAGERS: &[Role] = &[Role::Administrator, Role::Analyst];
const WRITERS: &[Role] = &[Role::Administrator, Role::Analyst, Role::Responder];
const ADMINISTRATORS: &[Role] = &[Role::Administrator];
/// No client, whatever its role: fields for people.
const PEOPLE: &[Role] = &[];

pub const fn row(field: &'static str, allowed: &'static [Role], document: &'static str) -> Row {
    Row { field, document, allowed, object: None }
}

pub const fn at(object: &'static str, row: Row) -> Row {
    Row { object: Some(object), ..row }
}

pub const QUERIES: &[Row] = &[
    at(
        "tenant",
        row(
            "tenant",
            ANY,
            "query($tenant: ID!) { tenant(id: $tenant) { id name effectiveRoles { via } } \
        }",
        ),
    ),
    row(
        "tenants",
        ANY,
        "{ tenants { totalCount tenants { id effectiveRoles { role { id } via } } } }",
    ),
    // Malformed ids have another error than unknown ones; tests/it/nodes.rs tests the isolation of
    // tenants.
    row("node", ANY, "query($tenant: ID!) { node(id: $tenant) { id } }"),
    row("nodes", ANY, "query($tenant: ID!) { nodes(ids: [$tenant]) { id } }"),
    row("requestTenantContext", ANY, "{ requestTenantContext { tenantIDs } }"),
    row("authzAssignableRoles", ANY, "{ authzAssignableRoles { id } }"),
    row(
        "currentSubject",
        ANY,
        "{ currentSubject { id identity { ... on Client { id secrets { lastFour } } } } }",
    ),
    at(
        "client",
        row(
            "client",
            READERS,
            "query($client: ID!) { client(id: $client) { id secrets { id } rotation { safeToRetire \
            } } }",
        ),
    ),
    row("clients", READERS, "{ clients { id roleAssignments { roleID } } }"),
    row(
        "clientsSearch",
        READERS,
        "{ clientsSearch { totalCount totalUnfilteredCount results { id } } }",
    ),
    at(
        "user",
        row("user", READERS, "query($user: ID!) { user(id: $user) { id roleAssignments { id } } }"),
    ),
    row("users", READERS, "{ users { totalCount nodes { id email } } }"),
    row("sessions", PEOPLE, "{ sessions { id } }"),
    at(
        "user",
        row(
            "userSessions",
            READERS,
            "query($user: ID!) { userSessions(userID: $user) { id address } }",
        ),
    ),
    row("currentTDRUser", PEOPLE, "{ currentTDRUser { id email role_assignments { id } } }"),
    row("upstreams", ANY, "{ upstreams { id baseURL links { id status { reachable } } } }"),
    row("upstreamsConnection", ANY, "{ upstreamsConnection { totalCount nodes { id } } }"),
    at(
        "upstream",
        row(
            "upstream",
            ANY,
            "query($upstream: ID!) { upstream(id: $upstream) { id owner { id } } }",
        ),
    ),
    row("identityProvider", READERS, "{ identityProvider { id issuer defaultRole { id } } }"),
    at(
        "user",
        row(
            "userIdentity",
            READERS,
            "query($user: ID!) { userIdentity(userID: $user) { issuer subject } }",
        ),
    ),
    row("auditLog", ADMINISTRATORS, "{ auditLog { edges { node { id before after } } } }"),
    row("auditVerify", ADMINISTRATORS, "{ auditVerify { outcome head { hash } } }"),
    row(
        "deepSecurity",
        ANY,
        "{ deepSecurity { computers(first: 1) { nodes { id } } tenant { name } } }",
    ),
];

pub const MUTATIONS: &[Row] = &[
    row(
        "endSession",
        PEOPLE,
        r#"mutation { endSession(id: "00000000-0000-4000-8000-000000000000") { id } }"#,
    ),
    at(
        "user",
        row(
            "endUserSession",
            ADMINISTRATORS,
            "mutation($user: ID!, $session: ID!) {
                endUserSession(userID: $user, sessionID: $session) { id } }",
        ),
    ),
    row(
        "setIdentityProvider",
        ADMINISTRATORS,
        r#"mutation { setIdentityProvider(input: { issuer: "https://id.invalid", clientID: "gateway",
            clientSecret: "secret of the gateway", domains: ["north.example"] }) { id } }"#,
    ),
    row("testIdentityProvider", ADMINISTRATORS, "mutation { testIdentityProvider { ok problem } }"),
    row("removeIdentityProvider", ADMINISTRATORS, "mutation { removeIdentityProvider }"),
    at(
        "user",
        row(
            "unlinkUserIdentity",
            ADMINISTRATORS,
            "mutation($user: ID!) { unlinkUserIdentity(id: $user) { id } }",
        ),
    ),
    row(
        "inviteUser",
        ADMINISTRATORS,
        r#"mutation { inviteUser(input: { email: "made@example.com", name: "Made" }) { inviteURL } }"#,
    ),
    at(
        "user",
        row(
            "inviteUserAgain",
            ADMINISTRATORS,
            "mutation($user: ID!) { inviteUserAgain(id: $user) { inviteURL } }",
        ),
    ),
    at(
        "user",
        row(
            "updateUser",
            ADMINISTRATORS,
            r#"mutation($user: ID!) { updateUser(id: $user, input: { name: "Renamed" }) { id } }"#,
        ),
    ),
    at(
        "user",
        row(
            "assignUserRole",
            ADMINISTRATORS,
            r#"mutation($user: ID!) { assignUserRole(id: $user,
                role: { roleID: "ace1cae4-59fd-4fd1-9500-40077dc529a7" }) { id } }"#,
        ),
    ),
    at(
        "user",
        row(
            "removeUserRole",
            ADMINISTRATORS,
            r#"mutation($user: ID!) { removeUserRole(id: $user,
                roleID: "ace1cae4-59fd-4fd1-9500-40077dc529a7") { id } }"#,
        ),
    ),
    at(
        "user",
        row(
            "disableUser",
            ADMINISTRATORS,
            "mutation($user: ID!) { disableUser(id: $user) { enabled } }",
        ),
    ),
    at(
        "user",
        row(
            "enableUser",
            ADMINISTRATORS,
            "mutation($user: ID!) { enableUser(id: $user) { enabled } }",
        ),
    ),
    at(
        "user",
        row(
            "resetUserMfa",
            ADMINISTRATORS,
            "mutation($user: ID!) { resetUserMfa(id: $user) { inviteURL } }",
        ),
    ),
    at(
        "user",
        row(
            "resetUserPassword",
            ADMINISTRATORS,
            "mutation($user: ID!) { resetUserPassword(id: $user) { inviteURL } }",
        ),
    ),
    at(
        "user",
        row(
            "signOutUser",
            ADMINISTRATORS,
            "mutation($user: ID!) { signOutUser(id: $user) { id } }",
        ),
    ),
    at(
        "user",
        row("deleteUser", ADMINISTRATORS, "mutation($user: ID!) { deleteUser(id: $user) { id } }"),
    ),
    at(
        "tenant",
        row(
            "createTenant",
            ADMINISTRATORS,
            r#"mutation($tenant: ID!) { createTenant(newTenant: { name: "made", parentTenantID:
                $tenant }) { id } }"#,
        ),
    ),
    at(
        "tenant",
        row(
            "updateTenant",
            ADMINISTRATORS,
            r#"mutation($tenant: ID!) { updateTenant(tenantID: $tenant, tenantUpdate: { name:
                "renamed" }) { id } }"#,
        ),
    ),
    at(
        "tenant",
        row(
            "createClient",
            MANAGERS,
            r#"mutation($tenant: ID!) { createClient(name: "made", roles:
                ["ace1cae4-59fd-4fd1-9500-40077dc529a7"], input: { ownerTenantID: $tenant }) {
                clientSecret } }"#,
        ),
    ),
    at(
        "client",
        row(
            "updateClient",
            MANAGERS,
            r#"mutation($client: ID!) { updateClient(id: $client, input: { name: "renamed" }) { id }
                }"#,
        ),
    ),
    at(
        "client",
        row(
            "rotateClientSecret",
            MANAGERS,
            "mutation($client: ID!) { rotateClientSecret(id: $client, gracePeriodSeconds: 600) { \
            clientSecret } }",
        ),
    ),
    at(
        "client",
        row(
            "forceRotateClientSecret",
            MANAGERS,
            "mutation($client: ID!) { forceRotateClientSecret(id: $client) { clientSecret } }",
        ),
    ),
    at(
        "client",
        row(
            "retireClientSecret",
            MANAGERS,
            "mutation($client: ID!, $secret: ID!) { retireClientSecret(id: $client, secretID: \
            $secret) { id } }",
        ),
    ),
    at(
        "client",
        row(
            "appendClientRoles",
            MANAGERS,
            r#"mutation($client: ID!) { appendClientRoles(id: $client, roles: [{ roleID:
                "ace1cae4-59fd-4fd1-9500-40077dc529a7" }]) { id } }"#,
        ),
    ),
    at(
        "client",
        row(
            "removeClientRoles",
            MANAGERS,
            r#"mutation($client: ID!) { removeClientRoles(id: $client, roles:
                ["ace1cae4-59fd-4fd1-9500-40077dc529a7"]) { id } }"#,
        ),
    ),
    at(
        "client",
        row(
            "addClientKey",
            MANAGERS,
            r#"mutation($client: ID!) { addClientKey(id: $client, input: { jwk: { kty: "OKP", crv:
                "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" } }) { keys { id } }
                }"#,
        ),
    ),
    at(
        "client",
        row(
            "removeClientKey",
            MANAGERS,
            "mutation($client: ID!, $key: ID!) { removeClientKey(id: $client, keyID: $key) { id } \
            }",
        ),
    ),
    at(
        "client",
        row(
            "createClientKey",
            MANAGERS,
            r#"mutation($client: ID!) { createClientKey(id: $client, input: { key: { kty: OKP, crv:
                ED25519, x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" } }) { keys { id } } }"#,
        ),
    ),
    at(
        "client",
        row(
            "deleteClientKey",
            MANAGERS,
            "mutation($client: ID!, $key: ID!) { deleteClientKey(id: $client, keyID: $key) { id } \
            }",
        ),
    ),
    row(
        "createUpstream",
        ADMINISTRATORS,
        r#"mutation { createUpstream(input: { name: "made", system: DEEP_SECURITY, baseURL:
            "https://dsm.example.com:4119/api", credential: { secretKey: "1:made" } }) { id } }"#,
    ),
    row(
        "registerUpstream",
        ADMINISTRATORS,
        r#"mutation { registerUpstream(input: { name: "made", system: DEEP_SECURITY, baseURL:
            "https://dsm.example.com:4119/api", credential: { secretKey: "1:made" } }) { id } }"#,
    ),
    at(
        "upstream",
        row(
            "updateUpstream",
            ADMINISTRATORS,
            r#"mutation($upstream: ID!) { updateUpstream(id: $upstream, input: { name: "renamed" })
                { id } }"#,
        ),
    ),
    at(
        "upstream",
        row(
            "deleteUpstream",
            ADMINISTRATORS,
            "mutation($upstream: ID!) { deleteUpstream(id: $upstream) { id } }",
        ),
    ),
    at(
        "upstream",
        row(
            "removeUpstream",
            ADMINISTRATORS,
            "mutation($upstream: ID!) { removeUpstream(id: $upstream) { id } }",
        ),
    ),
    at(
        "upstream",
        row(
            "testUpstream",
            ADMINISTRATORS,
            "mutation($upstream: ID!) { testUpstream(id: $upstream) { reachable } }",
        ),
    ),
    at(
        "upstream",
        row(
            "linkTenant",
            ADMINISTRATORS,
            r#"mutation($tenant: ID!, $upstream: ID!) { linkTenant(input: { tenantID: $tenant,
                upstreamID: $upstream, remoteTenantID: "7" }) { id } }"#,
        ),
    ),
    at(
        "linked",
        row(
            "testLink",
            ADMINISTRATORS,
            "mutation($linked: ID!) { testLink(tenantID: $linked, system: DEEP_SECURITY) { \
             verification { state } } }",
        ),
    ),
    at(
        "link",
        row(
            "unlinkTenant",
            ADMINISTRATORS,
            "mutation($link: ID!) { unlinkTenant(id: $link) { id } }",
        ),
    ),
    at(
        "client",
        row(
            "deleteClient",
            MANAGERS,
            "mutation($client: ID!) { deleteClient(id: $client) { id } }",
        ),
    ),
    // The vendor counts ids within each tenant, so that no id belongs to another tenant.
    row(
        "createDeepSecurityApiKey",
        WRITERS,
        r#"mutation { createDeepSecurityApiKey(input: { keyName: "made", roleID: "2" }) { apiKey {
            id } } }"#,
    ),
    row(
        "updateDeepSecurityApiKey",
        WRITERS,
        "mutation($apiKey: ID!) { updateDeepSecurityApiKey(id: $apiKey, input: { active: false }) \
        { id } }",
    ),
    row(
        "rotateDeepSecurityApiKeySecret",
        WRITERS,
        "mutation($apiKey: ID!) { rotateDeepSecurityApiKeySecret(id: $apiKey) { apiKey { id } } }",
    ),
    row(
        "deleteDeepSecurityApiKey",
        WRITERS,
        "mutation($apiKey: ID!) { deleteDeepSecurityApiKey(id: $apiKey) }",
    ),
    row(
        "createDeepSecurityTenantApiKey",
        WRITERS,
        r#"mutation { createDeepSecurityTenantApiKey(input: { keyName: "made", roleID: "2" }) {
            apiKey { id } } }"#,
    ),
    row(
        "generateDeepSecurityTenantApiKey",
        WRITERS,
        r#"mutation { generateDeepSecurityTenantApiKey(input: { keyName: "made", roleID: "2" }) {
            apiKey { id } } }"#,
    ),
    row(
        "createDeepSecurityPolicy",
        WRITERS,
        "mutation($name: String!) { createDeepSecurityPolicy(input: { name: $name }) { id } }",
    ),
    row(
        "updateDeepSecurityPolicy",
        WRITERS,
        "mutation($policy: ID!, $name: String!) { updateDeepSecurityPolicy(id: $policy, input: { \
        name: $name }) { id } }",
    ),
    row(
        "deleteDeepSecurityPolicy",
        WRITERS,
        "mutation($policy: ID!) { deleteDeepSecurityPolicy(id: $policy) }",
    ),
    row(
        "updateDeepSecurityComputer",
        WRITERS,
        r#"mutation($computer: ID!) { updateDeepSecurityComputer(id: $computer, input: {
            description: "x" }) { id } }"#,
    ),
    row(
        "deleteDeepSecurityComputer",
        WRITERS,
        "mutation($computer: ID!) { deleteDeepSecurityComputer(id: $computer) }",
    ),
];

/// The fields below the root that lead to another object, each with the reason why no foreign
/// object is reached.
pub const NESTED: &[(&str, &str)] = &[
    ("AuditRecordConnection.edges", "auditLog: administrators alone"),
    ("AuditRecordConnection.nodes", "auditLog: administrators alone"),
    ("AuditRecordConnection.pageInfo", "auditLog: administrators alone"),
    ("AuditRecordEdge.node", "auditLog: administrators alone"),
    ("AuditVerification.anchor", "auditVerify: administrators alone"),
    ("AuditVerification.firstBroken", "auditVerify: administrators alone"),
    ("AuditVerification.head", "auditVerify: administrators alone"),
    ("Client.keys", "whoever may see the client; public halves' thumbprints alone"),
    ("Client.roleAssignments", "whoever may see the client"),
    ("Client.role_assignments", "whoever may see the client"),
    ("Client.rotation", "whoever may see the client"),
    (
        "Client.secrets",
        "whoever may see the client; of a secret, its last four characters and times alone",
    ),
    ("ClientSearchResults.results", "clientsSearch: readers alone"),
    ("DeepSecurity.apiKey", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurity.apiKeys", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurity.computer", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurity.computers", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurity.policies", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurity.policy", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurity.role", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurity.roles", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurity.tenant", "the tenant's own entry"),
    ("DeepSecurity.tenants", "the owner of the upstream alone"),
    ("DeepSecurityApiKey.role", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityApiKeyConnection.edges", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityApiKeyConnection.nodes", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityApiKeyConnection.pageInfo", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityApiKeyEdge.node", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityApiKeySecret.apiKey", "whoever may change legacy resources"),
    (
        "DeepSecurityComputer.activityMonitoring",
        "deepSecurity: read with a key of the tenant alone",
    ),
    ("DeepSecurityComputer.antiMalware", "deepSecurity: read with a key of the tenant alone"),
    (
        "DeepSecurityComputer.applicationControl",
        "deepSecurity: read with a key of the tenant alone",
    ),
    ("DeepSecurityComputer.computerStatus", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityComputer.firewall", "deepSecurity: read with a key of the tenant alone"),
    (
        "DeepSecurityComputer.integrityMonitoring",
        "deepSecurity: read with a key of the tenant alone",
    ),
    (
        "DeepSecurityComputer.intrusionPrevention",
        "deepSecurity: read with a key of the tenant alone",
    ),
    ("DeepSecurityComputer.logInspection", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityComputer.policy", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityComputer.sap", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityComputer.webReputation", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityComputerConnection.edges", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityComputerConnection.nodes", "deepSecurity: read with a key of the tenant alone"),
    (
        "DeepSecurityComputerConnection.pageInfo",
        "deepSecurity: read with a key of the tenant alone",
    ),
    ("DeepSecurityComputerEdge.node", "deepSecurity: read with a key of the tenant alone"),
    (
        "DeepSecurityComputerModule.moduleStatus",
        "deepSecurity: read with a key of the tenant alone",
    ),
    ("DeepSecurityPolicy.activityMonitoring", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicy.antiMalware", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicy.applicationControl", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicy.firewall", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicy.integrityMonitoring", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicy.intrusionPrevention", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicy.logInspection", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicy.parent", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicy.sap", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicy.webReputation", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicyConnection.edges", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicyConnection.nodes", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicyConnection.pageInfo", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicyEdge.node", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityPolicyModule.moduleStatus", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityRoleConnection.edges", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityRoleConnection.nodes", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityRoleConnection.pageInfo", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityRoleEdge.node", "deepSecurity: read with a key of the tenant alone"),
    ("DeepSecurityTenantConnection.edges", "the owner of the upstream alone"),
    ("DeepSecurityTenantConnection.nodes", "the owner of the upstream alone"),
    ("DeepSecurityTenantConnection.pageInfo", "the owner of the upstream alone"),
    ("DeepSecurityTenantEdge.node", "the owner of the upstream alone"),
    ("EffectiveRole.role", "the caller's own"),
    ("EffectiveRole.viaTenant", "null where the caller may not enter it"),
    (
        "IntegrationServer.report",
        "reports that tasks about the tenant or one below it made; its lines about that tenant \
        alone",
    ),
    ("IdentityProvider.defaultRole", "identityProvider: whoever may read users"),
    ("IntegrationServer.task", "tasks about the tenant or one below it"),
    ("IntegrationServer.tasks", "tasks about the tenant or one below it"),
    ("IntegrationServer.tenant", "the tenant's own entry, by its link"),
    ("IntegrationServer.tenants", "the owner of the upstream alone"),
    ("IntegrationServer.virtualMachines", "the tenant's own machines, by its link"),
    ("IntegrationServerReport.periods", "whoever may see the report"),
    ("IntegrationServerTask.error", "whoever may see the task"),
    ("IntegrationServerTask.result", "whoever may see the task"),
    ("IntegrationServerTaskConnection.edges", "whoever may see the tasks"),
    ("IntegrationServerTaskConnection.nodes", "whoever may see the tasks"),
    ("IntegrationServerTaskConnection.pageInfo", "whoever may see the tasks"),
    ("IntegrationServerTaskEdge.node", "whoever may see the tasks"),
    ("IntegrationServerTenant.administrationServer", "whoever may see the tenant"),
    ("IntegrationServerTenantConnection.edges", "the owner of the upstream alone"),
    ("IntegrationServerTenantConnection.nodes", "the owner of the upstream alone"),
    ("IntegrationServerTenantConnection.pageInfo", "the owner of the upstream alone"),
    ("IntegrationServerTenantEdge.node", "the owner of the upstream alone"),
    ("IntegrationServerVirtualMachineConnection.edges", "the tenant's own machines, by its link"),
    ("IntegrationServerVirtualMachineConnection.nodes", "the tenant's own machines, by its link"),
    (
        "IntegrationServerVirtualMachineConnection.pageInfo",
        "the tenant's own machines, by its link",
    ),
    ("IntegrationServerVirtualMachineEdge.node", "the tenant's own machines, by its link"),
    ("NewClient.client", "whoever may make or rotate the client"),
    ("Subject.identity", "the caller itself"),
    ("Tenant.deepSecurity", "whoever may read legacy resources in that tenant"),
    ("Tenant.effectiveRoles", "the caller's own"),
    ("Tenant.parent", "null where the caller may not enter it"),
    ("Tenant.upstreamLinksConnection", "as Tenant.upstreamLinks"),
    ("Tenant.integrationServer", "whoever may read legacy resources in that tenant"),
    ("Tenant.upstreamLinks", "whoever may read legacy resources in the tenant in context"),
    ("TenantResults.tenants", "whoever may enter the tenant in context"),
    ("Upstream.linksConnection", "as Upstream.links"),
    ("Upstream.owner", "null where the caller may not enter it"),
    ("UpstreamConnection.edges", "the owner alone"),
    ("UpstreamConnection.nodes", "the owner alone"),
    ("UpstreamConnection.pageInfo", "the owner alone"),
    ("UpstreamEdge.node", "the owner alone"),
    ("UpstreamLink.tenant", "null where the caller may not enter it"),
    ("UpstreamLinkConnection.edges", "whoever may see the links"),
    ("UpstreamLinkConnection.nodes", "whoever may see the links"),
    ("UpstreamLinkConnection.pageInfo", "whoever may see the links"),
    ("UpstreamLinkEdge.node", "whoever may see the link"),
    ("Upstream.links", "whoever may see the upstream; of the tenants in context and below alone"),
    ("UpstreamLink.status", "whoever may see the link"),
    ("UpstreamStatus.verification", "whoever may see the link"),
    ("UpstreamLink.upstream", "whoever may see the link; its credential is never shown"),
    ("TDRUser.role_assignments", "the caller's own"),
    ("User.roleAssignments", "whoever may see the user"),
    ("UserConnection.edges", "users: readers alone"),
    ("UserConnection.nodes", "users: readers alone"),
    ("UserConnection.pageInfo", "users: readers alone"),
    ("UserEdge.node", "users: readers alone"),
    ("UserInvitation.user", "whoever may manage the user"),
];
