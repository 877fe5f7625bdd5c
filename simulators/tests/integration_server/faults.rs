use roxmltree::Document;
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::faults::Fault;
use tenant_gateway_simulators::integration_server::Simulator;

use crate::support::*;

async fn faulty(fault: Fault) -> (Simulator, Client) {
    let simulator = simulator().await;
    simulator.order_always(Calls::all(), fault);
    let client = Client::new(&simulator);
    (simulator, client)
}

async fn list(fault: Fault) -> (u16, String) {
    let (_simulator, client) = faulty(fault).await;
    client.get("/tenants").await
}

#[tokio::test]
async fn reset_executes_nothing_and_lost_answer_executes_the_call() {
    for (fault, tasks) in [(Fault::Reset, 0), (Fault::LoseAnswer, 1)] {
        let (simulator, client) = faulty(fault).await;
        assert!(client.request("POST", "/tenants").body(SIMPLE).send().await.is_err());
        assert_eq!(simulator.found_tasks().len(), tasks);
        let seen = simulator.seen(&Calls::to("POST", "/tenants"));
        assert_eq!((seen.len(), seen[0].status, seen[0].body.as_str()), (1, None, SIMPLE));
        simulator.advance(LONG);
        assert_eq!(simulator.found_tenant("Labs").is_some(), tasks == 1);
    }
}

#[tokio::test]
async fn half_a_body_breaks_off_after_the_call_was_carried_out() {
    let (simulator, client) = faulty(Fault::HalfBody).await;
    let response = client.request("POST", "/tenants").body(SIMPLE).send().await.unwrap();
    assert_eq!(response.status(), 202);
    assert!(response.bytes().await.is_err());
    assert_eq!(simulator.found_tasks().len(), 1);
}

#[tokio::test]
async fn proxy_error_after_execution_hides_the_outcome() {
    let (simulator, client) = faulty(Fault::Proxy { status: 503 }).await;
    let response = client.request("POST", "/tenants").body(SIMPLE).send().await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(simulator.found_tasks().len(), 1);
}

#[tokio::test]
async fn bombs_and_external_entities_come_with_200_and_nobody_takes_the_bait() {
    let (status, bomb) = list(Fault::XmlBomb).await;
    assert!(status == 200 && bomb.contains("<!DOCTYPE") && bomb.len() < 1_000);
    let (simulator, client) = faulty(Fault::Reset).await;
    simulator.clear_orders();
    simulator.order(Calls::all(), Fault::ExternalEntity { url: simulator.bait_url() }, 1);
    let (status, entity) = client.get("/tenants").await;
    assert!(status == 200 && entity.contains(&format!("SYSTEM \"{}\"", simulator.bait_url())));
    assert_eq!(simulator.bait_taken(), 0);
    client.http_get(&simulator.bait_url()).await;
    assert_eq!(simulator.bait_taken(), 1);
}

#[tokio::test]
async fn documents_are_broken_in_every_manner() {
    let broken = [
        Fault::Truncated,
        Fault::UnquotedAttributes,
        Fault::Rubbish { text: "<tenants>".to_owned() },
        Fault::Html,
        Fault::XmlBomb,
    ];
    for fault in broken {
        let (status, body) = list(fault.clone()).await;
        assert_eq!(status, 200);
        assert!(Document::parse(&body).is_err(), "{fault:?}");
    }
    assert!(list(Fault::UnquotedAttributes).await.1.contains("<tenant id="));
}

#[tokio::test]
async fn deep_or_huge_response_is_sent_whole() {
    let (_, deep) = list(Fault::DeepNesting { depth: 100_000 }).await;
    assert_eq!(deep.matches("<a>").count(), 100_000);
    let (_, huge) = list(Fault::Huge { bytes: 20_000_000 }).await;
    assert!(
        huge.len() > 20_000_000 && huge.starts_with("<tenants>") && huge.ends_with("</tenants>")
    );
}

#[tokio::test]
async fn body_can_be_any() {
    let fault = Fault::Body {
        status: 409,
        content_type: "text/odd".to_owned(),
        bytes: b"VIRMT_Unheard".to_vec(),
    };
    let (_simulator, client) = faulty(fault).await;
    let response = client.request("GET", "/tenants").send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.headers()["content-type"].to_str().unwrap()),
        (409, "text/odd")
    );
    assert_eq!(response.text().await.unwrap(), "VIRMT_Unheard");
}

#[tokio::test]
async fn status_fault_leaks_internals_in_xml() {
    let (status, body) = list(Fault::Status { status: 500, retry_after: None }).await;
    assert!(status == 500 && text(&body, "message").contains("viis-db.internal"));
}

#[tokio::test]
async fn fault_order_matches_the_tenant_of_a_path_or_report() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let contoso = &simulator.tenant("Contoso Retail").id;
    let fabrikam = &simulator.tenant("Fabrikam Energy").id;
    simulator.order(Calls::all().of(contoso), Fault::Status { status: 500, retry_after: None }, 2);
    assert_eq!(client.get(&format!("/tenants/{fabrikam}/vms")).await.0, 200);
    assert_eq!(client.get("/tenants").await.0, 200);
    assert_eq!(client.get(&format!("/tenants/{}/vms", contoso.to_uppercase())).await.0, 500);
    assert_eq!(client.post(&format!("/reports/tenants?tenantId={contoso}"), "").await.0, 500);
    assert_eq!(client.get(&format!("/tenants/{contoso}")).await.0, 200);
    assert_eq!(simulator.count(&Calls::all().of(contoso)), 3);
    assert_eq!(simulator.count(&Calls::to("GET", "/tenants/*/vms")), 2);
}
