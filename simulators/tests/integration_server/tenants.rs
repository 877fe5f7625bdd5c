use crate::support::*;

#[tokio::test]
async fn tenant_shows_what_is_documented() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let id = &simulator.tenant("Contoso Retail").id;
    let tenant = client.read(&format!("/tenants/{}", id.to_uppercase())).await;
    assert_eq!(
        (&attribute(&tenant, "id"), attribute(&tenant, "created").as_str()),
        (id, "2024-02-23T09:15:00")
    );
    let shown = ["name", "description", "userData", "vKsc", "status", "type"]
        .map(|name| text(&tenant, name).trim().to_owned());
    assert_eq!(
        shown,
        ["Contoso Retail", "retail", "a]]>b", "contoso-retail-admin", "Active", "Complete"]
    );

    let simple = client.read(&format!("/tenants/{}", simulator.tenant("Fabrikam Energy").id)).await;
    assert_eq!(
        (text(&simple, "status"), text(&simple, "type")),
        ("Inactive".to_owned(), "Simple".to_owned())
    );
    assert!(!has(&simple, "vKsc") && !has(&simple, "description") && !has(&simple, "userData"));
}

#[tokio::test]
async fn unknown_tenant_is_not_found() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let (status, error) = client.get("/tenants/00000000-0000-0000-0000-000000000000").await;
    assert_eq!(
        (status, text(&error, "code").as_str()),
        (404, "VIRMT_TenantWithSpecifiedIdNotFound")
    );
    assert!(text(&error, "message").contains("viis-db.internal"));
}

#[tokio::test]
async fn list_holds_every_tenant() {
    let simulator = simulator().await;
    let client = Client::new(&simulator);
    let tenants = client.read("/tenants").await;
    assert_eq!(names(&tenants), ["Contoso Retail", "Fabrikam Energy"]);
    assert_eq!(
        ids(&tenants),
        simulator.tenants.iter().map(|tenant| tenant.id.clone()).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn dates_are_in_the_servers_zone() {
    let mut config = config();
    config.utc_offset = 180;
    let simulator = start(config).await;
    let path = format!("/tenants/{}", simulator.tenant("Contoso Retail").id);
    assert_eq!(
        attribute(&Client::new(&simulator).read(&path).await, "created"),
        "2024-02-23T12:15:00"
    );
}

#[tokio::test]
async fn equal_seeds_give_equal_identifiers() {
    let one = simulator().await;
    let other = simulator().await;
    assert_eq!(one.tenants, other.tenants);
    let mut config = config();
    config.seed = 2;
    assert_ne!(start(config).await.tenants, one.tenants);
}
