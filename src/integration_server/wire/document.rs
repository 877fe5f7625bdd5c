//! A streaming XML reader: strict about well-formedness, but it ignores prefixes and unknown
//! elements.

use std::borrow::Cow;

use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesRef, BytesStart, Event};
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
    reader: Reader<&'a [u8]>,
    depth: usize,
    elements: usize,
}

/// The start of an element, whose attributes were checked. It refers to the document's text.
pub(super) struct Element<'a> {
    start: BytesStart<'a>,
    depth: usize,
}

/// An attribute of an element.
pub(super) struct NamedAttribute<'a> {
    /// Its name without prefix.
    pub(super) name: &'a str,
    pub(super) has_prefix: bool,
    attribute: Attribute<'a>,
}

/// A direct child of an element.
enum Piece<'a> {
    Text(Cow<'a, str>),
    Child(Element<'a>),
}

impl Element<'_> {
    /// Its name without prefix.
    pub(super) fn name(&self) -> &str {
        self.start.local_name().into_inner()
    }

    /// An attribute without the space around it, whatever its prefix; `None` if it is empty. One
    /// without a prefix comes first.
    pub(super) fn attribute(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut found = self.attributes().filter(|attribute| attribute.name == name);
        let first = found.next()?;
        let chosen = if first.has_prefix {
            found.find(|attribute| !attribute.has_prefix).unwrap_or(first)
        } else {
            first
        };
        Some(chosen.value()).filter(|value| !value.is_empty())
    }

    /// The attributes in their order, beside declarations of namespaces and the `nil` and `type` that
    /// serializers add.
    pub(super) fn attributes(&self) -> impl Iterator<Item = NamedAttribute<'_>> {
        let mut checked = self.start.attributes();
        checked.with_checks(false);
        checked.flatten().filter_map(|attribute| {
            let (name, prefix) = attribute.key.decompose();
            let (name, prefix) = (name.into_inner(), prefix.map(|prefix| prefix.into_inner()));
            let is_added = match prefix {
                None => name == "xmlns",
                Some(prefix) => prefix == "xmlns" || matches!(name, "nil" | "type"),
            };
            let has_prefix = prefix.is_some();
            (!is_added).then_some(NamedAttribute { name, has_prefix, attribute })
        })
    }
}

impl<'a> NamedAttribute<'a> {
    /// Its value without the space around it.
    pub(super) fn value(&self) -> Cow<'a, str> {
        // It was checked when the element was read.
        match self.attribute.normalized_value(XmlVersion::Implicit1_0).unwrap_or_default() {
            Cow::Borrowed(value) => Cow::Borrowed(value.trim()),
            Cow::Owned(value) => Cow::Owned(value.trim().to_owned()),
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
        let mut document = Self { reader, depth: 0, elements: 0 };
        let root = document.root()?;
        let found = read(&mut document, &root)?;
        while document.piece(&root)?.is_some() {}
        document.end()?;
        Ok(found)
    }

    /// The next direct child of an element; `None` at its end. Whatever is left of the child before
    /// it is skipped.
    pub(super) fn child(&mut self, parent: &Element) -> Result<Option<Element<'a>>> {
        while let Some(piece) = self.piece(parent)? {
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
                Piece::Text(text) => append(&mut joined, text)?,
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
        while let Some(piece) = self.piece(element)? {
            match piece {
                Piece::Text(text) => is_empty &= text.trim().is_empty(),
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
            for attribute in element.attributes().filter(|found| found.has_prefix == has_prefix) {
                append(&mut words, attribute.value())?;
                append(&mut words, Cow::Borrowed(" "))?;
            }
        }
        while let Some(piece) = self.piece(element)? {
            match piece {
                Piece::Text(text) => append(&mut words, text)?,
                Piece::Child(child) => {
                    append(&mut words, format!(" {} ", self.words(&child)?).into())?;
                }
            }
        }
        Ok(words.into_owned())
    }

    fn piece(&mut self, parent: &Element) -> Result<Option<Piece<'a>>> {
        while self.depth >= parent.depth {
            let own = self.depth == parent.depth;
            match self.event()? {
                Event::Start(start) => {
                    let element = self.open(start)?;
                    if own {
                        return Ok(Some(Piece::Child(element)));
                    }
                }
                Event::End(_) => self.depth -= 1,
                Event::Text(text) if own => {
                    return Ok(Some(Piece::Text(text.xml10_content())));
                }
                Event::CData(text) if own => {
                    return Ok(Some(Piece::Text(text.xml10_content())));
                }
                Event::GeneralRef(reference) => {
                    let text = resolve(&reference)?;
                    if own {
                        return Ok(Some(Piece::Text(String::from(text).into())));
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
                Event::Start(start) => return self.open(start),
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

    fn open(&mut self, start: BytesStart<'a>) -> Result<Element<'a>> {
        self.depth += 1;
        self.elements += 1;
        if self.depth > DEPTH_MAX || self.elements > ELEMENTS_MAX {
            return Err(TOO_MUCH);
        }
        if !is_name(start.name().into_inner()) {
            return Err(NOT_XML);
        }
        check_attributes(&start)?;
        Ok(Element { start, depth: self.depth })
    }
}

/// Whether a name is one, which the parser does not ask; outside ASCII any character will do.
fn is_name(name: &str) -> bool {
    let is_first = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | ':') || !c.is_ascii();
    let mut rest = name.chars();
    rest.next().is_some_and(is_first)
        && rest.all(|c| is_first(c) || c.is_ascii_digit() || matches!(c, '-' | '.'))
}

fn append<'a>(joined: &mut Cow<'a, str>, text: Cow<'a, str>) -> Result<()> {
    if joined.is_empty() {
        *joined = text;
    } else {
        joined.to_mut().push_str(&text);
    }
    if joined.len() > TEXT_MAX { Err(TOO_MUCH) } else { Ok(()) }
}

fn check_attributes(start: &BytesStart<'_>) -> Result<()> {
    for (at, attribute) in start.attributes().enumerate() {
        let attribute = attribute.map_err(|_| NOT_XML)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|_| NOT_XML)?;
        if at >= ATTRIBUTES_MAX || value.len() > TEXT_MAX {
            return Err(TOO_MUCH);
        }
        // The document's own characters are checked: references alone add others.
        let is_legal = matches!(value, Cow::Borrowed(_)) || is_legal_text(&value);
        if !is_name(attribute.key.into_inner()) || attribute.value.contains('<') || !is_legal {
            return Err(NOT_XML);
        }
    }
    Ok(())
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
