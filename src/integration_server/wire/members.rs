//! Objects as plans read them: the text of their members, by path.
//!
//! A path leads from the element of the object to a child or an attribute: `name`, `@id`,
//! `vKsc/user/name`.

use super::Result;
use super::document::{Document, Element};
use super::read::NO_IDENTIFIER;
use crate::integration_server::model::AddedObject;

/// The members that are needed of objects.
pub(super) struct Members<'a>(PathTree<'a>);

/// The paths of members as a tree: for an element, the positions of the values of its attributes and
/// children by their names, and the trees of the children with longer paths.
#[derive(Default)]
struct PathTree<'a> {
    attributes: Vec<(&'a str, usize)>,
    texts: Vec<(&'a str, usize)>,
    elements: Vec<(&'a str, Self)>,
}

impl<'a> Members<'a> {
    /// The members that these paths lead to, each path once. The first two are those of the
    /// identifier and the name.
    pub(super) fn new(paths: &'a [String]) -> Self {
        let mut tree = PathTree::default();
        for (at, path) in paths.iter().enumerate() {
            tree.add(path, at);
        }
        Self(tree)
    }

    /// Reads an object.
    ///
    /// # Errors
    /// [`Malformed`](super::Malformed) if it has no identifier.
    pub(super) fn read(
        &self,
        document: &mut Document,
        element: &Element,
        object: &mut AddedObject,
    ) -> Result<()> {
        self.0.read(document, element, object)?;
        if object.make_id_canonical() { Ok(()) } else { Err(NO_IDENTIFIER) }
    }
}

impl<'a> PathTree<'a> {
    fn add(&mut self, path: &'a str, at: usize) {
        if let Some(name) = path.strip_prefix('@') {
            self.attributes.push((name, at));
        } else if let Some((name, rest)) = path.split_once('/') {
            let known = self.elements.iter().position(|(known, _)| *known == name);
            let place = known.unwrap_or_else(|| {
                self.elements.push((name, Self::default()));
                self.elements.len() - 1
            });
            self.elements[place].1.add(rest, at);
        } else {
            self.texts.push((path, at));
        }
    }

    /// Reads the members of an element. Of several children with one name the last counts.
    fn read(
        &self,
        document: &mut Document,
        element: &Element,
        object: &mut AddedObject,
    ) -> Result<()> {
        for (name, at) in &self.attributes {
            object.set(*at, element.value(name).unwrap_or_default());
        }
        while let Some(child) = document.child(element)? {
            if let Some(below) = named(&self.elements, child.name) {
                below.clear(object);
                below.read(document, &child, object)?;
            } else if let Some(at) = named(&self.texts, child.name) {
                object.set(*at, &document.text(&child)?);
            }
        }
        Ok(())
    }

    /// Drops what an earlier element of the same name had.
    fn clear(&self, object: &mut AddedObject) {
        for (_, at) in self.attributes.iter().chain(&self.texts) {
            object.clear(*at);
        }
        for (_, below) in &self.elements {
            below.clear(object);
        }
    }
}

fn named<'a, T>(members: &'a [(&str, T)], name: &str) -> Option<&'a T> {
    members.iter().find(|(known, _)| *known == name).map(|(_, member)| member)
}
