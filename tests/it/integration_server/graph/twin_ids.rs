//! Two servers that issue the same ids: the gateway's ids tell their tasks and reports apart.

use serde_json::{Value, json};
use tenant_gateway_simulators::calls::Calls;
use tenant_gateway_simulators::integration_server::{Fate, Simulator, TaskKind};

use super::watching::watch;
use super::{House, begin, config, ended, link, only, register, task};
use crate::support::{Caller, Engine, OnEngine, both_databases};

const CANCEL: &str = "mutation($id: ID!) { cancelIntegrationServerTask(id: $id) { id remoteID } }";
const REPORT: &str = "query($id: ID!) { integrationServer { report(id: $id) { id remoteID periods \
    { virtualMachineName } } } }";

/// The fixture, and a customer below its partner that registers a server of its own that issues the
/// same ids as the partner's.
struct Twins {
    house: House,
    twin: Simulator,
    /// The customer's registration of the twin.
    upstream: Value,
    customer: Caller,
}

impl OnEngine for Twins {
    async fn on(engine: Engine) -> Self {
        let house = House::on(engine).await;
        let twin = Simulator::start(config()).await.unwrap();
        let tenant =
            house.app.operator.tenant(house.app.world.organization, "Customer", false).await;
        let customer = house.app.administrator(tenant).await;
        let upstream = register(&customer, &twin).await;
        link(&customer, &upstream, tenant, &twin.tenant("North").id).await;
        Self { house, twin, upstream, customer }
    }
}

impl Twins {
    /// Starts a task of the partner that does not end, then one of the customer that has the same
    /// id at its server.
    async fn endless(&self) -> (Value, Value) {
        self.house.server.order_task(TaskKind::CreateTenant, Fate::NeverEnds, 1);
        let partners = self.house.create("Endless").await.field("createIntegrationServerTenant");
        self.twin.order_task(TaskKind::CreateTenant, Fate::NeverEnds, 1);
        let customers = create(&self.customer, &self.upstream, "Endless").await;
        assert_eq!(partners["remoteID"], customers["remoteID"], "the servers are twins");
        assert_ne!(partners["id"], customers["id"]);
        (partners, customers)
    }
}

async fn create(owner: &Caller, upstream: &Value, name: &str) -> Value {
    let document = "mutation($input: CreateIntegrationServerTenantInput!) {
        createIntegrationServerTenant(input: $input) { id remoteID } }";
    let input = json!({ "upstreamID": upstream, "name": name, "type": "SIMPLE" });
    owner.ask(document, json!({ "input": input })).await.field("createIntegrationServerTenant")
}

async fn found(caller: &Caller, id: &Value) -> Value {
    task(caller, id).await.field("integrationServer")["task"]["id"].clone()
}

both_databases! {
    async fn gateway_id_of_a_task_is_unique_over_installations(twins: Twins) {
        let (partners, customers) = twins.endless().await;
        let partner = &twins.house.partner;
        assert_eq!(found(partner, &partners["id"]).await, partners["id"]);
        assert_eq!(
            found(partner, &customers["id"]).await,
            customers["id"],
            "the customer is below the partner"
        );
        assert_eq!(found(&twins.customer, &customers["id"]).await, customers["id"]);
        assert_eq!(task(&twins.customer, &partners["id"]).await.code(), "NOT_FOUND");
    }

    async fn vendor_id_names_the_task_of_the_tenant_in_context(twins: Twins) {
        let (partners, customers) = twins.endless().await;
        let vendors = &partners["remoteID"];
        assert_eq!(
            found(&twins.house.partner, vendors).await,
            partners["id"],
            "not the customer's newer report"
        );
        assert_eq!(found(&twins.customer, vendors).await, customers["id"]);
        assert_eq!(task(&twins.house.south, vendors).await.code(), "NOT_FOUND");
    }

    async fn vendor_id_of_a_customers_own_server_names_nothing_above_it(twins: Twins) {
        let begun = only(begin(&twins.customer, "deactivateIntegrationServerTenant").await);
        assert_eq!(task(&twins.house.partner, &begun["remoteID"]).await.code(), "NOT_FOUND");
        assert_eq!(found(&twins.house.partner, &begun["id"]).await, begun["id"]);
    }

    async fn cancel_by_vendor_id_reaches_the_partners_own_server(twins: Twins) {
        let (partners, _) = twins.endless().await;
        let canceled = twins.house.partner.ask(CANCEL, json!({ "id": partners["remoteID"] })).await;
        assert_eq!(canceled.field("cancelIntegrationServerTask")["id"], partners["id"]);
        let cancels = Calls::to("POST", "/tasks/*");
        assert_eq!((twins.house.server.count(&cancels), twins.twin.count(&cancels)), (1, 0));
    }

    async fn subscription_by_vendor_id_follows_the_partners_own_task(twins: Twins) {
        let (partners, _) = twins.endless().await;
        twins.house.partner.ask(CANCEL, json!({ "id": partners["id"] })).await.data();
        let tenant = twins.house.app.world.partner.to_string();
        let events = watch(&twins.house.partner, &tenant, &partners["remoteID"]).await;
        let last = &events[events.len() - 1]["data"]["integrationServerTask"];
        assert_eq!(
            (&last["id"], &last["type"], &last["state"]),
            (&partners["id"], &json!("CreateTenant"), &json!("CANCELED"))
        );
    }

    async fn report_by_vendor_id_is_that_of_the_tenants_own_server(twins: Twins) {
        let own = only(begin(&twins.house.north, "createIntegrationServerReport").await);
        let own = ended(&twins.house.north, &own["id"]).await["result"].clone();
        let other = only(begin(&twins.customer, "createIntegrationServerReport").await);
        let other = ended(&twins.customer, &other["id"]).await["result"].clone();
        assert_eq!(own["remoteID"], other["remoteID"], "the servers are twins");
        assert_ne!(own["id"], other["id"]);
        twins.house.server.forget_calls();
        twins.twin.forget_calls();
        for caller in [&twins.house.partner, &twins.house.north] {
            let read = caller
                .ask(REPORT, json!({ "id": own["remoteID"] }))
                .await
                .field("integrationServer");
            assert_eq!(read["report"]["id"], own["id"]);
        }
        let reads = Calls::to("GET", "/reports/*");
        assert_eq!((twins.house.server.count(&reads), twins.twin.count(&reads)), (2, 0));
        let read = twins
            .house
            .partner
            .ask(REPORT, json!({ "id": other["id"] }))
            .await
            .field("integrationServer");
        assert_eq!(read["report"]["id"], other["id"]);
        assert_eq!(twins.twin.count(&reads), 1);
    }

    async fn vendor_id_that_names_two_tasks_of_one_tenant_is_refused(twins: Twins) {
        let second = Simulator::start(config()).await.unwrap();
        let partner = &twins.house.partner;
        let upstream = register(partner, &second).await;
        let first = twins.house.create("Twice").await.field("createIntegrationServerTenant");
        let other = create(partner, &upstream, "Twice").await;
        assert_eq!(first["remoteID"], other["remoteID"], "the servers are twins");
        assert_eq!(task(partner, &first["remoteID"]).await.code(), "CONFLICT");
        assert_eq!(found(partner, &other["id"]).await, other["id"]);
    }
}
