//! Tenants and machines of the reference, section 9.

use super::xml;
use crate::integration_server::model::{BiosId, TenantKind, TenantStatus};

pub(super) const TENANTS: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<tenants>
  <tenant id="3dcea248-a7d8-44ee-b3f9-72ac63ecb2fb" created="2024-03-01T09:15:00" updated="2024-03-02T10:00:00">
    <name>ООО «Ромашка» &amp; R&#x26;D &lt;север&gt;</name>
    <userData><![CDATA[{"note":"a]]]]><![CDATA[>b"}]]></userData>
    <vKsc id="1001"><user><name>romashka-admin</name></user></vKsc>
    <status>Active</status>
    <type>Complete</type>
  </tenant>
  <tenant id="0b6f3c0e-5d0f-4f0a-9b63-5f0f0f6f8a11" created="2024-03-05T00:00:00" updated="2024-03-05T00:00:00">
    <name>東京支社</name><description/><status>Inactive</status><type>Simple</type>
  </tenant>
</tenants>"#;

const OTHER_STACK: &str = concat!(
    "\u{feff}",
    r#"<ArrayOfTenant xmlns="urn:example:virtualization"><tenant updated="2024-03-05T00:00:00.1234567" id="0b6f3c0e-5d0f-4f0a-9b63-5f0f0f6f8a11" created="2024-03-05T00:00:00.1234567"><type>Simple</type><status>Inactive</status><vKsc/><userData/><description/><name>東京支社</name></tenant></ArrayOfTenant>"#
);

pub(super) const MACHINES: &str = r#"<vms>
  <vm id="522290fe-df3b-4f55-b621-0302603158d2" biosId="345AE5D6-EEB7-4635-884A-01AC1781DEEB" created="2024-03-01T09:15:00" updated="2024-03-01T09:15:00"/>
  <vm id = '641267bb-96cf-4d32-88b1-df3a3e254031'
      biosId = 'f2326a1f-24aa-4b59-96d2-af2e36352b89' created='2024-03-01T09:15:00' updated='2024-03-01T09:15:00' shard='4'>
    <futureField><name>not the name of the machine</name></futureField>
    <!-- <name>neither</name> --><?hint skip?>
    <name>B&#xFC;ro &quot;7&quot; &apos;x&apos;</name>
    <userData><![CDATA[]]]]><![CDATA[>]]></userData>
  </vm>
</vms>"#;

