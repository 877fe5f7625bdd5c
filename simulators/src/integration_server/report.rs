//! Reports: periods of protection as CSV (reference, section 5).

use super::dates;
use super::installation::Installation;
use super::objects::{Machine, Period, Tenant};
use super::shapes::Dates;

impl Installation {
    /// The CSV of the periods that touch that time, of one tenant or of everything.
    pub fn report_lines(&self, tenant: Option<&str>, from: Option<i64>, to: i64) -> Vec<u8> {
        let shape = self.dialect.report;
        let meant = |found: &&Tenant| tenant.is_none_or(|id| found.id.eq_ignore_ascii_case(id));
        let owned = self
            .visible()
            .filter(meant)
            .flat_map(|tenant| tenant.machines.iter().map(move |machine| (Some(tenant), machine)));
        let strays =
            self.stray_machines.iter().filter(|_| tenant.is_none()).map(|machine| (None, machine));
        let mut csv = String::from(if shape.bom { "\u{FEFF}" } else { "" });
        if shape.header {
            let titles =
                ["TenantId", "TenantName", "VmId", "VmName", "ProtectionStart", "ProtectionEnd"];
            self.line(&mut csv, titles.map(str::to_owned));
        }
        for (tenant, machine) in owned.chain(strays) {
            for period in &machine.periods {
                let touches = period.from <= to
                    && from.is_none_or(|from| period.to.is_none_or(|end| end >= from));
                if touches {
                    self.line(&mut csv, self.fields(tenant, machine, *period));
                }
            }
        }
        csv.into_bytes()
    }

    fn fields(&self, tenant: Option<&Tenant>, machine: &Machine, period: Period) -> [String; 6] {
        let date = |millis| dates::written(millis, self.utc_offset, Dates::Plain);
        [
            tenant.map(|tenant| self.shown_id(&tenant.id)).unwrap_or_default(),
            tenant.map(|tenant| tenant.name.clone()).unwrap_or_default(),
            self.shown_id(&machine.id),
            machine.name.clone().unwrap_or_default(),
            date(period.from),
            period.to.map(date).unwrap_or_default(),
        ]
    }

    fn line(&self, csv: &mut String, fields: [String; 6]) {
        let shape = self.dialect.report;
        let quoted = |field: String| format!("\"{}\"", field.replace('"', "\"\""));
        let fields = if shape.quoted { fields.map(quoted) } else { fields };
        csv.push_str(&fields.join(";"));
        csv.push_str(if shape.crlf { "\r\n" } else { "\n" });
    }
}
