//! A streaming XML reader: strict about well-formedness, but it ignores prefixes and unknown
//! elements.

use std::borrow::Cow;

use quick_xml::events::attributes::{Attribute as RawAttribute, Attributes};
use quick_xml::events::{BytesRef, BytesStart, BytesText, Event};
use quick_xml::name::QName;
use quick_xml::{Reader, XmlVersion};

use super::{Malformed, Result, XML_MAX};
use crate::integration_server::model::{is_legal, is_legal_text};

const DEPTH_MAX: usize = 64;
const ELEMENTS_MAX: usize = 200_000;
const TEXT_MAX: usize = 1024 * 1024;
/// The check for attributes of the same name compares each with all before it.
const ATTRIBUTES_MAX: usize = 64;

const NOT_XML: Malformed = Malformed("is not well-formed XML");
const TOO_MUCH: Malformed = Malformed("exceeds the limits on size, depth or length");

/// A document being parsed. Unknown elements are skipped, but must be well-formed.
pub(super) struct Document<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    depth: usize,
    elements: usize,
}

/// The start of an element. It refers to the document's text.
pub(super) struct Element<'a> {
    /// Its name without prefix.
    pub(super) name: &'a str,
    /// Its attributes in their order, beside declarations of namespaces and the `nil` and `type` that
    /// serializers add.
    pub(super) attributes: Vec<Attribute<'a>>,
    depth: usize,
}

/// An attribute of an element.
pub(super) struct Attribute<'a> {
    /// Its whole name.
    key: &'a str,
    /// Where its name without prefix begins.
    name_at: usize,
    /// Its value without the space around it.
    pub(super) value: Cow<'a, str>,
}

/// A direct child of an element.
enum Piece<'a> {
    Text(BytesText<'a>),
    /// The character of a reference.
    Character(char),
    Child(Element<'a>),
}

impl<'a> Element<'a> {
    /// The value of an attribute; `None` if it is empty.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.attribute(name).map(|attribute| &*attribute.value)
    }

    /// The attribute of that name, whatever its prefix; `None` if its value is empty. One without a
    /// prefix comes first.
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute<'a>> {
        let mut found = self.attributes.iter().filter(|attribute| attribute.name() == name);
        let first = found.next()?;
        let chosen = if first.has_prefix() {
            found.find(|attribute| !attribute.has_prefix()).unwrap_or(first)
        } else {
            first
        };
        Some(chosen).filter(|attribute| !attribute.value.is_empty())
    }
}

impl<'a> Attribute<'a> {
    /// Its name without prefix.
    pub(super) fn name(&self) -> &'a str {
        &self.key[self.name_at..]
    }

    pub(super) fn has_prefix(&self) -> bool {
        self.name_at > 0
    }

    /// Checks an attribute. `is_plain` tells that its value is as it is written.
    fn read(raw: RawAttribute<'a>, is_plain: bool) -> Result<Self> {
        let value = if is_plain { raw.value } else { normalized(raw.value)? };
        if value.len() > TEXT_MAX {
            return Err(TOO_MUCH);
        }
        let key = raw.key.into_inner();
        let name_at = name_start(key).ok_or(NOT_XML)?;
        let value = match value {
            Cow::Borrowed(value) => Cow::Borrowed(trim(value)),
            Cow::Owned(value) => Cow::Owned(value.trim().to_owned()),
        };
        Ok(Self { key, name_at, value })
    }

    /// Whether it says nothing about the object.
    fn is_added(&self) -> bool {
        if self.has_prefix() {
            self.key.starts_with("xmlns:") || matches!(self.name(), "nil" | "type")
        } else {
            self.key == "xmlns"
        }
    }
}

impl<'a> Document<'a> {
    /// Reads a whole document; the closure gets the root element.
    pub(super) fn read<T>(
        text: &'a str,
        read: impl FnOnce(&mut Self, &Element<'a>) -> Result<T>,
    ) -> Result<T> {
        // A character of one byte may take three in UTF-8.
        if text.len() > 3 * XML_MAX {
            return Err(TOO_MUCH);
        }
        if !is_legal_text(text) {
            return Err(NOT_XML);
        }
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        reader.config_mut().check_comments = true;
        let mut document = Self { text, reader, depth: 0, elements: 0 };
        let root = document.root()?;
        let found = read(&mut document, &root)?;
        while document.piece(&root)?.is_some() {}
        document.end()?;
        Ok(found)
    }

    /// The next direct child of an element; `None` at its end. Whatever is left of the child before
    /// it is skipped.
    pub(super) fn child(&mut self, parent: &Element) -> Result<Option<Element<'a>>> {
        while let Some(piece) = self.piece_after_space(parent)? {
            if let Piece::Child(child) = piece {
                return Ok(Some(child));
            }
        }
        Ok(None)
    }

