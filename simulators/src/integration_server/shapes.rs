//! The shapes that an answer may have where the reference leaves it open (sections 8 and 9).

/// How a document becomes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-8 after a byte order mark.
    Utf8Bom,
    /// UTF-16, low byte first, after a byte order mark.
    Utf16Bom,
    /// UTF-16 big-endian, declared by the media type only.
    Utf16ByType,
    /// ISO-8859-1, declared in the XML declaration only; other characters as references.
    Latin1,
}

/// Names of elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tags {
    /// As documented.
    Bare,
    /// In a default namespace.
    DefaultNamespace(&'static str),
    /// Each with that prefix, for that namespace.
    Prefixed(&'static str, &'static str),
}

/// Marks round the values of attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quotes {
    /// `id="1"`
    Double,
    /// `id='1'`
    Single,
    /// One of either, with white space and line ends round `=`.
    Spaced,
}

/// How names, descriptions and user data are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FreeText {
    /// Names and descriptions escaped, user data as CDATA.
    Documented,
    /// Everything escaped, with the five entities.
    Escaped,
    /// Everything escaped, and non-ASCII characters as alternating decimal and hexadecimal
    /// references.
    References,
    /// In pieces: escaped text, a comment, CDATA.
    Pieces,
}

/// Dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dates {
    /// `2024-03-01T09:15:00`
    Plain,
    /// `2024-03-01T09:15:00.1234567`
    Fraction,
    /// `2024-03-01T09:15:00Z`, or with the offset of the server.
    Zone,
}

/// The answer 202.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// The task.
    Task,
    /// `<response><task id="…"/></response>`
    Response,
    /// `<taskId>…</taskId>`
    TaskId,
    /// The identifier as text, with a line end.
    PlainText,
    /// `{"id":"…"}`
    Json,
    /// No body, but the header `Location`.
    Location,
    /// Neither.
    Nothing,
}

/// The result of a task that made or removed a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Results {
    /// The tenant as an element.
    Element,
    /// The tenant as a document in escaped text. Its declaration names UTF-16, as writers to memory
    /// do on that stack.
    Escaped,
    /// The tenant as a document, with its declaration, in CDATA.
    Cdata,
    /// Its identifier alone.
    Identifier,
}

/// An error at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errors {
    /// `<error><code>…</code><message>…</message></error>`
    CodeAndMessage,
    /// `<Error xmlns="…"><ErrorCode>…</ErrorCode><ErrorMessage>…</ErrorMessage></Error>`
    Namespaced,
    /// Code and message as text.
    PlainText,
    /// `{"code", "message"}`
    Json,
    /// A page for people that names the code.
    Html,
    /// No body, only the status.
    Empty,
}

/// An error of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskErrors {
    /// `<error>CODE: message</error>`
    Text,
    /// `<error><code>…</code><message>…</message></error>`
    CodeAndMessage,
    /// `<error code="…"/>`
    Attribute,
}

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// `41`
    Whole,
    /// `41.5`
    Fraction,
    /// `41%`
    Percent,
    /// Absent.
    Absent,
}

/// The CSV of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whether a line with names of the columns comes first.
    pub header: bool,
    /// Whether fields are quoted; if not, a semicolon in a name is unescaped.
    pub quoted: bool,
    /// Whether lines end in CR LF; else in LF.
    pub crlf: bool,
    /// Whether a byte order mark comes first.
    pub bom: bool,
}
