use tenant_gateway_simulators::integration_server::{Dialect, Simulator};

use crate::support::*;

const BIOS_ID: &str = "345ae5d6-eeb7-4635-884a-01ac1781deeb";

fn path(simulator: &Simulator, name: &str) -> String {
    format!("/tenants/{}/vms", simulator.tenant(name).id)
}

fn machine(bios_id: &str) -> String {
    format!(
        "<vm biosId=\"{bios_id}\"><name>db-01</name><userData><![CDATA[rack=7]]></userData></vm>"
    )
}

fn code((status, error): (u16, String)) -> (u16, String) {
    (status, text(&error, "code"))
}

#[tokio::test]
async fn registered_machine_is_listed_with_its_own_tenant_alone() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let contoso = path(&simulator, "Contoso Retail");
    assert_eq!(names(&client.read(&contoso).await), ["web-01", "web-02"]);
    let answer = client.post(&format!("{contoso}/register"), &machine(BIOS_ID)).await;
    assert_eq!(answer, (200, String::new()));
    let machines = client.read(&contoso).await;
    assert_eq!(names(&machines), ["web-01", "web-02", "db-01"]);
    assert!(machines.contains(&format!("biosId=\"{BIOS_ID}\" created=\"2024-03-01T09:15:00\"")));
    assert!(machines.contains("<![CDATA[rack=7]]>"));
    assert_eq!(names(&client.read(&path(&simulator, "Fabrikam Energy")).await).len(), 3);
}

#[tokio::test]
async fn bios_id_is_taken_for_every_tenant_in_any_letter_case() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let register = |name| format!("{}/register", path(&simulator, name));
    assert_eq!(client.post(&register("Contoso Retail"), &machine(BIOS_ID)).await.0, 200);
    let again = client.post(&register("Fabrikam Energy"), &machine(&BIOS_ID.to_uppercase())).await;
    assert_eq!(code(again), (409, "VIRMT_VmWithSpecifiedBiosIdAlreadyExists".to_owned()));
}

#[tokio::test]
async fn machine_needs_a_bios_id_and_a_tenant() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let register = format!("{}/register", path(&simulator, "Contoso Retail"));
    for body in ["<vm><name>x</name></vm>", "<vm biosId='7'/>"] {
        assert_eq!(client.post(&register, body).await.0, 400);
    }
    let expected = (404, "VIRMT_TenantWithSpecifiedIdNotFound".to_owned());
    assert_eq!(
        code(client.post("/tenants/nobody/vms/register", &machine(BIOS_ID)).await),
        expected
    );
    assert_eq!(code(client.post("/tenants/nobody/vms/unregister?vmId=x", "").await), expected);
    assert_eq!(code(client.get("/tenants/nobody/vms").await), expected);
}

#[tokio::test]
async fn machine_is_unregistered_by_either_identifier() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let unregister = format!("{}/unregister", path(&simulator, "Contoso Retail"));
    let machines = simulator.found_tenant("Contoso Retail").unwrap().machines;
    assert_eq!(
        client.post(&format!("{unregister}?biosId={}", machines[0].bios_id), "").await,
        (200, String::new())
    );
    assert_eq!(
        client.post(&format!("{unregister}?vmId={}", machines[1].id.to_uppercase()), "").await.0,
        200
    );
    assert!(simulator.found_tenant("Contoso Retail").unwrap().machines.is_empty());
    let gone = client.post(&format!("{unregister}?vmId={}", machines[1].id), "").await;
    assert_eq!(code(gone), (404, "VIRMT_VmWithSpecifiedIdNotFound".to_owned()));
    assert_eq!(client.post(&unregister, "").await.0, 400);
    assert_eq!(client.post(&format!("{unregister}?vmId=a&biosId=b"), "").await.0, 400);
}

#[tokio::test]
async fn some_servers_unregister_machines_of_other_tenants() {
    for (dialect, status) in [
        (Dialect::DOCUMENTED, 404),
        (Dialect { unregisters_anywhere: true, ..Dialect::DOCUMENTED }, 200),
    ] {
        let simulator = start(config().dialect(dialect)).await;
        let foreign = simulator.found_tenant("Fabrikam Energy").unwrap().machines[0].id.clone();
        let call = format!("{}/unregister?vmId={foreign}", path(&simulator, "Contoso Retail"));
        assert_eq!(Client::new(&simulator).post(&call, "").await.0, status);
    }
}

#[tokio::test]
async fn unregistered_machine_can_be_registered_again() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let machine_id = simulator.found_tenant("Contoso Retail").unwrap().machines[0].bios_id.clone();
    let unregister =
        format!("{}/unregister?biosId={machine_id}", path(&simulator, "Contoso Retail"));
    assert_eq!(client.post(&unregister, "").await.0, 200);
    let register = format!("{}/register", path(&simulator, "Fabrikam Energy"));
    assert_eq!(client.post(&register, &machine(&machine_id)).await.0, 200);
    let names = names(&client.read(&path(&simulator, "Fabrikam Energy")).await);
    assert_eq!(names, ["web-01", "web-02", "web-03", "db-01"]);
}