    /// The element's own text and CDATA, joined and not trimmed.
    pub(super) fn text(&mut self, element: &Element) -> Result<Cow<'a, str>> {
        self.text_and(element, |_, _| Ok(()))
    }

    /// Its own text and, apart from it, each child given to the closure.
    pub(super) fn text_and(
        &mut self,
        element: &Element,
        mut visit: impl FnMut(&mut Self, &Element<'a>) -> Result<()>,
    ) -> Result<Cow<'a, str>> {
        let mut joined = Cow::Borrowed("");
        while let Some(piece) = self.piece(element)? {
            match piece {
                Piece::Text(text) => append(&mut joined, text.xml10_content())?,
                Piece::Character(character) => append(&mut joined, String::from(character).into())?,
                Piece::Child(child) => visit(self, &child)?,
            }
        }
        Ok(joined)
    }

    /// Calls the closure with each child; returns whether the element is empty: no child, and no
    /// text but white space.
    pub(super) fn visit(
        &mut self,
        element: &Element,
        mut visit: impl FnMut(&mut Self, &Element<'a>) -> Result<()>,
    ) -> Result<bool> {
        let mut is_empty = true;
        while let Some(piece) = self.piece_after_space(element)? {
            match piece {
                Piece::Text(text) => is_empty &= text.trim().is_empty(),
                Piece::Character(character) => is_empty &= character.is_whitespace(),
                Piece::Child(child) => {
                    is_empty = false;
                    visit(self, &child)?;
                }
            }
        }
        Ok(is_empty)
    }

    /// All text at any depth, including attributes, with a space between elements.
    pub(super) fn words(&mut self, element: &Element) -> Result<String> {
        let mut words = Cow::default();
        for has_prefix in [false, true] {
            let attributes = element.attributes.iter();
            for attribute in attributes.filter(|found| found.has_prefix() == has_prefix) {
                append(&mut words, attribute.value.clone())?;
                append(&mut words, Cow::Borrowed(" "))?;
            }
        }
        while let Some(piece) = self.piece(element)? {
            match piece {
                Piece::Text(text) => append(&mut words, text.xml10_content())?,
                Piece::Character(character) => append(&mut words, String::from(character).into())?,
                Piece::Child(child) => {
                    append(&mut words, format!(" {} ", self.words(&child)?).into())?;
                }
            }
        }
        Ok(words.into_owned())
    }

    /// The next piece, without the space before it: half of the pieces of an indented document are
    /// space between children.
    fn piece_after_space(&mut self, parent: &Element) -> Result<Option<Piece<'a>>> {
        self.reader.config_mut().trim_text_start = true;
        let piece = self.piece(parent);
        self.reader.config_mut().trim_text_start = false;
        piece
    }

    fn piece(&mut self, parent: &Element) -> Result<Option<Piece<'a>>> {
        while self.depth >= parent.depth {
            let own = self.depth == parent.depth;
            match self.event()? {
                Event::Start(start) => {
                    let element = self.open(&start)?;
                    if own {
                        return Ok(Some(Piece::Child(element)));
                    }
                }
                Event::End(_) => self.depth -= 1,
                Event::Text(text) if own => return Ok(Some(Piece::Text(text))),
                Event::CData(text) if own => {
                    return Ok(Some(Piece::Text(BytesText::from_escaped(text.into_inner()))));
                }
                Event::GeneralRef(reference) => {
                    let character = resolve(&reference)?;
                    if own {
                        return Ok(Some(Piece::Character(character)));
                    }
                }
                Event::Eof => return Err(Malformed("ends unexpectedly")),
                _ => {}
            }
        }
        Ok(None)
    }

    fn root(&mut self) -> Result<Element<'a>> {
        loop {
            match self.event()? {
                Event::Start(start) => return self.open(&start),
                Event::Text(text) if text.trim().is_empty() => {}
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
                _ => return Err(NOT_XML),
            }
        }
    }

    fn end(&mut self) -> Result<()> {
        loop {
            match self.event()? {
                Event::Eof => return Ok(()),
                Event::Text(text) if text.trim().is_empty() => {}
                Event::PI(_) | Event::Comment(_) => {}
                _ => return Err(NOT_XML),
            }
        }
    }

    fn event(&mut self) -> Result<Event<'a>> {
        match self.reader.read_event().map_err(|_| NOT_XML)? {
            Event::DocType(_) => Err(Malformed("has a document type declaration")),
            event => Ok(event),
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<Element<'a>> {
        self.depth += 1;
        self.elements += 1;
        if self.depth > DEPTH_MAX || self.elements > ELEMENTS_MAX {
            return Err(TOO_MUCH);
        }
        let name_len = start.name().into_inner().len();
        let start = self.in_text(start)?;
        let name = &start[..name_len];
        let name = &name[name_start(name).ok_or(NOT_XML)?..];
        Ok(Element { name, attributes: attributes(start, name_len)?, depth: self.depth })
    }

    /// Finds a part of the document's text, to borrow it for as long as the document: the methods of
    /// an event lend the same part only for as long as the event lives.
    fn in_text(&self, part: &str) -> Result<&'a str> {
        let start = part.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        self.text.get(start..start.saturating_add(part.len())).ok_or(NOT_XML)
    }
}

