//! The gateway with default settings in a process of its own, its tenants, and the legacy systems
//! behind it.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use tenant_gateway::roles::Role;
use tenant_gateway_simulators::deep_security::{Config, Limits, Simulator, TenantSeed};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Row;
use super::neighbour::{self, Beside};
use crate::support::process::{Deployment, Process};
use crate::support::{Caller, Engine, OnEngine, notes};

/// The address of a trusted proxy.
pub const PROXY: &str = "127.0.0.4";
/// The number of tenants that the attacker sees: its own and those below.
pub const TENANTS: usize = 201;
/// The shortest duration of an attack: shorter ones are repeated, so that the neighbour sends
/// enough queries meanwhile.
const LEAST: Duration = Duration::from_secs(3);
/// The most attempts to measure the neighbour's latency, since other programs use the machine too.
/// Memory is judged over all attempts.
const MEASUREMENTS: usize = 3;

pub struct Stage {
    pub process: Process,
    /// An administrator of the partner.
    pub partner: Caller,
    /// An auditor of a customer of the partner's manager: the attacker.
    pub attacker: Caller,
    pub attacker_tenant: String,
    /// An auditor of another customer of that manager.
    pub neighbour: Caller,
    /// An auditor of a customer with its own manager.
    pub owner: Caller,
    pub managers: Managers,
    // The gateway uses its folder.
    _deployment: Deployment,
}

/// The partner's manager, and the customer's own.
pub struct Managers {
    pub partners: Simulator,
    pub own: Simulator,
}

impl Drop for Managers {
    fn drop(&mut self) {
        notes::note_shown(&self.partners);
        notes::note_shown(&self.own);
    }
}

async fn managers() -> Managers {
    let large = TenantSeed::named("Large").computers(5000).rules(6000);
    let config = Config::default()
        .limits(Limits::NONE)
        .tenant(large)
        .tenant(TenantSeed::named("Small").computers(3));
    let partners = Simulator::start(config).await.unwrap();
    let own = Simulator::start(Config::default().limits(Limits::NONE)).await.unwrap();
    partners.tenants.iter().chain(&own.tenants).for_each(|tenant| notes::note(&tenant.secret_key));
    Managers { partners, own }
}

async fn tenant(parent: &Caller, name: &str) -> String {
    let document = "mutation($new: TenantCreateInput!) { createTenant(newTenant: $new) { id } }";
    let made = parent.ask(document, json!({ "new": { "name": name } })).await.field("createTenant");
    made["id"].as_str().unwrap().to_owned()
}

async fn auditor(stage: &Caller, tenant: &str) -> Caller {
    let made = stage.within(tenant).create("auditor", &[&Role::Auditor.id().to_string()]).await;
    stage.gateway.log_in(made).await
}

async fn link(owner: &Caller, manager: &Simulator, tenant: &str, remote: Option<i32>) {
    let document =
        "mutation($input: RegisterUpstreamInput!) { registerUpstream(input: $input) { id } }";
    let input = json!({
        "name": format!("Manager of {tenant}"),
        "system": "DEEP_SECURITY",
        "baseURL": manager.base_url,
        "credential": { "secretKey": manager.primary().secret_key },
    });
    let listed = owner.ask("{ upstreams { id baseURL } }", json!({})).await.field("upstreams");
    let known = listed
        .as_array()
        .unwrap()
        .iter()
        .find(|known| known["baseURL"] == *manager.base_url)
        .cloned();
    let made: Value = match known {
        Some(known) => known,
        None => owner.ask(document, json!({ "input": input })).await.field("registerUpstream"),
    };
    let document = "mutation($input: LinkTenantInput!) { linkTenant(input: $input) { id } }";
    let remote = remote.map(|id| id.to_string());
    let input = json!({ "tenantID": tenant, "upstreamID": made["id"], "remoteTenantID": remote });
    owner.ask(document, json!({ "input": input })).await.field("linkTenant");
}

impl Stage {
    pub async fn set() -> Self {
        let deployment = Deployment::on(Engine::Sqlite).await;
        let credentials = deployment.init();
        let variables = [
            ("TENANT_GATEWAY__UPSTREAM__ALLOW_PRIVATE_ADDRESSES", "true"),
            ("TENANT_GATEWAY__SERVER__TRUSTED_PROXIES", PROXY),
            ("RUST_LOG", "info,tenant_gateway=info"),
        ];
        let process = deployment.serve_with(&variables).await;
        let partner = process.log_in(credentials).await;
        let managers = managers().await;
        let mut customers = Vec::new();
        let mut tenants = Vec::new();
        for (name, remote) in
            [("Attacker", Some("Large")), ("Neighbour", Some("Small")), ("Owner", None)]
        {
            let id = tenant(&partner, name).await;
            match remote {
                Some(remote) => {
                    let remote = managers.partners.customer(remote).id;
                    link(&partner, &managers.partners, &id, Some(remote)).await;
                }
                None => link(&partner.within(&id), &managers.own, &id, None).await,
            }
            customers.push(auditor(&partner, &id).await);
            tenants.push(id);
        }
        let attacker_tenant = tenants.swap_remove(0);
        for number in 1..TENANTS {
            tenant(&partner.within(&attacker_tenant), &format!("Below {number}")).await;
        }
        let [attacker, neighbour, owner] = customers.try_into().ok().expect("three customers");
        Self {
            process,
            partner,
            attacker,
            attacker_tenant,
            neighbour,
            owner,
            managers,
            _deployment: deployment,
        }
    }

    /// Runs one attack beside the neighbour.
    pub async fn run(&self, attack: &'static str, run: impl AsyncFn() -> String) -> Row {
        self.process.forget_peak();
        let before_mib = self.process.peak_mib();
        let mut measured = self.measure(&run).await;
        for _ in 1..MEASUREMENTS {
            if measured.1.is_undisturbed() {
                break;
            }
            measured.1 = self.measure(&run).await.1;
        }
        let (outcome, beside) = measured;
        Row { attack, outcome, before_mib, peak_mib: self.process.peak_mib(), beside }
    }

    /// The outcome of the attack, and the neighbour's latency beside it and alone right before and
    /// after it, so that other programs on the machine affect both alike.
    async fn measure(&self, attack: &impl AsyncFn() -> String) -> (String, Beside) {
        let before = neighbour::alone(&self.neighbour).await;
        let (over, is_over) = watch::channel(false);
        let attacked = neighbour::until(&self.neighbour, is_over);
        let attack = async {
            let began = Instant::now();
            let outcome = attack().await;
            while began.elapsed() < LEAST {
                attack().await;
            }
            over.send_replace(true);
            outcome
        };
        let (outcome, attacked) = tokio::join!(attack, attacked);
        let alone = before.and(neighbour::alone(&self.neighbour).await);
        (outcome, Beside { alone, attacked })
    }
}

impl Process {
    /// The peak memory since the start or the last reset.
    fn peak_mib(&self) -> u64 {
        let status =
            fs::read_to_string(format!("/proc/{}/status", self.id())).expect("the process runs");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .expect("Linux reports the peak");
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
        kib / 1024
    }

    fn forget_peak(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.id()), "5").expect("Linux resets the peak");
    }
}
