//! Answers to what runs later, and refusals.

use super::{TASK_ID, answer, xml};
use crate::integration_server::model::{RemoteId, Started, VendorCode};

fn task(id: &str) -> Started {
    Started::Task(RemoteId::read(id).unwrap())
}

#[test]
fn task_id_is_found_in_every_form_of_a_202() {
    let whole = format!(
        r#"<task id="{TASK_ID}" created="2024-03-01T09:15:00" stateChanged="2024-03-01T09:15:00" changed="2024-03-01T09:15:00"><state>Created</state><type>CreateTenant</type><progress>0</progress></task>"#
    );
    let bodies = [
        whole,
        format!(r#"<response><task id="{TASK_ID}"/></response>"#),
        format!("<taskId>{TASK_ID}</taskId>"),
        format!(
            "<r xmlns='urn:x'><TaskID> {TASK_ID} </TaskID><tenant>3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb</tenant></r>"
        ),
        format!("<string xmlns=\"urn:x\">{TASK_ID}</string>"),
        format!("\"{TASK_ID}\""),
        TASK_ID.to_owned(),
        format!("{TASK_ID}\r\n"),
        format!(r#"{{"id":"{TASK_ID}"}}"#),
        format!(r#"{{"id":"{TASK_ID}","link":"/tasks/{}"}}"#, TASK_ID.to_uppercase()),
    ];
    for body in bodies {
        assert_eq!(xml(&body).started(None), task(TASK_ID), "{body}");
    }
    assert_eq!(xml("<response><task id='17'/></response>").started(Some("/tasks/18")), task("17"));
}

#[test]
fn without_a_body_the_location_names_it_or_nothing_does() {
    for location in [
        format!("/api/2.0/virtualization/tasks/{TASK_ID}"),
        format!("https://viis.example:7271/api/2.0/virtualization/tasks/{TASK_ID}/?x=1"),
    ] {
        assert_eq!(xml("").started(Some(&location)), task(TASK_ID));
        assert_eq!(xml("<html>accepted").started(Some(&location)), task(TASK_ID));
    }
    let two = format!("{TASK_ID} 3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb");
    let longer = format!("{TASK_ID}0 x{TASK_ID} {TASK_ID}-1");
    for body in ["", "accepted", &two, &longer, "<task/>", "<taskId>17</taskId>"] {
        assert_eq!(xml(body).started(None), Started::Unnamed, "{body}");
        assert_eq!(xml(body).started(Some("/tasks/..")), Started::Unnamed);
    }
}

#[test]
fn vendor_code_is_found_in_any_body() {
    for body in [
        "<error><code>VIRMT_VmWithSpecifiedBiosIdAlreadyExists</code><message>registered already</message></error>",
        r#"<Error xmlns="urn:example:virtualization"><ErrorCode>VIRMT_VmWithSpecifiedBiosIdAlreadyExists</ErrorCode></Error>"#,
        r#"{"code":"VIRMT_VmWithSpecifiedBiosIdAlreadyExists"}"#,
        "<html><body>409 VIRMT_VmWithSpecifiedBiosIdAlreadyExists, sorry<br></body>",
        "VIRMT_VmWithSpecifiedBiosIdAlreadyExists",
        "<!DOCTYPE x><e c='VIRMT_VmWithSpecifiedBiosIdAlreadyExists'",
    ] {
        assert_eq!(
            xml(body).vendor_code(),
            Some(VendorCode::VmWithSpecifiedBiosIdAlreadyExists),
            "{body}"
        );
    }
    let utf16: Vec<u8> = "\u{feff}<e>KSC_ServiceNotConfigured</e>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(answer(&utf16).vendor_code(), Some(VendorCode::ServiceNotConfigured));
    assert_eq!(answer(b"\xff\xfeKSC_New1").vendor_code(), None);
    assert_eq!(
        answer(b"\xff KSC_New1").vendor_code(),
        Some(VendorCode::Unknown("KSC_New1".into()))
    );
}

#[test]
fn words_similar_to_a_vendor_code_are_ignored() {
    for body in
        ["", "VIRMT_", "XVIRMT_A", "_KSC_A", "éKSC_A", "KSC_A_B", "KSC_Aé", "virmt_A", "VIRMT A"]
    {
        assert_eq!(xml(body).vendor_code(), None, "{body}");
    }
    let late = format!("{} KSC_ServiceNotConfigured", "x".repeat(64 * 1024));
    assert_eq!(xml(&late).vendor_code(), None);
}