/// The attributes in the text of a start tag, which begins with a name of that length.
fn attributes(tag: &str, name_len: usize) -> Result<Vec<Attribute<'_>>> {
    let mut attributes: Vec<Attribute> = Vec::new();
    if tag.len() == name_len {
        return Ok(attributes);
    }
    let is_plain = has_plain_values(&tag[name_len..]);
    let mut has_added = false;
    // The parser would allocate memory for its own check for attributes of one name.
    for raw in Attributes::new(tag, name_len).with_checks(false) {
        let attribute = Attribute::read(raw.map_err(|_| NOT_XML)?, is_plain)?;
        if attributes.iter().any(|before| before.key == attribute.key) {
            return Err(NOT_XML);
        }
        if attributes.len() == ATTRIBUTES_MAX {
            return Err(TOO_MUCH);
        }
        has_added |= attribute.is_added();
        attributes.push(attribute);
    }
    if has_added {
        attributes.retain(|attribute| !attribute.is_added());
    }
    Ok(attributes)
}

/// The bytes of names. Outside ASCII any character will do.
const IN_NAMES: [bool; 256] = {
    let mut in_names = [false; 256];
    let mut byte = u8::MIN;
    loop {
        in_names[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'-' | b'.' | 128..);
        if byte == u8::MAX {
            break in_names;
        }
        byte += 1;
    }
};

/// Where a name begins after its prefix; `None` if the text is no name, which the parser does not
/// check.
fn name_start(name: &str) -> Option<usize> {
    let first = *name.as_bytes().first()?;
    let mut is_name = !matches!(first, b'0'..=b'9' | b'-' | b'.');
    let mut start = 0;
    for (at, byte) in name.bytes().enumerate() {
        is_name &= IN_NAMES[usize::from(byte)];
        if byte == b':' && start == 0 {
            start = at + 1;
        }
    }
    is_name.then_some(start)
}

fn append<'a>(joined: &mut Cow<'a, str>, text: Cow<'a, str>) -> Result<()> {
    if joined.is_empty() {
        *joined = text;
    } else {
        joined.to_mut().push_str(&text);
    }
    if joined.len() > TEXT_MAX { Err(TOO_MUCH) } else { Ok(()) }
}

/// The value of an attribute, with its references resolved and its white space normalized
/// (XML 1.0, section 3.3.3).
fn normalized(raw: Cow<'_, str>) -> Result<Cow<'_, str>> {
    let attribute = RawAttribute { key: QName(""), value: raw };
    let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| NOT_XML)?;
    // The document's own characters are checked: references alone add others.
    let is_legal = matches!(value, Cow::Borrowed(_)) || is_legal_text(&value);
    if attribute.value.contains('<') || !is_legal { Err(NOT_XML) } else { Ok(value) }
}

/// A text without the space around it. Most have none, which their first and last byte show.
fn trim(text: &str) -> &str {
    let is_graphic = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_graphic);
    let bytes = text.as_bytes();
    if is_graphic(bytes.first()) && is_graphic(bytes.last()) { text } else { text.trim() }
}

/// Whether the values of the attributes in a text are as they are written: they have no reference, no
/// white space to normalize and no character that a value may not have.
fn has_plain_values(text: &str) -> bool {
    let is_special = |byte: u8| byte < b' ' || matches!(byte, b'&' | b'<');
    // Without a branch the compiler takes several bytes at once.
    text.bytes().fold(0, |found, byte| found | u8::from(is_special(byte))) == 0
}

/// One of the five entities, or a character; nothing else is ever expanded.
fn resolve(reference: &BytesRef<'_>) -> Result<char> {
    let resolved = match &**reference {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => reference.resolve_char_ref().map_err(|_| NOT_XML)?,
    };
    resolved.filter(|c| is_legal(*c)).ok_or(Malformed("refers to an unknown entity"))
}
