//! Bytes to text.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::{Malformed, ResponseBody, Result};

/// How far into a document its declaration is looked for.
const DECLARATION_MAX: usize = 256;

/// Decodes by byte order mark, then XML declaration, then charset of the content type, else as
/// UTF-8.
///
/// # Errors
/// [`Malformed`] for bytes that are not of that encoding, and for a declaration that names none we
/// know.
pub(super) fn text<'a>(answer: &ResponseBody<'a>) -> Result<Cow<'a, str>> {
    let (encoding, body) = encoding(answer)?;
    let text = encoding.decode_without_bom_handling_and_without_replacement(body);
    text.ok_or(Malformed("is not valid in its declared encoding"))
}

/// Decodes as much as possible of the first `max` bytes; never fails, for bodies that are only
/// searched.
pub(super) fn searchable<'a>(answer: &ResponseBody<'a>, max: usize) -> Cow<'a, str> {
    let start = ResponseBody { body: &answer.body[..answer.body.len().min(max)], ..*answer };
    let (encoding, body) = encoding(&start).unwrap_or((UTF_8, start.body));
    encoding.decode_without_bom_handling(body).0
}

fn encoding<'a>(answer: &ResponseBody<'a>) -> Result<(&'static Encoding, &'a [u8])> {
    let body = answer.body;
    if let Some((encoding, length)) = Encoding::for_bom(body) {
        return Ok((encoding, &body[length..]));
    }
    // A document in UTF-16 without a mark shows it by how its first two characters are written.
    match body {
        [b'<', 0, _, 0, ..] => return Ok((UTF_16LE, body)),
        [0, b'<', 0, _, ..] => return Ok((UTF_16BE, body)),
        _ => {}
    }
    if let Some(label) = declared(body) {
        let encoding =
            Encoding::for_label(label).ok_or(Malformed("declares an unknown encoding"))?;
        // A declaration that was read byte by byte is not in UTF-16. Some servers declare UTF-16
        // but send UTF-8.
        let encoding = if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding };
        return Ok((encoding, body));
    }
    let charset = answer.content_type.and_then(charset);
    Ok((charset.and_then(|label| Encoding::for_label(label.as_bytes())).unwrap_or(UTF_8), body))
}

/// The encoding that an XML declaration in an encoding akin to ASCII names.
fn declared(body: &[u8]) -> Option<&[u8]> {
    let start = &body[..body.len().min(DECLARATION_MAX)];
    let inside = start.trim_ascii_start().strip_prefix(b"<?xml")?;
    let inside = &inside[..find(inside, b"?>")?];
    let after = inside[find(inside, b"encoding")? + b"encoding".len()..].trim_ascii_start();
    let after = after.strip_prefix(b"=")?.trim_ascii_start();
    let quote = after.first().filter(|quote| matches!(quote, b'"' | b'\''))?;
    after[1..].split(|byte| byte == quote).next()
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    within.windows(what.len()).position(|window| window == what)
}

/// The charset of a content type, in any letter case, quoted or not.
fn charset(content_type: &str) -> Option<&str> {
    let mut parameters =
        content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, value) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim().trim_matches('"'))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn decoded(body: &[u8], content_type: Option<&str>) -> Result<String> {
        text(&ResponseBody { body, content_type, zone: &TimeZone::UTC }).map(Cow::into_owned)
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn encoding_comes_from_mark_then_declaration_then_content_type() {
        let declared = b"<?xml version='1.0' encoding = 'windows-1251'?><a>\xDE</a>";
        assert!(decoded(declared, Some("text/xml; charset=utf-8")).unwrap().contains('Ю'));
        let marked = "\u{feff}<?xml version='1.0' encoding='windows-1251'?><a>Ю</a>";
        assert!(decoded(marked.as_bytes(), None).unwrap().ends_with("<a>Ю</a>"));
        assert!(!decoded(marked.as_bytes(), None).unwrap().starts_with('\u{feff}'));
        assert_eq!(
            decoded(b"<a>\xDE</a>", Some("Text/XML; Charset=\"Windows-1251\"")).unwrap(),
            "<a>Ю</a>"
        );
        assert_eq!(decoded("<a>Ю</a>".as_bytes(), None).unwrap(), "<a>Ю</a>");
    }

    #[test]
    fn utf_16_is_read_with_and_without_mark() {
        for document in ["\u{feff}<a>東</a>", "<a>東</a>"] {
            let plain = document.trim_start_matches('\u{feff}');
            assert_eq!(decoded(&utf16(document, u16::to_le_bytes), None).unwrap(), plain);
            assert_eq!(decoded(&utf16(document, u16::to_be_bytes), None).unwrap(), plain);
        }
        let lie = "<?xml version=\"1.0\" encoding=\"utf-16\"?><a>東</a>";
        assert_eq!(decoded(lie.as_bytes(), None).unwrap(), lie);
    }

    #[test]
    fn bytes_of_another_encoding_are_refused() {
        assert!(decoded(b"<a>\xDE</a>", None).is_err());
        assert!(decoded(b"<?xml version='1.0' encoding='klingon'?><a/>", None).is_err());
        assert!(decoded(b"<a/>", Some("text/xml; charset=klingon")).is_ok());
    }
}
