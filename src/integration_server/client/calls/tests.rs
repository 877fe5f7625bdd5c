use super::*;
use crate::clock::Timestamp;
use crate::integration_server::model::{BiosId, NewTenantKind, TaskKind, TaskState, WireText};

const ROOT: &str = "api/2.0/virtualization";
const BIOS: &str = "345ae5d6-eeb7-4635-884a-01ac1781deeb";

fn calls() -> Calls {
    Calls::new("multitenancy", "p:a\"ss", TimeZone::get("Europe/Moscow").unwrap())
}

fn id(text: &str) -> RemoteId {
    RemoteId::read(text).unwrap()
}

fn new_tenant() -> NewTenant {
    NewTenant {
        name: WireText::name("name", "Contoso").unwrap(),
        description: None,
        user_data: None,
        preferred_address: None,
        kind: NewTenantKind::Simple,
    }
}

fn new_machine() -> NewVirtualMachine {
    NewVirtualMachine { bios_id: BiosId::read(BIOS).unwrap(), name: None, user_data: None }
}

fn range() -> ReportRange {
    let at = |text| Timestamp::parse("to", text).unwrap();
    ReportRange::new(
        Some(at("2024-02-29T21:00:00Z")),
        Some(at("2024-03-01T21:00:00Z")),
        at("2025-01-01T00:00:00Z"),
    )
    .unwrap()
}

fn filter() -> TaskFilter {
    TaskFilter {
        created_from: Some(Timestamp::parse("createdFrom", "2024-03-01T06:15:00.9Z").unwrap()),
        state: Some(TaskState::Running),
        kind: Some(TaskKind::CreateTenant),
    }
}

/// A call as `METHOD /path?query`, with the path below the root of the API.
fn line(call: &Call) -> String {
    let path = call.path.join("/");
    let query: Vec<String> =
        call.query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    format!(
        "{} {}{query}",
        call.method,
        path.strip_prefix(ROOT).expect("below the root of the API")
    )
}

fn all() -> Vec<Call> {
    let calls = calls();
    let t = id("t 1");
    vec![
        calls.tenant(&t),
        calls.tenants(),
        calls.machines(&t),
        calls.create_tenant(&new_tenant()),
        calls.activate_tenant(&t),
        calls.deactivate_tenant(&t),
        calls.register_machine(&t, &new_machine()),
        calls.unregister_machine(&t, &MachineKey::Id(id("v"))),
        calls.unregister_machine(&t, &MachineKey::Bios(BiosId::read(BIOS).unwrap())),
        calls.delete_tenant(&t, true),
        calls.delete_tenant(&t, false),
        calls.task(&t),
        calls.tasks(&filter()),
        calls.tasks(&TaskFilter::default()),
        calls.cancel_task(&t),
        calls.create_report(&t, &range()),
        calls.report(&t),
    ]
}

#[test]
fn calls_match_the_documented_methods_and_paths() {
    let lines: Vec<String> = all().iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "GET /tenants/t 1",
            "GET /tenants",
            "GET /tenants/t 1/vms",
            "POST /tenants",
            "POST /tenants/t 1/activate",
            "POST /tenants/t 1/deactivate",
            "POST /tenants/t 1/vms/register",
            "POST /tenants/t 1/vms/unregister?vmId=v",
            "POST /tenants/t 1/vms/unregister?biosId=345ae5d6-eeb7-4635-884a-01ac1781deeb",
            "DELETE /tenants/t 1?removeTenantArtifacts=true",
            "DELETE /tenants/t 1?removeTenantArtifacts=false",
            "GET /tasks/t 1",
            "GET /tasks?createdFrom=2024-03-01T09:15:00&state=Running&type=CreateTenant",
            "GET /tasks",
            "POST /tasks/t 1/cancel",
            "POST /reports/tenants?tenantId=t 1&from=2024-03-01T00:00:00&to=2024-03-02T00:00:00",
            "GET /reports/tenants/t 1",
        ]
    );
}

#[test]
fn only_get_calls_are_reads() {
    for call in all() {
        assert_eq!(call.kind == Kind::Read, call.method == "GET", "{call:?}");
        assert!(call.cache_ttl.is_none());
    }
}

#[test]
fn headers_name_the_account_and_the_formats() {
    for call in all() {
        let header = |name| {
            call.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
        };
        assert_eq!(header("Authorization"), Some("Basic bXVsdGl0ZW5hbmN5OnA6YSJzcw=="));
        let is_report = call.path.iter().any(|segment| segment == "reports");
        assert_eq!(
            header("Accept"),
            Some(if is_report { "application/csv" } else { "application/xml" })
        );
        let expected = call.body.as_ref().map(|_| "application/xml; charset=utf-8");
        assert_eq!(header("Content-Type"), expected, "{call:?}");
        let is_empty_post = call.method == "POST" && call.body.is_none();
        assert_eq!(header("Content-Length"), is_empty_post.then_some("0"), "{call:?}");
        assert!(!format!("{call:?}").contains("Basic"));
    }
}
