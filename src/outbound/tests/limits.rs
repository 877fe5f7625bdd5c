//! Circuits, concurrency and tenant slots.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;

use super::scripted_server::{Act, answer, bytes, ok};
use super::*;
use crate::error::ErrorCode;

#[tokio::test]
async fn open_circuit_does_not_affect_other_tenants_and_installations() {
    let server =
        ScriptedServer::start(
            |_, request| {
                if request.contains("/bad") { answer(500, "", "") } else { ok("") }
            },
        )
        .await;
    let outbound = outbound();
    let route = route(&server);
    for _ in 0..5 {
        outbound.send(&operation(), &route, read("bad")).await.unwrap();
    }
    let before = server.count();
    let failure = outbound.send(&operation(), &route, read("good")).await.unwrap_err();
    assert!(matches!(failure, Failure::CircuitOpen), "{failure:?}");
    assert_eq!(server.count(), before);
    let status = outbound.status(route.tenant, route.endpoint.upstream);
    assert_eq!(
        (status.circuit, status.last_error),
        (Circuit::Open, Some(ErrorCode::UpstreamUnavailable))
    );
    let other_tenant = UpstreamRoute { tenant: tenant(2), ..route.clone() };
    assert_eq!(outbound.send(&operation(), &other_tenant, read("good")).await.unwrap().status, 200);
    let elsewhere =
        Endpoint { upstream: UpstreamId(Uuid::from_u128(8)), ..endpoint(&server.url()) };
    let elsewhere = UpstreamRoute { endpoint: Arc::new(elsewhere), ..route };
    assert_eq!(outbound.send(&operation(), &elsewhere, read("good")).await.unwrap().status, 200);
}

#[tokio::test]
async fn circuit_closes_after_a_successful_probe() {
    let server =
        ScriptedServer::start(|before, _| if before < 5 { answer(500, "", "") } else { ok("") })
            .await;
    let mut settings = settings();
    settings.breaker.open_for = Duration::from_millis(100);
    let outbound = outbound_by(settings);
    let route = route(&server);
    for _ in 0..5 {
        outbound.send(&operation(), &route, read("a")).await.unwrap();
    }
    let circuit = || outbound.status(route.tenant, route.endpoint.upstream).circuit;
    until(|| circuit() == Circuit::HalfOpen).await;
    assert_eq!(outbound.send(&operation(), &route, read("a")).await.unwrap().status, 200);
    assert_eq!(circuit(), Circuit::Closed);
}

#[tokio::test]
async fn route_reports_its_status() {
    let server =
        ScriptedServer::start(|before, _| if before == 0 { ok("") } else { answer(401, "", "") })
            .await;
    let outbound = outbound();
    let route = route(&server);
    let status = || outbound.status(route.tenant, route.endpoint.upstream);
    assert_eq!(status(), Status::default());
    outbound.send(&operation(), &route, read("a")).await.unwrap();
    let well = status();
    assert_eq!((well.reachable, well.last_error), (Some(true), None));
    assert!(well.last_success_at.is_some());
    outbound.send(&operation(), &route, read("a")).await.unwrap();
    let refused = status();
    assert_eq!(
        (refused.reachable, refused.last_error),
        (Some(true), Some(ErrorCode::UpstreamUnauthorized))
    );
    assert_eq!(refused.last_success_at, well.last_success_at);
}

#[tokio::test]
async fn calls_of_a_tenant_at_once_are_limited() {
    let server = ScriptedServer::start(|_, _| Act::SayLater(bytes(200, "", ""))).await;
    let outbound = outbound_by(Settings { concurrency: 3, ..settings() });
    let route = route(&server);
    let operation = operation();
    let calls = join_all(
        ["a", "b", "c", "d", "e", "f", "g"]
            .map(|path| outbound.send(&operation, &route, read(path))),
    );
    let other = UpstreamRoute { tenant: tenant(2), ..route.clone() };
    let watching = async {
        until(|| server.count() == 3).await;
        let others = outbound.send(&operation, &other, read("z"));
        let come = async {
            until(|| server.count() == 4).await;
            assert!(server.seen()[3].starts_with("GET /z"), "another tenant is not held up");
            server.go();
        };
        tokio::join!(others, come).0.unwrap();
        for in_all in [7, 8] {
            until(|| server.count() == in_all).await;
            server.go();
        }
    };
    let (answers, ()) = tokio::join!(calls, watching);
    assert!(answers.into_iter().all(|answer| answer.is_ok()));
}

#[tokio::test(start_paused = true)]
async fn tenants_with_slots_at_once_are_limited() {
    let allowance = Allowance { concurrent_tenants: 2, ..ALLOWANCE };
    let operation =
        Operation::new("r".to_owned(), None, allowance, Instant::now() + Duration::from_secs(30));
    let inside = AtomicUsize::new(0);
    let most = AtomicUsize::new(0);
    let slots = (0..12).map(async |number| {
        let slot = operation.tenant_slot(tenant(number / 2)).await.unwrap();
        let now = inside.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(1)).await;
        inside.fetch_sub(1, Ordering::SeqCst);
        drop(slot);
    });
    let began = Instant::now();
    join_all(slots).await;
    assert_eq!(most.into_inner(), 4, "two tenants with two slots each");
    assert_eq!(began.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn slow_tenant_times_out_with_its_slot_and_is_named() {
    let operation = operation_of(Duration::from_secs(30));
    let slot = operation.tenant_slot(tenant(1)).await.unwrap();
    assert_eq!(slot.deadline() - Instant::now(), ALLOWANCE.tenant_deadline);
    let error =
        slot.read(Box::pin(std::future::pending::<crate::error::Result<()>>())).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::DeadlineExceeded);
    let public = format!("{:?}", async_graphql_extensions(error));
    assert!(public.contains(&tenant(1).to_string()), "{public}");
    // Less time is left of the operation than a whole slot has.
    tokio::time::sleep(Duration::from_secs(15)).await;
    let slot = operation.tenant_slot(tenant(2)).await.unwrap();
    assert_eq!(slot.deadline() - Instant::now(), Duration::from_millis(4500));
}

fn async_graphql_extensions(
    error: crate::error::Error,
) -> Option<async_graphql::ErrorExtensionValues> {
    async_graphql::Error::from(error).extensions
}

#[tokio::test(start_paused = true)]
async fn waiting_for_a_slot_ends_with_the_operation() {
    let allowance = Allowance { concurrent_tenants: 1, ..ALLOWANCE };
    let operation =
        Operation::new("r".to_owned(), None, allowance, Instant::now() + Duration::from_secs(3));
    let _slot = operation.tenant_slot(tenant(1)).await.unwrap();
    let error = operation.tenant_slot(tenant(2)).await.err().unwrap();
    assert_eq!(error.code(), ErrorCode::DeadlineExceeded);
}
