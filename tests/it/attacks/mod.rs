//! Every known attack on a node's memory and latency, against the real program in its own process.
//! Each runs beside a neighbour, a client of another tenant, who must not be affected.

mod bodies;
mod connections;
mod identity;
mod legacy;
mod neighbour;
mod stage;
mod tenants;

use neighbour::Beside;
use stage::Stage;

/// The upper bound of the process's memory.
const PEAK_MIB: u64 = 256;

/// The result of one attack.
struct Row {
    attack: &'static str,
    outcome: String,
    /// The process's memory before the attack, and its peak during it.
    before_mib: u64,
    peak_mib: u64,
    beside: Beside,
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures times, alone on the machine: run `./test attacks`"]
async fn attacks_take_bounded_memory_and_no_neighbours_time() {
    let stage = Stage::set().await;
    // A substring of the names of the attacks to run; all if absent.
    let wanted = std::env::var("ATTACK").ok();
    let mut rows = Vec::new();
    macro_rules! run {
        (on $stage:ident; $($name:literal: $attack:path;)*) => {$(
            if wanted.as_ref().is_none_or(|part| $name.contains(part.as_str())) {
                rows.push($stage.run($name, async || $attack(&$stage).await).await);
                report(rows.last());
            }
        )*};
    }
    run! {
        on stage;
        "1,100 silent TCP connections from one address": connections::silent;
        "400 WebSockets that never say who they are": connections::unauthenticated_sockets;
        "300 connections that ask for 4.5 MB each and never read": bodies::unread;
        "300 connections that ask for 180,000 values each and never read": bodies::unread_values;
        "one query over 2,000 computers with 6,000 rule ids each": bodies::too_large;
        "12 aliases of one list of 2,500 computers, 8 at once": bodies::aliases;
        "480 cheap reads of one customer through the partner's credential": legacy::shared_credential;
        "4,500 spreads hidden in inline fragments, 40 at once": tenants::hidden_spreads;
        "15 lists of 201 tenants with 30 aliases, 8 at once": tenants::aliases;
        "999 names and 1,000 hierarchies, 8 at once": tenants::long_filters;
        "a narrowed token asks for 101 tenants, 8 at once": identity::narrowed_token;
    }
    drop(stage);
    // A fresh process: the allocator keeps memory that earlier attacks freed, which would count as
    // that of the largest one.
    let fresh = Stage::set().await;
    run! {
        on fresh;
        "a customer's own manager sends 30 MiB answers, 64 at once": legacy::huge_answers;
        "20,000 failed logins from 20,000 networks": identity::failed_logins;
    }
    assert!(!rows.is_empty(), "no attack has such a name");
    for row in &rows {
        assert!(row.peak_mib <= PEAK_MIB, "{}: {} MiB", row.attack, row.peak_mib);
        assert!(row.beside.is_undisturbed(), "{}: {}", row.attack, row.beside);
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what this is run for")]
fn report(row: Option<&Row>) {
    if let Some(Row { attack, outcome, before_mib, peak_mib, beside }) = row {
        println!(
            "{attack}: {before_mib} MiB, then at most {peak_mib}; neighbour's p99, alone → beside \
            it (slowest): {beside}; {outcome}"
        );
    }
}
