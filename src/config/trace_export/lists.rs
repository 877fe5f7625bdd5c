//! Lists of names and values, as `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_RESOURCE_ATTRIBUTES` have
//! them: `key1=value1,key2=value2`, the values percent-encoded.

use percent_encoding::percent_decode_str;

use crate::config::SecretText;

/// The most entries of a list.
const ENTRIES_MAX: usize = 64;

/// Parses headers. The values are checked and remain encoded, as the exporter takes them.
///
/// # Errors
/// The reason, without any value.
pub(super) fn headers(text: &str) -> Result<Vec<(String, SecretText)>, String> {
    entries(text)?.into_iter().map(header).collect()
}

fn header((name, value): (String, String)) -> Result<(String, SecretText), String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) {
        return Err("has an entry whose name is not one of a header".into());
    }
    let decoded = decoded(&value)?;
    if !decoded.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(format!("the value of {name} must consist of printable ASCII characters"));
    }
    Ok((name.to_ascii_lowercase(), value.into()))
}

/// Parses attributes of the resource.
///
/// # Errors
/// The reason.
pub(super) fn resource(text: &str) -> Result<Vec<(String, String)>, String> {
    let entries = entries(text)?.into_iter();
    entries.map(|(key, value)| Ok((key, decoded(&value)?))).collect()
}

fn entries(text: &str) -> Result<Vec<(String, String)>, String> {
    let entries: Vec<_> = text.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
    if entries.len() > ENTRIES_MAX {
        return Err(format!("must have at most {ENTRIES_MAX} entries"));
    }
    let pair = |entry: &str| {
        let (key, value) = entry.split_once('=')?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    };
    let pairs: Option<Vec<_>> = entries.into_iter().map(pair).collect();
    pairs.ok_or_else(|| "must be a list such as key1=value1,key2=value2".into())
}

fn decoded(value: &str) -> Result<String, String> {
    let decoded = percent_decode_str(value).decode_utf8();
    decoded
        .map(Into::into)
        .map_err(|_| "has a value whose percent-encoding is not UTF-8; write % as %25".into())
}
