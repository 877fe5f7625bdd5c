//! Writes elements in a dialect. No XML library: a response must be able to differ from any usual
//! form.

use super::dialect::Dialect;
use super::element::{Child, Element};
use super::shapes::{Encoding, FreeText, Quotes, Tags};

/// A whole document as bytes.
pub(crate) fn document(root: &Element, dialect: &Dialect) -> Vec<u8> {
    let text = text(root, dialect);
    match dialect.encoding {
        Encoding::Utf8 => text.into_bytes(),
        Encoding::Utf8Bom => format!("\u{FEFF}{text}").into_bytes(),
        Encoding::Utf16Bom => {
            format!("\u{FEFF}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
        }
        Encoding::Utf16ByType => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        Encoding::Latin1 => text.chars().flat_map(latin).collect(),
    }
}

fn latin(sign: char) -> Vec<u8> {
    u8::try_from(sign)
        .map_or_else(|_| format!("&#x{:X};", u32::from(sign)).into_bytes(), |byte| vec![byte])
}

/// A whole document as text.
pub(crate) fn text(root: &Element, dialect: &Dialect) -> String {
    let mut writer = Writer { dialect, out: String::new() };
    if dialect.declaration {
        let encoding = match dialect.encoding {
            Encoding::Utf8 | Encoding::Utf8Bom => "utf-8",
            Encoding::Utf16Bom | Encoding::Utf16ByType => "utf-16",
            Encoding::Latin1 => "ISO-8859-1",
        };
        writer.out = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>");
        writer.line(0);
    }
    writer.element(root, 0);
    writer.out
}

struct Writer<'a> {
    dialect: &'a Dialect,
    out: String,
}

impl Writer<'_> {
    fn line(&mut self, depth: usize) {
        if self.dialect.indented {
            self.out.push('\n');
            self.out.push_str(&"  ".repeat(depth));
        }
    }

    fn element(&mut self, element: &Element, depth: usize) {
        self.open(element, depth);
        if element.children.is_empty() {
            self.out.push_str("/>");
            return;
        }
        self.out.push('>');
        let mut children: Vec<&Child> = element.children.iter().collect();
        if self.dialect.reversed && element.is_item() {
            children.reverse();
        }
        if self.dialect.strangers && element.is_item() {
            self.strangers(depth + 1);
        }
        for child in children {
            self.child(child, depth + 1);
        }
        if element.holds_elements() {
            self.line(depth);
        }
        self.out.push_str(&format!("</{}>", self.tag(element.name)));
    }

    /// The start tag without its end.
    fn open(&mut self, element: &Element, depth: usize) {
        self.out.push_str(&format!("<{}", self.tag(element.name)));
        match self.dialect.tags {
            Tags::DefaultNamespace(uri) if depth == 0 => self.attribute(0, "xmlns", uri),
            Tags::Prefixed(prefix, uri) if depth == 0 => {
                self.attribute(0, &format!("xmlns:{prefix}"), uri);
            }
            _ => {}
        }
        let mut attributes: Vec<(&str, &str)> =
            element.attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        if self.dialect.strangers && element.is_item() {
            attributes.push(("shard", "4"));
        }
        if self.dialect.reversed {
            attributes.reverse();
        }
        for (place, (name, value)) in attributes.into_iter().enumerate() {
            self.attribute(place, name, value);
        }
    }

    fn attribute(&mut self, place: usize, name: &str, value: &str) {
        let value = escaped(value, false);
        let written = match self.dialect.quotes {
            Quotes::Double => format!(" {name}=\"{value}\""),
            Quotes::Single => format!(" {name}='{value}'"),
            Quotes::Spaced if place.is_multiple_of(2) => format!("\n    {name} = '{value}'"),
            Quotes::Spaced => format!("\t{name}=\n\"{value}\" "),
        };
        self.out.push_str(&written);
    }

    fn tag(&self, name: &str) -> String {
        match self.dialect.tags {
            Tags::Prefixed(prefix, _) => format!("{prefix}:{name}"),
            _ => name.to_owned(),
        }
    }

    fn child(&mut self, child: &Child, depth: usize) {
        match child {
            Child::Element(element) => {
                self.line(depth);
                self.element(element, depth);
            }
            Child::Absent(name) if self.dialect.empty_elements => {
                self.line(depth);
                self.element(&Element::new(name), depth);
            }
            Child::Absent(_) => {}
            Child::Word(word) => self.word(word),
            Child::Free(text) => self.free(text),
            Child::Data(text) if self.dialect.free_text == FreeText::Documented => {
                self.out.push_str(&cdata(text));
            }
            Child::Data(text) => self.free(text),
            Child::Cdata(text) => self.out.push_str(&cdata(text)),
        }
    }

    fn word(&mut self, word: &str) {
        let word = escaped(word, false);
        self.out.push_str(&if self.dialect.padded { format!("\n  {word}\t ") } else { word });
    }

    fn free(&mut self, text: &str) {
        let written = match self.dialect.free_text {
            FreeText::Documented | FreeText::Escaped => escaped(text, false),
            FreeText::References => escaped(text, true),
            FreeText::Pieces => {
                let middle = (text.len() / 2..=text.len())
                    .find(|&at| text.is_char_boundary(at))
                    .unwrap_or(0);
                let (before, after) = text.split_at(middle);
                format!("{}<!-- and -->{}", escaped(before, false), cdata(after))
            }
        };
        self.out.push_str(&written);
    }

    /// An element that a reader must ignore, although it contains known names.
    fn strangers(&mut self, depth: usize) {
        self.line(depth);
        self.out
            .push_str("<!-- <name>neither</name> <state>Failed</state> --><?hint skip=\"me\"?>");
        let inner = ["name", "state", "status", "type", "error", "result", "progress"];
        let inner = inner
            .into_iter()
            .fold(Element::new("futureField"), |field, name| field.word(name, "not this"));
        self.line(depth);
        self.element(&inner, depth);
    }
}

