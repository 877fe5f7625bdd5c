//! Tests of the figures as a scrape reads them.

use std::collections::BTreeSet;

use super::*;

fn started() -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000)
}

fn operation(tenant: TenantId) -> Operation {
    let took = Duration::from_millis(3);
    Operation { transport: "post", kind: "query", code: "OK", tenant, took }
}

fn tenant(number: u128) -> TenantId {
    uuid::Uuid::from_u128(number).to_string().parse().unwrap()
}

#[test]
fn operations_are_counted_without_tenants_by_default() {
    let metrics = Metrics::new(false, started());
    metrics.count_operation(&operation(tenant(1)));
    metrics.count_operation(&operation(tenant(2)));
    let text = metrics.encode(&Snapshot::default());
    let line = "tenant_gateway_graphql_operations_total\
                {transport=\"post\",kind=\"query\",code=\"OK\",tenant=\"\"} 2";
    assert!(text.contains(line), "{text}");
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn tenants_beyond_the_most_are_counted_together() {
    let metrics = Metrics::new(true, started());
    for number in 0..TENANTS_MAX as u128 + 5 {
        metrics.count_operation(&operation(tenant(number)));
    }
    let text = metrics.encode(&Snapshot::default());
    assert!(text.contains("code=\"OK\",tenant=\"other\"} 5"), "those beyond the most");
    let lines = text.lines().filter(|line| line.contains("graphql_operations_total{"));
    assert_eq!(lines.count(), TENANTS_MAX + 1);
}

#[test]
fn states_that_are_gone_leave_no_gauge_behind() {
    let metrics = Metrics::new(false, started());
    let open = Snapshot { circuits: vec![("DEEP_SECURITY", "open", 1)], ..Snapshot::default() };
    assert!(metrics.encode(&open).contains("state=\"open\"} 1"));
    assert!(!metrics.encode(&Snapshot::default()).contains("state=\"open\""));
}

/// A dashboard or an alert would silently show nothing of a name that does not exist.
#[test]
fn every_figure_of_dashboard_and_alerts_exists() {
    let metrics = Metrics::new(false, started());
    metrics.count_http_request("POST", 200);
    metrics.count_operation(&operation(tenant(1)));
    metrics.count_token_request("issued");
    let took = Duration::from_millis(3);
    let system = "DEEP_SECURITY";
    let kind = "read";
    let outcome = "2xx";
    let call = UpstreamCall { system, kind, outcome, tenant: tenant(1), took };
    metrics.count_upstream_call(&call);
    let pool = Pool { name: "streams", limit: 1, used: 0, waiting: 0, refused: 0 };
    let text = metrics.encode(&Snapshot {
        budgets: vec![pool],
        circuits: vec![(system, "open", 1)],
        tasks: vec![("lost", 1)],
        tenant_keys: vec![("stray", 1)],
        ..Snapshot::default()
    });
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
    let families: BTreeSet<&str> = types.collect();
    let files = [
        include_str!("../../ops/prometheus/alerts.yaml"),
        include_str!("../../ops/grafana/tenant-gateway.json"),
    ];
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = files.iter().flat_map(|file| file.split(|c| !is_name(c)));
    let ours = |word: &&str| word.starts_with("tenant_gateway_") || word.starts_with("process_");
    let names: BTreeSet<&str> = words.filter(ours).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let ends = ["_total", "_bucket", "_info"];
        let family = ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(families.contains(family), "{name} is not among {families:?}");
    }
}
