//! `/reports/tenants` (reference, section 5).

use super::parameter;
use crate::answer::Answer;
use crate::integration_server::dates;
use crate::integration_server::installation::Installation;
use crate::integration_server::refusal::{Outcome, Refusal};
use crate::integration_server::task::TaskKind;
use crate::integration_server::work::Work;
use crate::request::Request;

const CSV: &str = "application/csv";

pub(super) fn create(installation: &mut Installation, request: &Request) -> Outcome {
    let every = installation.dialect.empty_tenant_is_every;
    let tenant = parameter(request, "tenantId").filter(|tenant| !(every && tenant.is_empty()));
    if tenant.as_ref().is_some_and(|tenant| installation.tenant(tenant).is_none()) {
        return Err(Refusal::not_found());
    }
    let date = |name| match parameter(request, name) {
        Some(text) => {
            let date = dates::read(&text, installation.utc_offset);
            date.map(Some).ok_or_else(|| Refusal::new(400, format!("{name} is not a date")))
        }
        None => Ok(None),
    };
    let from = date("from")?;
    let to = date("to")?.unwrap_or_else(|| installation.clock.now());
    let task =
        installation.start(TaskKind::CreateTenantReport.name(), Work::Report { tenant, from, to });
    installation.accepted(&task)
}

/// CSV alone, whole or a range of its bytes.
pub(super) fn download(installation: &mut Installation, id: &str, request: &Request) -> Outcome {
    let mut reports = installation.reports.iter_mut();
    let report =
        reports.find(|report| report.id.eq_ignore_ascii_case(id)).ok_or_else(Refusal::not_found)?;
    let accepted = request.header("accept").unwrap_or_default();
    let mut types =
        accepted.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    if !types.any(|media_type| media_type.eq_ignore_ascii_case(CSV)) {
        return Err(Refusal::new(415, "Nothing but application/csv is supported"));
    }
    report.fetched += 1;
    let length = report.csv.len();
    let Some(range) = request.header("range") else {
        return Ok(Answer::raw(CSV, report.csv.clone()));
    };
    let (first, last) =
        bounds(range, length).ok_or_else(|| Refusal::new(416, "There are no such bytes"))?;
    let mut answer = Answer { status: 206, ..Answer::raw(CSV, &report.csv[first..=last]) };
    answer.headers.push(("content-range", format!("bytes {first}-{last}/{length}")));
    Ok(answer)
}

/// The first and the last byte that `bytes=0-9`, `bytes=5-` or `bytes=-5` means, if there are any.
fn bounds(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.checked_sub(1)?;
    let (first, last) = match (first, last) {
        ("", count) => (length.saturating_sub(count.parse().ok()?), end),
        (first, "") => (first.parse().ok()?, end),
        (first, last) => (first.parse().ok()?, last.parse::<usize>().ok()?.min(end)),
    };
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::bounds;

    #[test]
    fn range_lies_within_the_report() {
        assert_eq!(bounds("bytes=0-1023", 123_456), Some((0, 1023)));
        assert_eq!(bounds("bytes=5-", 10), Some((5, 9)));
        assert_eq!(bounds("bytes=-3", 10), Some((7, 9)));
        assert_eq!(bounds("bytes=0-99", 10), Some((0, 9)));
        for none in ["bytes=10-", "bytes=5-4", "bytes=-0", "lines=0-1", "bytes=a-b"] {
            assert_eq!(bounds(none, 10), None, "{none}");
        }
        assert_eq!(bounds("bytes=0-", 0), None);
    }
}