/// Text with references for what would be markup or be changed by a reader; for everything that is
/// not ASCII, too.
fn escaped(text: &str, all: bool) -> String {
    let mut written = String::with_capacity(text.len());
    for (place, sign) in text.chars().enumerate() {
        match sign {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            '"' => written.push_str("&quot;"),
            '\'' => written.push_str("&apos;"),
            '\r' | '\n' | '\t' => written.push_str(&format!("&#{};", u32::from(sign))),
            _ if all && !sign.is_ascii() && place.is_multiple_of(2) => {
                written.push_str(&format!("&#{};", u32::from(sign)));
            }
            _ if all && !sign.is_ascii() => written.push_str(&format!("&#x{:x};", u32::from(sign))),
            _ => written.push(sign),
        }
    }
    written
}

/// A section that holds any text; a reader would take a bare CR for a line end.
fn cdata(text: &str) -> String {
    let text = text.replace("]]>", "]]]]><![CDATA[>").replace('\r', "]]>&#13;<![CDATA[");
    format!("<![CDATA[{text}]]>")
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::*;

    /// Text that every dialect must preserve.
    const TEXTS: [&str; 6] =
        ["a]]>b", " <tenant> & \"x\" 'y' ", "\r\n\tline\r", "東京支社", "Söhne «é»", "]]>"];

    fn decoded(bytes: &[u8], dialect: &Dialect) -> String {
        let units = |pair: fn([u8; 2]) -> u16| -> Vec<u16> {
            bytes.chunks_exact(2).map(|bytes| pair([bytes[0], bytes[1]])).collect()
        };
        let text = match dialect.encoding {
            Encoding::Utf8 | Encoding::Utf8Bom => String::from_utf8(bytes.to_vec()).unwrap(),
            Encoding::Utf16Bom => String::from_utf16(&units(u16::from_le_bytes)).unwrap(),
            Encoding::Utf16ByType => String::from_utf16(&units(u16::from_be_bytes)).unwrap(),
            Encoding::Latin1 => bytes.iter().copied().map(char::from).collect(),
        };
        text.trim_start_matches('\u{FEFF}').to_owned()
    }

    #[test]
    fn every_dialect_keeps_every_text() {
        for dialect in Dialect::ALL {
            for expected in TEXTS {
                let root =
                    Element::new("tenant").attribute("id", "a<b>'\"&").free("name", Some(expected));
                let root = root
                    .data("userData", Some(expected))
                    .word("status", "Active")
                    .data("description", None);
                let text = decoded(&document(&root, &dialect), &dialect);
                let document = Document::parse(&text)
                    .unwrap_or_else(|error| panic!("{}: {error}", dialect.name));
                let root = document.root_element();
                let child =
                    |name: &str| root.children().find(|node| node.tag_name().name() == name);
                let read = |name| -> String {
                    child(name)
                        .unwrap()
                        .children()
                        .filter(|node| node.is_text())
                        .filter_map(|node| node.text())
                        .collect()
                };
                assert_eq!(
                    (read("name"), read("userData")),
                    (expected.to_owned(), expected.to_owned())
                );
                assert_eq!(
                    (read("status").trim(), root.attribute("id")),
                    ("Active", Some("a<b>'\"&"))
                );
                assert_eq!(child("description").is_some(), dialect.empty_elements);
            }
        }
    }
}
