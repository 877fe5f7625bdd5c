//! The bodies of T4 and T7.

use std::fmt;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use quick_xml::Writer;
use quick_xml::events::{BytesCData, BytesEnd, BytesStart, BytesText, Event};

use crate::integration_server::model::{
    Administrator, NewTenant, NewTenantKind, NewVirtualMachine, WireText,
};

/// An XML body in UTF-8. It may contain a password, so only the connection can read it.
pub struct XmlBody(Vec<u8>);

impl XmlBody {
    /// T4: a `tenant`. Its type is always sent, since the documentation does not say what its
    /// absence means.
    pub fn tenant(new: &NewTenant) -> Self {
        Self::write(|xml| {
            xml.open("tenant")?;
            xml.text("name", new.name.as_str())?;
            xml.optional("description", new.description.as_ref())?;
            xml.user_data(new.user_data.as_ref())?;
            if let Some(address) = new.preferred_address {
                xml.text("preferredViisAddress", &address.to_string())?;
            }
            match &new.kind {
                NewTenantKind::Simple => xml.text("type", "Simple")?,
                NewTenantKind::Complete(administrator) => xml.complete(administrator)?,
            }
            xml.close("tenant")
        })
    }

    /// T7: a `vm`.
    pub fn machine(new: &NewVirtualMachine) -> Self {
        Self::write(|xml| {
            let bios_id = new.bios_id.to_string();
            xml.event(Event::Start(
                BytesStart::new("vm").with_attributes([("biosId", bios_id.as_str())]),
            ))?;
            xml.optional("name", new.name.as_ref())?;
            xml.user_data(new.user_data.as_ref())?;
            xml.close("vm")
        })
    }

    /// The bytes, for the request that carries them and for nothing else.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn write(body: impl FnOnce(&mut Xml) -> io::Result<()>) -> Self {
        let mut xml = Xml(Writer::new(Vec::new()));
        body(&mut xml).expect("a vector takes all that is written to it");
        Self(xml.0.into_inner())
    }
}

impl fmt::Debug for XmlBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Writes elements; whatever is given as text is escaped.
struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn complete(&mut self, administrator: &Administrator) -> io::Result<()> {
        self.text("type", "Complete")?;
        self.open("vKsc")?;
        self.open("user")?;
        self.text("name", administrator.name.as_str())?;
        self.text("password", &STANDARD.encode(administrator.password.expose()))?;
        self.close("user")?;
        self.close("vKsc")
    }

    fn optional(&mut self, name: &str, text: Option<&WireText>) -> io::Result<()> {
        text.map_or(Ok(()), |text| self.text(name, text.as_str()))
    }

    /// CDATA, as the documents show it. Carriage returns survive as references alone, so text with
    /// one is escaped instead.
    fn user_data(&mut self, text: Option<&WireText>) -> io::Result<()> {
        let Some(text) = text.map(WireText::as_str) else { return Ok(()) };
        if text.contains('\r') {
            return self.text("userData", text);
        }
        self.open("userData")?;
        for section in BytesCData::escaped(text) {
            self.event(Event::CData(section))?;
        }
        self.close("userData")
    }

    fn text(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.open(name)?;
        self.event(Event::Text(BytesText::new(text)))?;
        self.close(name)
    }

    fn open(&mut self, name: &str) -> io::Result<()> {
        self.event(Event::Start(BytesStart::new(name)))
    }

    fn close(&mut self, name: &str) -> io::Result<()> {
        self.event(Event::End(BytesEnd::new(name)))
    }

    fn event(&mut self, event: Event<'_>) -> io::Result<()> {
        self.0.write_event(event)
    }
}
