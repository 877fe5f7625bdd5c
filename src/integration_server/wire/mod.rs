//! The server's formats: XML and CSV, written as documented and read as tolerantly as section 8 of
//! the reference asks. This module does no input or output.

mod accepted;
mod dates;
mod decode;
mod document;
mod members;
mod read;
mod report;
mod tasks;
mod vendor_codes;
mod write;

#[cfg(test)]
mod tests;

use jiff::tz::TimeZone;

use self::members::Members;
use super::model::{
    ListedObjects, RemoteId, RemoteTenant, Report, Started, Task, VendorCode, VirtualMachine,
};

pub use dates::{moment, written};
pub use write::XmlBody;

/// The largest answer in XML that is read, in bytes.
pub const XML_MAX: usize = 10 * 1024 * 1024;

/// The server's answer breaks its format. The sentence is the gateway's own and quotes nothing of
/// the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer of the Integration Server {0}")]
pub struct Malformed(&'static str);

impl Malformed {
    /// The answer is about another object than the requested one.
    pub const ABOUT_ANOTHER: Self = Self("is about another object than the requested one");
}

/// The result of this module.
type Result<T> = std::result::Result<T, Malformed>;

/// A complete response of the server, and what is needed to decode it.
pub struct ResponseBody<'a> {
    /// The body, unpacked.
    pub body: &'a [u8],
    /// The `Content-Type`, if there was one.
    pub content_type: Option<&'a str>,
    /// The zone that the dates of the installation are in.
    pub zone: &'a TimeZone,
}

impl ResponseBody<'_> {
    /// T1: one tenant.
    ///
    /// # Errors
    /// [`Malformed`] unless it is exactly one, with an identifier.
    pub fn tenant(&self) -> Result<RemoteTenant> {
        read::single(self.tenants()?)
    }

    /// T2: the tenants.
    ///
    /// # Errors
    /// [`Malformed`] if the body is no XML, exceeds a limit, is no list of tenants, or has one without
    /// an identifier.
    pub fn tenants(&self) -> Result<Vec<RemoteTenant>> {
        read::list(self, "tenant", read::tenant)
    }

    /// T3: the machines of a tenant.
    ///
    /// # Errors
    /// As [`ResponseBody::tenants`].
    pub fn machines(&self) -> Result<Vec<VirtualMachine>> {
        read::list(self, "vm", read::machine)
    }

    /// T2 and T3: the objects of a list, `tenant` or `vm`, with the members that these paths lead to;
    /// the first two are those of the identifier and the name.
    ///
    /// # Errors
    /// As [`ResponseBody::tenants`].
    pub fn objects(&self, item: &str, paths: &[String]) -> Result<ListedObjects> {
        let members = Members::new(paths);
        let mut objects = ListedObjects::new(paths.len());
        read::each(&decode::text(self)?, item, |document, element| {
            members.read(document, element, &mut objects.add())
        })?;
        Ok(objects)
    }

    /// K1: one task, with an identifier and a state.
    ///
    /// # Errors
    /// As [`ResponseBody::tenants`].
    pub fn task(&self) -> Result<Task> {
        read::single(self.tasks()?)
    }

    /// K2: the tasks. Each needs an identifier and a state, because they tell whether work
    /// continues.
    ///
    /// # Errors
    /// As [`ResponseBody::tenants`].
    pub fn tasks(&self) -> Result<Vec<Task>> {
        read::list(self, "task", tasks::task)
    }

    /// The task that a 202 names in its body, or else in its `Location`.
    pub fn started(&self, location: Option<&str>) -> Started {
        accepted::task_id(self, location).map_or(Started::Unnamed, Started::Task)
    }

    /// R2: the lines about one tenant.
    ///
    /// # Errors
    /// As [`ResponseBody::tenants`].
    pub fn report(&self, tenant: &RemoteId) -> Result<Report> {
        report::read(self, tenant)
    }

    /// The code in the body of a refusal, XML or not; `None` if there is none in its first 64 KiB.
    pub fn vendor_code(&self) -> Option<VendorCode> {
        vendor_codes::code_of(self)
    }
}
