use std::time::Duration;

use super::*;

const ONE: Account<u8> = Account { owner: 1, member: 11 };
const OTHER: Account<u8> = Account { owner: 2, member: 21 };

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(1)
}

#[tokio::test(start_paused = true)]
async fn caller_over_its_share_waits_and_a_neighbour_does_not() {
    let pool = Pool::new("bytes", 1300);
    let held = pool.take(ONE, 900, soon()).await.unwrap();
    assert_eq!(pool.take(ONE, 300, soon()).await.unwrap_err(), Exhausted::Full);
    let neighbour = pool.try_take(OTHER, 200).unwrap();
    let waits = tokio::spawn({
        let pool = pool.clone();
        async move { pool.take(ONE, 300, soon()).await }
    });
    tokio::task::yield_now().await;
    assert_eq!(pool.figures().waiting, 1);
    drop(held);
    let granted = waits.await.unwrap().unwrap();
    assert_eq!((granted.units(), pool.figures().in_use), (300, 500));
    drop((granted, neighbour));
    assert_eq!((pool.figures().in_use, pool.figures().highest), (0, 1100));
}

#[tokio::test(start_paused = true)]
async fn more_than_a_share_is_refused_at_once() {
    let pool = Pool::new("bytes", 1300);
    let start = Instant::now();
    let mut held = pool.take(ONE, 800, soon()).await.unwrap();
    assert_eq!(held.grow(101, soon()).await.unwrap_err(), Exhausted::TooLarge);
    assert_eq!((start.elapsed(), held.units()), (Duration::ZERO, 800));
    held.shrink_to(10);
    assert_eq!(pool.figures().in_use, 10);
    assert_eq!(pool.figures().refused, 1);
}

#[tokio::test(start_paused = true)]
async fn caller_that_stopped_waiting_holds_nothing() {
    let pool = Pool::new("bytes", 1300);
    for _ in 0..20 {
        let held = pool.take(ONE, 900, soon()).await.unwrap();
        let waits = tokio::spawn({
            let pool = pool.clone();
            async move { pool.take(ONE, 300, soon()).await }
        });
        tokio::task::yield_now().await;
        drop(held);
        waits.abort();
        drop(waits.await);
    }
    assert_eq!((pool.figures().in_use, pool.figures().waiting), (0, 0));
}
