use super::*;

fn breaker() -> Arc<Breaker> {
    let window = Duration::from_secs(10);
    let open_for = Duration::from_secs(10);
    let name = CircuitName {
        tenant: TenantId(uuid::Uuid::nil()),
        upstream: UpstreamId(uuid::Uuid::nil()),
        system: "TEST",
    };
    Breaker::new(
        name,
        BreakerSettings { consecutive_failures: 5, sample: 20, window, open_for },
        Duration::from_secs(5),
    )
}

fn fail(breaker: &Arc<Breaker>, times: u32) {
    for _ in 0..times {
        breaker.acquire().unwrap().failed();
    }
}

#[tokio::test(start_paused = true)]
async fn five_consecutive_failures_open_the_circuit() {
    let breaker = breaker();
    fail(&breaker, 4);
    breaker.acquire().unwrap().succeeded();
    fail(&breaker, 4);
    assert_eq!(breaker.circuit(), Circuit::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.circuit(), Circuit::Open);
    assert!(matches!(breaker.acquire(), Err(Failure::CircuitOpen)));
}

#[tokio::test(start_paused = true)]
async fn ten_failures_of_twenty_calls_within_the_window_open_the_circuit() {
    let breaker = breaker();
    for _ in 0..9 {
        fail(&breaker, 1);
        breaker.acquire().unwrap().succeeded();
    }
    breaker.acquire().unwrap().succeeded();
    assert_eq!(breaker.circuit(), Circuit::Closed);
    fail(&breaker, 1);
    assert_eq!(breaker.circuit(), Circuit::Open, "ten of twenty");
}

#[tokio::test(start_paused = true)]
async fn failures_outside_the_window_do_not_count() {
    let breaker = breaker();
    for _ in 0..9 {
        fail(&breaker, 1);
        breaker.acquire().unwrap().succeeded();
    }
    tokio::time::sleep(Duration::from_secs(11)).await;
    fail(&breaker, 2);
    assert_eq!(breaker.circuit(), Circuit::Closed);
}

#[tokio::test(start_paused = true)]
async fn one_probe_decides_when_the_circuit_is_half_open() {
    let breaker = breaker();
    fail(&breaker, 5);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let probe = breaker.acquire().unwrap();
    assert!(breaker.acquire().is_err() && breaker.check().is_err(), "only one probe");
    probe.failed();
    assert_eq!(breaker.circuit(), Circuit::Open);
    tokio::time::sleep(Duration::from_secs(10)).await;
    breaker.acquire().unwrap().succeeded();
    assert_eq!(breaker.circuit(), Circuit::Closed);
    fail(&breaker, 4);
    assert_eq!(breaker.circuit(), Circuit::Closed, "failures are counted anew");
}

#[tokio::test(start_paused = true)]
async fn abandoned_probe_makes_room_for_another() {
    let breaker = breaker();
    fail(&breaker, 5);
    tokio::time::sleep(Duration::from_secs(10)).await;
    drop(breaker.acquire().unwrap());
    assert!(breaker.acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn abandoned_call_counts_as_failed_only_if_it_took_long() {
    let breaker = breaker();
    for _ in 0..10 {
        drop(breaker.acquire().unwrap());
    }
    assert_eq!(breaker.circuit(), Circuit::Closed);
    let late: Vec<_> = (0..5).map(|_| breaker.acquire().unwrap()).collect();
    tokio::time::sleep(Duration::from_secs(5)).await;
    drop(late);
    assert_eq!(breaker.circuit(), Circuit::Open);
}

#[tokio::test(start_paused = true)]
async fn success_of_a_call_begun_before_the_circuit_opened_does_not_close_it() {
    let breaker = breaker();
    let early = breaker.acquire().unwrap();
    fail(&breaker, 5);
    early.succeeded();
    assert_eq!(breaker.circuit(), Circuit::Open);
}
