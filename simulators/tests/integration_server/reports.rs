use tenant_gateway_simulators::integration_server::{Config, Dialect, Simulator};

use crate::support::*;

/// Creates a report; returns its id.
async fn report(simulator: &Simulator, query: &str) -> String {
    let (state, id) = Client::new(simulator)
        .outcome(simulator, "POST", &format!("/reports/tenants{query}"), "")
        .await;
    assert_eq!(state, "Completed");
    id
}

async fn download(simulator: &Simulator, id: &str) -> String {
    let request = Client::new(simulator).request("GET", &format!("/reports/tenants/{id}"));
    let response = request.header("accept", "application/csv").send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["content-type"]),
        (200, &"application/csv".parse().unwrap())
    );
    response.text().await.unwrap()
}

fn of(simulator: &Simulator, name: &str) -> String {
    format!("?tenantId={}", simulator.tenant(name).id)
}

#[tokio::test]
async fn report_holds_a_line_for_each_period_of_one_tenant() {
    let simulator = simulator().await;
    let csv =
        download(&simulator, &report(&simulator, &of(&simulator, "Contoso Retail")).await).await;
    let contoso = simulator.found_tenant("Contoso Retail").unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 4);
    let machine = &contoso.machines[0].id;
    let first = format!(
        "{};Contoso Retail;{machine};web-01;2024-02-23T09:15:00;2024-02-25T09:15:00",
        contoso.id
    );
    assert_eq!((lines[0], lines[1].ends_with(";2024-02-26T09:15:00;")), (first.as_str(), true));
    assert_eq!(simulator.found_reports()[0].fetched, 1);
}

#[tokio::test]
async fn without_tenant_it_covers_everybody_and_machines_of_nobody() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let contoso = simulator.found_tenant("Contoso Retail").unwrap();
    let path = format!("/tenants/{}/vms/unregister?vmId={}", contoso.id, contoso.machines[0].id);
    assert_eq!(client.post(&path, "").await.0, 200);
    for query in ["", "?tenantId="] {
        let csv = download(&simulator, &report(&simulator, query).await).await;
        assert_eq!(
            (csv.lines().count(), csv.lines().filter(|line| line.starts_with(";;")).count()),
            (10, 2)
        );
    }
    assert!(simulator.found_reports().iter().all(|report| report.tenant.is_none()));
}

#[tokio::test]
async fn report_contains_the_periods_that_overlap_its_time() {
    let simulator = simulator().await;
    let query = format!(
        "{}&from=2024-02-25T10:00:00&to=2024-02-26T09:00:00",
        of(&simulator, "Contoso Retail")
    );
    assert_eq!(download(&simulator, &report(&simulator, &query).await).await, "");
    let query = query.replace("to=2024-02-26T09", "to=2024-02-26T10");
    assert_eq!(download(&simulator, &report(&simulator, &query).await).await.lines().count(), 2);
    let wrong = format!("/reports/tenants{}&from=yesterday", of(&simulator, "Contoso Retail"));
    assert_eq!(Client::new(&simulator).post(&wrong, "").await.0, 400);
}

#[tokio::test]
async fn unknown_tenant_is_not_found_at_once() {
    let simulator = simulator().await;
    assert_eq!(Client::new(&simulator).post("/reports/tenants?tenantId=nobody", "").await.0, 404);
    let strict =
        start(config().dialect(Dialect { empty_tenant_is_every: false, ..Dialect::DOCUMENTED }))
            .await;
    assert_eq!(Client::new(&strict).post("/reports/tenants?tenantId=", "").await.0, 404);
}

#[tokio::test]
async fn nothing_but_csv_is_supported() {
    let simulator = simulator().await;
    let path = format!("/reports/tenants/{}", report(&simulator, "").await);
    let client = Client::new(&simulator);
    for accept in ["application/xml", "text/csv", "*/*"] {
        let response = client.request("GET", &path).header("accept", accept).send().await.unwrap();
        assert_eq!(response.status(), 415);
    }
    assert_eq!(simulator.found_reports()[0].fetched, 0);
}

#[tokio::test]
async fn range_returns_part_of_the_report() {
    let simulator = simulator().await;
    let id = report(&simulator, "").await;
    let whole = download(&simulator, &id).await;
    let client = Client::new(&simulator);
    let range = async |range: &str| {
        let request = client.request("GET", &format!("/reports/tenants/{id}"));
        request.header("accept", "application/csv").header("range", range).send().await.unwrap()
    };
    let part = range("bytes=10-19").await;
    assert_eq!((part.status().as_u16(), part.content_length()), (206, Some(10)));
    assert_eq!(part.headers()["content-range"], format!("bytes 10-19/{}", whole.len()).as_str());
    assert_eq!(part.text().await.unwrap(), whole[10..20]);
    assert_eq!(range("bytes=999999-").await.status(), 416);
}

#[tokio::test]
async fn report_is_kept_for_a_while() {
    let simulator = start(Config { reports_kept: LONG * 2, ..config() }).await;
    let id = report(&simulator, "").await;
    download(&simulator, &id).await;
    simulator.advance(LONG * 2);
    assert_eq!(Client::new(&simulator).get(&format!("/reports/tenants/{id}")).await.0, 404);
    assert!(simulator.found_reports().is_empty());
}

#[tokio::test]
async fn dialects_differ_in_line_format() {
    for dialect in Dialect::ALL {
        let simulator =
            start(config().dialect(Dialect { report: dialect.report, ..Dialect::DOCUMENTED }))
                .await;
        let csv = download(&simulator, &report(&simulator, "").await).await;
        let shape = dialect.report;
        assert_eq!(csv.starts_with('\u{FEFF}'), shape.bom);
        assert_eq!(
            (csv.contains("\r\n"), csv.contains('"'), csv.contains("TenantId")),
            (shape.crlf, shape.quoted, shape.header)
        );
        assert_eq!(csv.lines().count(), if shape.header { 11 } else { 10 });
    }
}
