//! Reports as lines of six fields (reference, R2).

use std::borrow::Cow;

use jiff::tz::TimeZone;

use super::dates::moment;
use super::{Malformed, ResponseBody, Result, decode};
use crate::ids::hyphenated_uuid;
use crate::integration_server::model::{Moment, RemoteId, Report, ReportPeriod};

const FIELDS: usize = 6;
const SEPARATOR: char = ';';
const LINES_MAX: usize = 500_000;

/// Reads the lines about one tenant. Lines about others are counted, and so are those that could
/// only be guessed at.
pub(super) fn read(answer: &ResponseBody, tenant: &RemoteId) -> Result<Report> {
    let text = decode::text(answer)?;
    if is_page(&text, answer.content_type) {
        return Err(Malformed("is a web page instead of a report"));
    }
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).peekable();
    if lines.peek().is_some() && lines.all(|line| !line.contains(SEPARATOR)) {
        return Err(Malformed("is a message instead of a report"));
    }
    let mut report = Report::default();
    for (at, line) in text.lines().enumerate() {
        if at == LINES_MAX {
            return Err(Malformed("has more than 500,000 lines"));
        }
        if line.trim().is_empty() {
            continue;
        }
        match Line::read(line) {
            Some(line) if RemoteId::read(line.tenant_id.trim()).as_ref() == Some(tenant) => {
                report.periods.push(line.period(answer.zone));
            }
            Some(line) if at == 0 && line.is_header() => {}
            Some(_) => report.foreign_lines += 1,
            None => report.unreadable_lines.push(at + 1),
        }
    }
    Ok(report)
}

/// Whether a response is HTML or XML, whatever its media type.
fn is_page(text: &str, content_type: Option<&str>) -> bool {
    let called = content_type
        .is_some_and(|name| name.trim_start().to_ascii_lowercase().starts_with("text/html"));
    called || text.trim_start().starts_with('<')
}

/// The fields of a line, without the tenant's name.
struct Line<'a> {
    tenant_id: Cow<'a, str>,
    machine_id: Cow<'a, str>,
    machine_name: String,
    from: Cow<'a, str>,
    until: Cow<'a, str>,
}

impl<'a> Line<'a> {
    fn read(line: &'a str) -> Option<Self> {
        Self::of_six(fields(line)).or_else(|| Self::of_more(line))
    }

    fn of_six(fields: Vec<Cow<'a, str>>) -> Option<Self> {
        let [tenant_id, _, machine_id, machine_name, from, until] = fields.try_into().ok()?;
        Some(Self { tenant_id, machine_id, machine_name: machine_name.into_owned(), from, until })
    }

    /// A name with semicolons: the one UUID between the tenant's identifier and the dates parts the
    /// names.
    fn of_more(line: &'a str) -> Option<Self> {
        let fields: Vec<&str> = line.split(';').collect();
        if fields.len() <= FIELDS {
            return None;
        }
        let [tenant_id, names @ .., from, until] = fields.as_slice() else { return None };
        let mut uuids =
            names.iter().enumerate().filter(|(_, field)| hyphenated_uuid(field.trim()).is_some());
        let (at, machine_id) = uuids.next().filter(|_| uuids.next().is_none())?;
        // Each name has at least one field, if an empty one.
        (at > 0 && at + 1 < names.len()).then(|| Self {
            tenant_id: (*tenant_id).into(),
            machine_id: (*machine_id).into(),
            machine_name: names[at + 1..].join(";"),
            from: (*from).into(),
            until: (*until).into(),
        })
    }

    /// Whether it names the fields: there is neither an identifier nor a date in it.
    fn is_header(&self) -> bool {
        let is_date = |text: &str| matches!(moment(text.trim(), &TimeZone::UTC), Moment::At(_));
        !self.tenant_id.is_empty()
            && hyphenated_uuid(self.tenant_id.trim()).is_none()
            && !is_date(&self.from)
    }

    fn period(self, zone: &TimeZone) -> ReportPeriod {
        let date = |text: &str| {
            Some(text.trim()).filter(|text| !text.is_empty()).map(|text| moment(text, zone))
        };
        ReportPeriod {
            protected_from: date(&self.from),
            protected_until: date(&self.until),
            machine_id: self.machine_id.trim().to_owned(),
            machine_name: self.machine_name,
        }
    }
}

/// The fields between semicolons; quotes round a field count where they make six of them.
fn fields(line: &str) -> Vec<Cow<'_, str>> {
    let quoted = with_quotes(line).filter(|fields| fields.len() == FIELDS);
    quoted.unwrap_or_else(|| line.split(';').map(Cow::Borrowed).collect())
}

fn with_quotes(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let (field, after) = match rest.strip_prefix('"') {
            Some(inside) => unquote(inside)?,
            None => {
                let end = rest.find(';').unwrap_or(rest.len());
                (Cow::Borrowed(&rest[..end]), &rest[end..])
            }
        };
        fields.push(field);
        match after.strip_prefix(';') {
            Some(next) => rest = next,
            None => return after.is_empty().then_some(fields),
        }
    }
}

/// A field up to its closing quote, two of them meaning one, and what follows it.
fn unquote(inside: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut from = 0;
    loop {
        let at = from + inside[from..].find('"')?;
        if !inside[at + 1..].starts_with('"') {
            return Some((inside[..at].replace("\"\"", "\"").into(), &inside[at + 1..]));
        }
        from = at + 2;
    }
}
