//! Request bodies as in the reference, section 9; no value can break out of its element.

use proptest::prelude::*;

use super::xml;
use crate::integration_server::model::{
    Administrator, AdministratorPassword, BiosId, NewTenant, NewTenantKind, NewVirtualMachine,
    WireText,
};
use crate::integration_server::wire::XmlBody;

fn text(text: &str) -> WireText {
    WireText::parse("text", text).unwrap()
}

fn simple(name: &str, user_data: Option<&str>) -> NewTenant {
    NewTenant {
        name: text(name),
        description: None,
        user_data: user_data.map(text),
        preferred_address: None,
        kind: NewTenantKind::Simple,
    }
}

fn complete() -> NewTenant {
    let password = AdministratorPassword::parse("password", "Good-Pass1".into()).unwrap();
    NewTenant {
        description: Some(text("retail")),
        preferred_address: Some("192.0.2.9".parse().unwrap()),
        kind: NewTenantKind::Complete(Administrator { name: text("contoso-admin"), password }),
        ..simple("Contoso & Söhne", Some("crm=42"))
    }
}

fn written(body: XmlBody) -> String {
    String::from_utf8(body.into_bytes()).unwrap()
}

#[test]
fn requests_are_written_as_the_reference_shows_them() {
    assert_eq!(
        written(XmlBody::tenant(&complete())),
        "<tenant><name>Contoso &amp; Söhne</name><description>retail</description><userData><![CDATA[crm=42]]></userData><preferredViisAddress>192.0.2.9</preferredViisAddress><type>Complete</type><vKsc><user><name>contoso-admin</name><password>R29vZC1QYXNzMQ==</password></user></vKsc></tenant>"
    );
    assert_eq!(
        written(XmlBody::tenant(&simple("Contoso Labs", None))),
        "<tenant><name>Contoso Labs</name><type>Simple</type></tenant>"
    );
    let bios_id = BiosId::read("345AE5D6-eeb7-4635-884a-01ac1781deeb").unwrap();
    let machine =
        NewVirtualMachine { bios_id, name: Some(text("web-01")), user_data: Some(text("rack=7")) };
    assert_eq!(
        written(XmlBody::machine(&machine)),
        r#"<vm biosId="345ae5d6-eeb7-4635-884a-01ac1781deeb"><name>web-01</name><userData><![CDATA[rack=7]]></userData></vm>"#
    );
}

#[test]
fn debug_output_of_a_body_hides_the_password() {
    let new = complete();
    let shown = format!("{new:?} {:?}", XmlBody::tenant(&new));
    assert!(!shown.contains("Good-Pass1") && !shown.contains("R29vZC1QYXNzMQ"), "{shown}");
}

proptest! {
    #[test]
    fn any_text_of_a_caller_round_trips(name in "\\PC{1,40}", data in any::<String>()) {
        let (Ok(name), Ok(data)) = (WireText::parse("name", &name), WireText::parse("userData", &data)) else { return Ok(()) };
        let body = written(XmlBody::tenant(&simple(name.as_str(), Some(data.as_str()))));
        let tenant = xml(&body.replacen("<tenant>", "<tenant id='1'>", 1)).tenant().unwrap();
        prop_assert_eq!(tenant.name.as_str(), name.as_str());
        prop_assert_eq!(tenant.user_data.unwrap_or_default(), data.as_str());
    }

    #[test]
    fn markup_in_a_text_stays_text(pieces in prop::collection::vec(
        prop::sample::select(vec!["]]>", "<![CDATA[", "</userData>", "<tenant id='2'/>", "&lt;", "&", "\"", "'", "\r\n", "]", ">", "x", " "]), 0..20)
    ) {
        let data = pieces.concat();
        let body = written(XmlBody::tenant(&simple(&data, Some(&data))));
        let tenant = xml(&body.replacen("<tenant>", "<tenant id='1'>", 1)).tenant().unwrap();
        prop_assert_eq!(tenant.name, data.as_str());
        prop_assert_eq!(tenant.user_data.unwrap_or_default(), data.as_str());
    }
}