#[test]
fn tenants_are_read_with_entities_cdata_and_every_script() {
    let tenants = xml(TENANTS).tenants().unwrap();
    let [first, second] = tenants.as_slice() else { panic!("two tenants") };
    assert_eq!(first.name, "ООО «Ромашка» & R&D <север>");
    assert_eq!(first.user_data.as_deref(), Some(r#"{"note":"a]]>b"}"#));
    assert_eq!(first.description, None);
    let server = first.administration_server.as_ref().unwrap();
    assert_eq!(
        (server.id.as_deref(), server.administrator.as_deref()),
        (Some("1001"), Some("romashka-admin"))
    );
    assert_eq!(
        (first.status.clone(), first.kind.clone()),
        (Some(TenantStatus::Active), Some(TenantKind::Complete))
    );
    let updated = first.updated.as_ref().unwrap().at().unwrap();
    assert_eq!(updated.to_string(), "2024-03-02T10:00:00.000Z");
    assert_eq!((second.name.as_str(), second.description.as_deref()), ("東京支社", None));
    assert_eq!(second.administration_server, None);
}

#[test]
fn tenant_is_equal_in_the_format_of_another_stack() {
    let mut one = xml(TENANTS).tenants().unwrap().remove(1);
    let two = xml(OTHER_STACK).tenant().unwrap();
    assert_eq!(two.created.as_ref().unwrap().at().unwrap().to_string(), "2024-03-05T00:00:00.123Z");
    (one.created, one.updated) = (two.created.clone(), two.updated.clone());
    assert_eq!(one, two);
}

#[test]
fn only_direct_children_belong_to_a_machine() {
    let machines = xml(MACHINES).machines().unwrap();
    let [first, second] = machines.as_slice() else { panic!("two machines") };
    assert_eq!(first.bios_id, BiosId::read("345ae5d6-eeb7-4635-884a-01ac1781deeb"));
    assert_eq!((first.name.as_deref(), first.user_data.as_deref()), (None, None));
    assert_eq!(second.name.as_deref(), Some("Büro \"7\" 'x'"));
    assert_eq!(second.user_data.as_deref(), Some("]]>"));
}

#[test]
fn prefixes_mean_nothing_and_declarations_are_no_attributes() {
    let prefixed = r#"<v:tenants xmlns:v="urn:v" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">
        <v:tenant xmlns:id="urn:id" v:id="1" i:type="T"><v:name> a  b </v:name><v:status> active </v:status><v:description i:nil="true"/></v:tenant>
        <v:tenant v:id="2" id="3"/></v:tenants>"#;
    let tenants = xml(prefixed).tenants().unwrap();
    assert_eq!((tenants[0].id.as_str(), tenants[0].name.as_str()), ("1", " a  b "));
    assert_eq!((&tenants[0].status, &tenants[0].description), (&Some(TenantStatus::Active), &None));
    assert_eq!(tenants[1].id.as_str(), "3");
}

#[test]
fn members_of_objects_are_found_by_their_paths() {
    let document = "<tenants>\
        <tenant\tid='B&amp;1' note=' x '\n:note='y'><name>b</name>\
        <vKsc id='1'><user><name>u</name></user></vKsc><vKsc><user/></vKsc></tenant>\
        <tenant id='\u{a0}345AE5D6-EEB7-4635-884A-01AC1781DEEB&#32;' a:b:note='n' a:note='p'>\
        <name>an earlier one</name><name>a</name><vKsc id='2'/></tenant></tenants>";
    let paths = ["@id", "name", "@note", "vKsc/@id", "vKsc/user/name"].map(str::to_owned);
    let mut objects = xml(document).objects("tenant", &paths).unwrap();
    objects.sort();
    let values: Vec<Vec<_>> = objects.iter().map(|object| object.values().collect()).collect();
    let first =
        [Some("345ae5d6-eeb7-4635-884a-01ac1781deeb"), Some("a"), Some("p"), Some("2"), None];
    let second = [Some("B&1"), Some("b"), Some("x"), None, None];
    assert_eq!(values, [first, second]);
    for id in ["", " id=''", " id='a/b'"] {
        let document = format!("<tenants><tenant{id}><name>x</name></tenant></tenants>");
        assert!(xml(&document).objects("tenant", &paths).is_err(), "{id}");
    }
}

#[test]
fn wrappers_of_any_name_may_be_empty_or_absent() {
    let array = "<ArrayOfTenant xmlns='urn:a' xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/>";
    for empty in ["<tenants/>", "<x></x>", "<tenants count='0'/>", "<x> <!-- --> </x>", array] {
        assert!(xml(empty).tenants().unwrap().is_empty(), "{empty}");
    }
    assert_eq!(xml("<tenant id='1'/>").tenants().unwrap().len(), 1);
    assert_eq!(xml("<x><vm id='1'/><tenant id='2'/><vm id='3'/></x>").machines().unwrap().len(), 2);
}

#[test]
fn document_that_is_not_the_list_is_malformed() {
    for other in [
        "<tasks/>",
        "<vms/>",
        "<vm id='1'/>",
        "<Tenant id='1'/>",
        "<TENANT/>",
        "<x status='starting'/>",
        "<Error/>",
        "<message/>",
        "<tenants>The service is starting.</tenants>",
        "<tenants><Tenant id='1'/></tenants>",
        "<tenants><vm id='1'/></tenants>",
        "<x><y><tenant id='1'/></y></x>",
        "<response><tenants/></response>",
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body><s:Fault/></s:Body></s:Envelope>",
        "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'/>",
        "<Fault><tenant id='1'/></Fault>",
    ] {
        assert!(xml(other).tenants().is_err(), "{other}");
    }
    assert!(xml("<tenants/>").machines().is_err());
    assert!(xml("<tenants/>").tasks().is_err());
}

#[test]
fn list_with_an_item_without_identifier_is_malformed() {
    for item in ["<tenant><name>a</name></tenant>", "<tenant id=''/>", "<tenant id='a/b'/>"] {
        assert!(xml(&format!("<x>{item}<tenant id='1'/></x>")).tenants().is_err(), "{item}");
    }
    assert!(
        xml("<vms><vm id='1'/><vm biosId='345ae5d6-eeb7-4635-884a-01ac1781deeb'/></vms>")
            .machines()
            .is_err()
    );
    for not_one in [
        "<x/>",
        "<tenant/>",
        "<x><tenant id='1'/><tenant id='2'/></x>",
        "<x><tenant/><tenant id='2'/></x>",
    ] {
        assert!(xml(not_one).tenant().is_err(), "{not_one}");
    }
}

#[test]
fn unknown_words_are_kept() {
    let tenant =
        xml("<tenant id='1'><status>Frozen</status><type>Hybrid</type></tenant>").tenant().unwrap();
    assert_eq!(tenant.status, Some(TenantStatus::Unknown("Frozen".into())));
    assert_eq!(tenant.kind, Some(TenantKind::Unknown("Hybrid".into())));
    let machine = xml("<vm id='1' biosId='none'/>").machines().unwrap().remove(0);
    assert_eq!(machine.bios_id, None);
}

#[test]
fn line_ends_are_read_as_xml_says() {
    let tenant =
        xml("<tenant id='1'><userData>a\r\nb&#13;c\rd</userData></tenant>").tenant().unwrap();
    assert_eq!(tenant.user_data.as_deref(), Some("a\nb\rc\nd"));
}
