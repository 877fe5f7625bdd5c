//! The dialects by name.

use super::dialect::Dialect;
use super::objects::TenantKind;
use super::shapes::{
    Accepted, Dates, Encoding, Errors, FreeText, Progress, Quotes, Report, Results, Tags,
    TaskErrors,
};

impl Dialect {
    /// Every named dialect; a client has to understand each.
    pub const ALL: [Self; 8] = [
        Self::DOCUMENTED,
        Self::TERSE,
        Self::DOTNET,
        Self::PREFIXED,
        Self::UTF16,
        Self::LATIN,
        Self::SLOPPY,
        Self::SILENT,
    ];

    /// The documents' own samples, as far as they go.
    pub const DOCUMENTED: Self = Self {
        name: "documented",
        content_type: "application/xml; charset=utf-8",
        encoding: Encoding::Utf8,
        declaration: true,
        indented: true,
        tags: Tags::Bare,
        quotes: Quotes::Double,
        free_text: FreeText::Documented,
        wrappers: ["tenants", "vms", "tasks"],
        newest_first: false,
        bare_single: false,
        empty_elements: false,
        reversed: false,
        strangers: false,
        padded: false,
        dates: Dates::Plain,
        upper_case_ids: false,
        accepted: Accepted::Task,
        results: Results::Element,
        errors: Errors::CodeAndMessage,
        task_errors: TaskErrors::Text,
        progress: Progress::Whole,
        canceled: "Canceled",
        echoes: false,
        report: Report { header: false, quoted: false, crlf: false, bom: false },
        refused_credential: 403,
        lists_early: false,
        cancel_undoes: true,
        default_kind: Some(TenantKind::Complete),
        removes_artifacts: false,
        unregisters_anywhere: false,
        empty_tenant_is_every: true,
    };

    /// As little as can be said.
    pub const TERSE: Self = Self {
        name: "terse",
        content_type: "text/xml",
        declaration: false,
        indented: false,
        quotes: Quotes::Single,
        free_text: FreeText::Escaped,
        bare_single: true,
        accepted: Accepted::TaskId,
        results: Results::Identifier,
        errors: Errors::PlainText,
        task_errors: TaskErrors::Attribute,
        progress: Progress::Absent,
        default_kind: None,
        ..Self::DOCUMENTED
    };

    /// As another stack writes: byte order mark, default namespace, fractions of seconds, empty
    /// instead of absent.
    pub const DOTNET: Self = Self {
        name: "dotnet",
        encoding: Encoding::Utf8Bom,
        indented: false,
        tags: Tags::DefaultNamespace("urn:example:virtualization"),
        free_text: FreeText::Escaped,
        wrappers: ["ArrayOfTenant", "ArrayOfVm", "ArrayOfTask"],
        newest_first: true,
        empty_elements: true,
        reversed: true,
        dates: Dates::Fraction,
        upper_case_ids: true,
        accepted: Accepted::Response,
        results: Results::Escaped,
        errors: Errors::Namespaced,
        task_errors: TaskErrors::CodeAndMessage,
        progress: Progress::Fraction,
        canceled: "Cancelled",
        echoes: true,
        report: Report { header: true, quoted: true, crlf: true, bom: true },
        refused_credential: 401,
        lists_early: true,
        cancel_undoes: false,
        default_kind: Some(TenantKind::Simple),
        ..Self::DOCUMENTED
    };

    /// A prefix before every name, zones after every date, JSON where XML is not promised.
    pub const PREFIXED: Self = Self {
        name: "prefixed",
        content_type: "Application/XML;charset=\"UTF-8\"",
        tags: Tags::Prefixed("v", "urn:example:virtualization:v2"),
        wrappers: ["response", "response", "response"],
        dates: Dates::Zone,
        accepted: Accepted::Json,
        results: Results::Cdata,
        errors: Errors::Json,
        task_errors: TaskErrors::CodeAndMessage,
        echoes: true,
        lists_early: true,
        removes_artifacts: true,
        empty_tenant_is_every: false,
        ..Self::DOCUMENTED
    };

    /// UTF-16 with its mark, and a 202 whose task is in a header alone.
    pub const UTF16: Self = Self {
        name: "utf16",
        content_type: "application/xml",
        encoding: Encoding::Utf16Bom,
        accepted: Accepted::Location,
        errors: Errors::Html,
        echoes: true,
        report: Report { header: true, quoted: false, crlf: true, bom: false },
        refused_credential: 401,
        ..Self::DOCUMENTED
    };

    /// Another encoding, with references for what it lacks.
    pub const LATIN: Self = Self {
        name: "latin",
        content_type: "text/xml",
        encoding: Encoding::Latin1,
        free_text: FreeText::References,
        empty_elements: true,
        progress: Progress::Fraction,
        canceled: "CANCELLED",
        ..Self::DOCUMENTED
    };

    /// Everything that XML allows and few readers expect.
    pub const SLOPPY: Self = Self {
        name: "sloppy",
        content_type: "",
        quotes: Quotes::Spaced,
        free_text: FreeText::Pieces,
        wrappers: ["Result", "items", "Result"],
        reversed: true,
        strangers: true,
        padded: true,
        accepted: Accepted::PlainText,
        results: Results::Cdata,
        task_errors: TaskErrors::CodeAndMessage,
        progress: Progress::Percent,
        canceled: "Stopped",
        echoes: true,
        report: Report { header: false, quoted: true, crlf: false, bom: true },
        lists_early: true,
        cancel_undoes: false,
        unregisters_anywhere: true,
        ..Self::DOCUMENTED
    };

    /// Omits everything that is not documented: a 202 without its task, errors without a body,
    /// UTF-16 declared by the media type only.
    pub const SILENT: Self = Self {
        name: "silent",
        content_type: "application/xml; charset=utf-16be",
        encoding: Encoding::Utf16ByType,
        declaration: false,
        indented: false,
        accepted: Accepted::Nothing,
        errors: Errors::Empty,
        task_errors: TaskErrors::Attribute,
        progress: Progress::Absent,
        ..Self::DOCUMENTED
    };
}
