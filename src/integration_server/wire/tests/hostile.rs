//! Documents that no server should send.

use proptest::prelude::*;

use super::documents::{MACHINES, TENANTS};
use super::{TASK_ID, answer, xml};
use crate::integration_server::model::RemoteId;

fn refused(document: &str) -> bool {
    xml(document).tenants().is_err()
}

#[test]
fn document_type_declaration_is_rejected() {
    let laughs = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;\">]><tenants><tenant id='1'><name>&lol2;</name></tenant></tenants>";
    let external = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><tenant id='1'><name>&x;</name></tenant>";
    for document in [
        laughs,
        external,
        "<!DOCTYPE html><tenants/>",
        "<!doctype a><tenants/>",
        "<tenants><!DOCTYPE a></tenants>",
    ] {
        assert!(refused(document), "{document}");
    }
}

#[test]
fn only_the_five_predefined_entities_are_resolved() {
    for name in
        ["nbsp", "x", "", "#0", "#x1F", "#xD800", "#xFFFF", "#x110000", "#99999999999", "amp"]
    {
        let known = name == "amp";
        assert_eq!(
            refused(&format!("<tenant id='1'><name>&{name};</name></tenant>")),
            !known,
            "{name}"
        );
        assert_eq!(refused(&format!("<tenant id='1' x='&{name};'/>")), !known, "{name}");
        assert_eq!(
            refused(&format!("<tenant id='1'><skipped><a b='c'>&{name};</a></skipped></tenant>")),
            !known,
            "{name}"
        );
    }
}

#[test]
fn malformed_xml_is_rejected_even_in_skipped_elements() {
    let misprint = "<vm id=\"1\" biosId=345ae5d6-eeb7-4635-884a-01ac1781deeb><name>x</name></vm>";
    assert!(xml(misprint).machines().is_err());
    for document in [
        "",
        " ",
        "tenants",
        "<",
        "<tenants",
        "<tenants>",
        "<tenants></tenant>",
        "<tenants/><tenants/>",
        "<tenants/>x",
        "x<tenants/>",
        "<tenants><a></b></tenants>",
        "<tenants><a b=c/></tenants>",
        "<tenants><a b='1' b='2'/></tenants>",
        "<tenants><a b='1' c='2' b=\"1\"/></tenants>",
        "<tenants xmlns='a' xmlns='a'/>",
        "<tenants xmlns:i='a' xmlns:i='a'/>",
        "<tenants xmlns:i='a' i:nil='true' i:nil='true'/>",
        "<tenants a:='1' a:='1'/>",
        "<tenants><a 1='1'/></tenants>",
        "<tenants><-a/></tenants>",
        "<tenants><.a/></tenants>",
        "<tenants><a b/></tenants>",
        "<tenants><a b='<'/></tenants>",
        "<tenants>&</tenants>",
        "<tenants>a & b</tenants>",
        "<tenants><![CDATA[</tenants>",
        "<tenants><!-- -- --></tenants>",
        "<tenants><1/></tenants>",
        "<tenants><></></tenants>",
        "<tenants><a <b='1'/></tenants>",
        "<tenants>\u{1}</tenants>",
        "<tenants>\0</tenants>",
        "</tenants>",
        "<?xml version='1.0'?>",
        "{\"tenants\":[]}",
        "<html><body>Service unavailable</body></html>",
        "<HTML/>",
        "<error><code>x</code></error>",
    ] {
        assert!(refused(document), "{document}");
    }
}

#[test]
fn truncated_document_is_rejected() {
    for end in (0..TENANTS.len()).filter(|end| TENANTS.is_char_boundary(*end)) {
        assert!(refused(&TENANTS[..end]), "{end}");
    }
}

