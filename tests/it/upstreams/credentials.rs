//! Credentials of upstreams are sealed in the database.

use sea_orm::{ConnectionTrait, Statement, Value};
use serde_json::json;
use tenant_gateway::app::{Core, Environment};
use tenant_gateway::auth::TenantScope;
use tenant_gateway::entropy::SystemEntropy;
use tenant_gateway::error::ErrorCode;
use tenant_gateway::ids::UpstreamId;
use tenant_gateway::seal::MasterKey;
use tenant_gateway::upstreams::{Credential, System};

use super::{link, register, register_with};
use crate::support::{TestApp, both_databases, notes};

async fn core(app: &TestApp) -> Core {
    Core::open(&app.database.config(), Environment::default()).await.unwrap()
}

async fn run(core: &Core, sql: &str, values: Vec<Value>) {
    let on = core.database.reader();
    on.execute_raw(Statement::from_sql_and_values(on.get_database_backend(), sql, values))
        .await
        .unwrap();
}

fn id(upstream: &serde_json::Value) -> UpstreamId {
    upstream["id"].as_str().unwrap().parse().unwrap()
}

async fn credential(core: &Core, scope: &TenantScope) -> Result<Credential, ErrorCode> {
    match core.upstreams.connection(scope, System::DeepSecurity).await {
        Ok(connection) => Ok((*connection.credential).clone()),
        Err(error) => Err(error.code()),
    }
}

both_databases! {
    async fn credential_is_unsealed_for_the_linked_tenant(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        link(&partner, app.world.north, &upstream, Some("7")).await.data();
        let core = core(&app).await;
        let opened = credential(&core, &core.operator(app.world.north)).await;
        assert_eq!(opened, Ok(Credential::SecretKey("2:registered".to_owned())));
        for tenant in
            [app.world.south, app.world.partner, app.world.organization, app.world.stranger]
        {
            assert_eq!(
                credential(&core, &core.operator(tenant)).await,
                Err(ErrorCode::UpstreamNotLinked)
            );
        }
    }

    async fn ciphertext_moved_to_another_row_or_owner_cannot_be_unsealed(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let one = register(&partner, "DEEP_SECURITY").await;
        let two = register(&partner, "DEEP_SECURITY").await;
        link(&partner, app.world.north, &one, Some("7")).await.data();
        link(&partner, app.world.south, &two, Some("8")).await.data();
        let first = core(&app).await;
        let copy = "UPDATE upstreams SET sealed_credential = (SELECT sealed_credential FROM \
            upstreams WHERE id = $1) WHERE id = $2";
        run(&first, copy, vec![id(&one).into(), id(&two).into()]).await;
        assert_eq!(
            credential(&first, &first.operator(app.world.south)).await,
            Err(ErrorCode::InternalServerError)
        );
        assert!(credential(&first, &first.operator(app.world.north)).await.is_ok());
        let give = "UPDATE upstreams SET owner_tenant_id = $1 WHERE id = $2";
        run(&first, give, vec![app.world.organization.into(), id(&one).into()]).await;
        let second = core(&app).await;
        assert_eq!(
            credential(&second, &second.operator(app.world.north)).await,
            Err(ErrorCode::InternalServerError)
        );
    }

    async fn new_master_key_reseals_credentials(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        link(&partner, app.world.north, &upstream, Some("7")).await.data();
        let new = MasterKey::generate(&SystemEntropy);
        notes::note(&new);
        let mut config = app.database.config();
        config.seal.master_key = Some(new.into());
        config.seal.previous_master_key = Some(app.database.master_key.clone().into());
        assert_eq!(
            Core::rotate_master_key(&config, Environment::default()).await.unwrap(),
            2,
            "a signing key and a credential"
        );
        config.seal.previous_master_key = None;
        let alone = Core::open(&config, Environment::default()).await.unwrap();
        assert!(credential(&alone, &alone.operator(app.world.north)).await.is_ok());
    }

    async fn cached_credential_is_dropped_with_its_link(app: TestApp) {
        let partner = app.administrator(app.world.partner).await;
        let upstream = register(&partner, "DEEP_SECURITY").await;
        let made = link(&partner, app.world.north, &upstream, Some("7")).await.field("linkTenant");
        let core = core(&app).await;
        let scope = core.operator(app.world.north);
        assert!(credential(&core, &scope).await.is_ok());
        core.upstreams
            .unlink(&core.operator(app.world.partner), made["id"].as_str().unwrap())
            .await
            .unwrap();
        assert_eq!(credential(&core, &scope).await, Err(ErrorCode::UpstreamNotLinked));
    }

    async fn stored_base_url_is_checked_by_current_address_policy(app: TestApp) {
        let permissive =
            app.another_node_with(|config| config.upstream.allow_private_addresses = true).await;
        let partner = app.administrator(app.world.partner).await;
        let input = json!({
            "name": "x",
            "system": "DEEP_SECURITY",
            "baseURL": "http://127.0.0.1:4119/api",
            "credential": { "secretKey": "1:x" },
        });
        assert_eq!(register_with(&partner, input.clone()).await.code(), "BAD_USER_INPUT");
        let upstream =
            register_with(&partner.at(&permissive.gateway), input).await.field("registerUpstream");
        link(&partner.at(&permissive.gateway), app.world.north, &upstream, Some("7")).await.data();
        let core = core(&app).await;
        assert_eq!(
            credential(&core, &core.operator(app.world.north)).await,
            Err(ErrorCode::UpstreamUnavailable)
        );
    }
}
