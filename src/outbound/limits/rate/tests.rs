use super::*;

fn after(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

async fn go(limiter: &Arc<RateLimiter>, caller: u128, seconds: u64) -> Result<(), Failure> {
    let tenant = TenantId(Uuid::from_u128(caller));
    limiter.acquire(tenant, tenant, after(seconds)).await?.mark_sent();
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn no_minute_sees_more_calls_than_the_limit() {
    let limiter = RateLimiter::new(5, 1000);
    let mut calls = Vec::new();
    for caller in 0..40_u64 {
        let limiter = limiter.clone();
        calls.push(tokio::spawn(async move {
            let tenant = TenantId(Uuid::from_u128(u128::from(caller % 3)));
            let mut permit = limiter.acquire(tenant, tenant, after(3600)).await.unwrap();
            permit.mark_sent();
            // The vendor counts the call at some moment while it is in flight.
            tokio::time::sleep(Duration::from_millis(caller * 37 % 900)).await;
            let counted = Instant::now();
            tokio::time::sleep(Duration::from_millis(caller * 91 % 700)).await;
            counted
        }));
    }
    let mut counted = Vec::new();
    for call in calls {
        counted.push(call.await.unwrap());
    }
    counted.sort();
    assert!(counted.windows(6).all(|six| six[5] - six[0] >= MINUTE), "{counted:?}");
    assert!(counted[39] - counted[0] < MINUTE * 8, "the limit is used up");
}

#[tokio::test(start_paused = true)]
async fn tenant_with_many_calls_does_not_delay_another_tenants_single_call() {
    let limiter = RateLimiter::new(10, 1000);
    let crowd: Vec<_> = (0..200)
        .map(|_| {
            let limiter = limiter.clone();
            tokio::spawn(async move { go(&limiter, 1, 3600).await })
        })
        .collect();
    tokio::task::yield_now().await;
    let began = Instant::now();
    go(&limiter, 2, 3600).await.unwrap();
    assert!(began.elapsed() <= MINUTE, "{:?}", began.elapsed());
    crowd.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test(start_paused = true)]
async fn busy_tenant_leaves_calls_for_tenants_that_share_the_credential() {
    let limiter = RateLimiter::new(480, 1000);
    let call = async |tenant: u128, seconds: u64| {
        let tenant = TenantId(Uuid::from_u128(tenant));
        let owner = TenantId(Uuid::nil());
        limiter.acquire(tenant, owner, after(seconds)).await.map(|mut permit| permit.mark_sent())
    };
    let began = Instant::now();
    let mut greedy = 0;
    while greedy < 480 && call(1, 0).await.is_ok() {
        greedy += 1;
    }
    assert!((240..400).contains(&greedy), "{greedy}");
    assert!(matches!(call(1, 5).await, Err(Failure::OverShare)));
    for neighbour in 2..22 {
        for _ in 0..5 {
            call(neighbour, 0).await.unwrap();
        }
    }
    assert!(began.elapsed() < Duration::from_secs(6));
    call(1, 60).await.expect("its share returns within a minute");
}

#[tokio::test(start_paused = true)]
async fn owner_uses_the_whole_rate_of_an_unshared_credential() {
    let limiter = RateLimiter::new(480, 1000);
    for _ in 0..480 {
        go(&limiter, 1, 0).await.unwrap();
    }
    assert!(matches!(go(&limiter, 1, 5).await, Err(Failure::Deadline)));
}

#[tokio::test(start_paused = true)]
async fn refusal_pauses_all_calls_for_its_retry_after() {
    let limiter = RateLimiter::new(0, 10);
    go(&limiter, 1, 1).await.unwrap();
    limiter.refused(Some(Duration::from_secs(7)));
    assert!(
        matches!(go(&limiter, 2, 5).await, Err(Failure::QueueFull)),
        "the pause ends after the deadline"
    );
    let began = Instant::now();
    go(&limiter, 2, 60).await.unwrap();
    assert!(began.elapsed() >= Duration::from_secs(7) && began.elapsed() < Duration::from_secs(8));
}

#[tokio::test(start_paused = true)]
async fn pause_doubles_with_each_refusal_without_retry_after() {
    let limiter = RateLimiter::new(0, 10);
    for seconds in [1, 2, 4] {
        limiter.refused(None);
        let began = Instant::now();
        go(&limiter, 1, 60).await.unwrap();
        assert_eq!(began.elapsed().as_secs(), seconds);
    }
    limiter.accepted();
    limiter.refused(None);
    assert!(matches!(go(&limiter, 1, 0).await, Err(Failure::QueueFull)));
    assert!(go(&limiter, 1, 2).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn call_that_was_not_sent_does_not_count() {
    let limiter = RateLimiter::new(1, 10);
    let tenant = TenantId(Uuid::nil());
    drop(limiter.acquire(tenant, tenant, after(1)).await.unwrap());
    assert!(limiter.is_idle());
    go(&limiter, 1, 1).await.unwrap();
    assert!(!limiter.is_idle());
    assert!(matches!(go(&limiter, 1, 59).await, Err(Failure::Deadline)));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(limiter.is_idle());
}
