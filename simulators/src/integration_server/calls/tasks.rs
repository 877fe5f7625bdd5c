//! `/tasks` (reference, section 4).

use super::parameter;
use crate::integration_server::dates;
use crate::integration_server::installation::Installation;
use crate::integration_server::refusal::{Outcome, Refusal};
use crate::integration_server::task::{Fate, State, Task};
use crate::request::Request;

pub(super) fn carry_out(
    installation: &mut Installation,
    request: &Request,
    method: &str,
    path: &[&str],
) -> Outcome {
    match (method, path) {
        ("GET", []) => list(installation, request),
        ("GET", [id]) => {
            let task = &installation.tasks[find(installation, id)?];
            installation.one(&installation.task(task))
        }
        ("POST", [id, "cancel"]) => cancel(installation, id),
        _ => Err(Refusal::not_found()),
    }
}

fn find(installation: &Installation, id: &str) -> Result<usize, Refusal> {
    let mut tasks = installation.tasks.iter();
    tasks.position(|task| task.id.eq_ignore_ascii_case(id)).ok_or_else(Refusal::not_found)
}

/// Values of filters that do not exist fit nothing.
fn list(installation: &Installation, request: &Request) -> Outcome {
    let created_from = match parameter(request, "createdFrom") {
        Some(text) => {
            let date = dates::read(&text, installation.utc_offset);
            date.ok_or_else(|| Refusal::new(400, "createdFrom is not a date"))?
        }
        None => i64::MIN,
    };
    let state = parameter(request, "state");
    let kind = parameter(request, "type");
    let fits = |wanted: &Option<String>, found: &str| {
        wanted.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(found))
    };
    let wanted = |task: &&Task| {
        // The wire's dates have no fractions: a task of this second was not created before it.
        task.created.div_euclid(1000) * 1000 >= created_from
            && fits(&state, &installation.state(task))
            && fits(&kind, &task.kind)
    };
    installation
        .many(2, installation.tasks.iter().filter(wanted).map(|task| installation.task(task)))
}

fn cancel(installation: &mut Installation, id: &str) -> Outcome {
    let place = find(installation, id)?;
    let task = &installation.tasks[place];
    if task.state.has_ended() {
        return Err(Refusal::new(409, "The task has ended already"));
    }
    if task.fate == Some(Fate::Child) {
        return Err(Refusal::new(405, "Only the parent of this task can be canceled"));
    }
    installation.cancel(place);
    let task = &installation.tasks[place];
    let status = if task.state == State::Canceled { 200 } else { 202 };
    installation.echo(status, &installation.task(task))
}
