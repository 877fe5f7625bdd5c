//! Report lines of the reference, section 9.

use super::{answer, xml};
use crate::integration_server::model::{Moment, RemoteId, Report};

const ROMASHKA: &str = "3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb";
const TOKYO: &str = "0b6f3c0e-5d0f-4f0a-9b63-5f0f0f6f8a11";
const LINES: &str = "\
3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb;ООО «Ромашка»;345ae5d6-eeb7-4635-884a-01ac1781deeb;web-01;2024-03-01T00:00:00;2024-03-02T00:00:00
;;f2326a1f-24aa-4b59-96d2-af2e36352b89;unassigned-1;2024-03-01T00:00:00;2024-03-01T12:00:00
0b6f3c0e-5d0f-4f0a-9b63-5f0f0f6f8a11;semi;colon;522290fe-df3b-4f55-b621-0302603158d2;vm;2024-03-01T00:00:00;2024-03-03T00:00:00
";

fn report(text: &str, tenant: &str) -> Report {
    xml(text).report(&RemoteId::read(tenant).unwrap()).unwrap()
}

#[test]
fn report_holds_only_lines_of_the_tenant() {
    let own = report(LINES, &ROMASHKA.to_uppercase());
    assert_eq!((own.periods.len(), own.foreign_lines, own.unreadable_lines.len()), (1, 2, 0));
    let period = &own.periods[0];
    assert_eq!(
        (period.machine_id.as_str(), period.machine_name.as_str()),
        ("345ae5d6-eeb7-4635-884a-01ac1781deeb", "web-01")
    );
    assert_eq!(
        period.protected_until.as_ref().unwrap().at().unwrap().to_string(),
        "2024-03-02T00:00:00.000Z"
    );
    assert!(report(LINES, "f2326a1f-24aa-4b59-96d2-af2e36352b89").periods.is_empty());
}

#[test]
fn names_with_semicolons_are_parted_by_the_one_uuid_between() {
    let own = report(LINES, TOKYO);
    assert_eq!(
        (own.periods[0].machine_id.as_str(), own.periods[0].machine_name.as_str()),
        ("522290fe-df3b-4f55-b621-0302603158d2", "vm")
    );
    let line = |middle: &str| format!("{TOKYO};{middle};2024-03-01T00:00:00;2024-03-03T00:00:00");
    assert_eq!(
        report(&line(&format!("a;b;{ROMASHKA};c;d;e")), TOKYO).periods[0].machine_name,
        "c;d;e"
    );
    for guess in [
        format!("a;{ROMASHKA};{TOKYO};b"),
        "a;b;c;d".into(),
        format!("{ROMASHKA};a;b;c"),
        format!("a;b;c;{ROMASHKA}"),
    ] {
        let report = report(&line(&guess), TOKYO);
        assert_eq!((report.periods.len(), report.unreadable_lines), (0, vec![1]), "{guess}");
    }
}

#[test]
fn mark_header_quotes_line_ends_and_an_open_end_are_tolerated() {
    let text = format!(
        "\u{feff}tenant id;tenant name;machine id;machine name;protection on;protection off\r\n\
         \"{TOKYO}\";\"semi;colon \"\"x\"\"\";7;\"v;m\";2024-03-01T00:00:00;\r\n\r\n\
         {TOKYO};\"Acme\" Ltd;8;say \"hi\";soon;2024-03-01T00:00:00"
    );
    let own = report(&text, TOKYO);
    assert_eq!((own.periods.len(), own.foreign_lines, own.unreadable_lines.len()), (2, 0, 0));
    assert_eq!(
        (own.periods[0].machine_name.as_str(), &own.periods[0].protected_until),
        ("v;m", &None)
    );
    assert_eq!(own.periods[1].machine_name, "say \"hi\"");
    assert_eq!(own.periods[1].protected_from, Some(Moment::Unreadable("soon".into())));
}

#[test]
fn lines_that_are_too_short_are_named() {
    let text = format!("{LINES}{TOKYO};a\n{TOKYO}\n");
    assert_eq!(report(&text, TOKYO).unreadable_lines, [4, 5]);
}

#[test]
fn report_may_be_empty_but_not_a_web_page() {
    let tenant = RemoteId::read(TOKYO).unwrap();
    assert_eq!(report("", TOKYO), Report::default());
    for page in
        ["<html>", " <?xml version='1.0'?><error/>", "The service is starting.\n", "{\"error\":1}"]
    {
        assert!(xml(page).report(&tenant).is_err());
    }
    assert!(answer(b"\xff;;;;;").report(&tenant).is_err());
}