#[test]
fn depth_count_and_length_have_limits() {
    let nested = |depth: usize| {
        format!("<x><tenant id='1'/>{}{}</x>", "<a>".repeat(depth), "</a>".repeat(depth))
    };
    assert!(!refused(&nested(63)));
    assert!(refused(&nested(64)) && refused(&nested(100_000)) && refused(&"<a>".repeat(100_000)));
    let many = |count: usize| format!("<x><tenant id='1'/>{}</x>", "<y/>".repeat(count));
    assert!(!refused(&many(199_998)));
    assert!(refused(&many(199_999)));
    let named =
        |length: usize| format!("<tenant id='1'><name>{}</name></tenant>", "x".repeat(length));
    assert!(!refused(&named(1024 * 1024)));
    assert!(refused(&named(1024 * 1024 + 1)));
    let attributes = |count: usize| (0..count).map(|at| format!(" a{at}='1'")).collect::<String>();
    assert!(!refused(&format!("<tenants{}/>", attributes(64))));
    assert!(refused(&format!("<tenants{}/>", attributes(65))));
    assert!(refused(&format!("<tenants{}/>", attributes(500_000))));
    assert!(refused(&format!("<x y='{}'/>", "&#38;".repeat(1_100_000))));
    assert!(refused(&format!("<x>{}</x>", " ".repeat(32 * 1024 * 1024))));
}

/// Reads the bytes in every way there is.
fn read_all(body: &[u8], content_type: Option<&str>) {
    let zone = jiff::tz::TimeZone::UTC;
    let answer = super::ResponseBody { content_type, zone: &zone, ..answer(body) };
    let _ = (answer.tenants(), answer.machines(), answer.tasks(), answer.vendor_code());
    let _ = (answer.tenant(), answer.task(), answer.started(std::str::from_utf8(body).ok()));
    let _ = answer.report(&RemoteId::read(TASK_ID).unwrap());
}

const TASKS: &str = r#"<tasks><task id="1" created="2024-03-01T09:15:00"><state>Failed</state><error a="b">VIRMT_A<c>d</c></error></task><task id="2"><state>Completed</state><result>&lt;tenant id="3"&gt;&lt;name&gt;A&lt;/name&gt;&lt;/tenant&gt;</result><progress>41.5</progress></task></tasks>"#;
const CSV: &str = "78fce85d-2c37-4118-93d4-f844f23be6fd;\"a\"\";\";b;522290fe-df3b-4f55-b621-0302603158d2;vm;2024-03-01T00:00:00;2024-03-03T00:00:00\r\n";

proptest! {
    #[test]
    fn reader_does_not_panic_on_any_bytes(body in prop::collection::vec(any::<u8>(), 0..600), charset in "[a-z0-9;=\"-]{0,30}") {
        read_all(&body, Some(&format!("text/xml; charset={charset}")));
    }

    #[test]
    fn reader_does_not_panic_on_any_markup(pieces in prop::collection::vec(prop::sample::select(vec![
        "<", ">", "/", "=", "\"", "'", "&", ";", "#x", "<!", "<![CDATA[", "]]>", "<!--", "-->", "<?xml", "?>", " encoding='utf-16'", " id='1'",
        "<tenants>", "</tenants>", "<tenant id='1'>", "</tenant>", "<task id='1'>", "</task>", "<state>", "</state>", "<result>", "</result>",
        "<error>", "</error>", "&lt;", "&amp;", "x", "é", "\u{feff}", "\0", "VIRMT_A", TASK_ID, "<!DOCTYPE", "[", "]", "\n", "xmlns:a='b'", "a:",
    ]), 0..60)) {
        read_all(pieces.concat().as_bytes(), None);
    }

    #[test]
    fn reader_does_not_panic_on_damaged_documents(
        which in 0_usize..4,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..12),
    ) {
        let mut body = [TENANTS, MACHINES, TASKS, CSV][which].as_bytes().to_vec();
        for (index, byte, what) in edits {
            let at = index.index(body.len().max(1)).min(body.len().saturating_sub(1));
            match what {
                0 if !body.is_empty() => body[at] = byte,
                1 if !body.is_empty() => drop(body.remove(at)),
                2 => body.insert(at, byte),
                _ => body.extend_from_within(at..(at + usize::from(byte)).min(body.len())),
            }
        }
        read_all(&body, None);
    }
}
