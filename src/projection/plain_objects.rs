//! Objects whose members are plain text, such as those of an XML document.

use super::object::{Format, Writer};
use super::plan::Plan;
use super::text::ProjectedText;
use crate::clock::Timestamp;

/// The text of objects, for each selection of a plan.
#[derive(Debug)]
pub struct ProjectedObjects {
    /// Their text; that of the objects before the one that would be too large.
    pub texts: Vec<ProjectedText>,
    /// Whether the text would be too large.
    pub is_too_large: bool,
}

/// Projects objects of plain text.
pub struct PlainObjects<'a> {
    /// The plan of their type. It has no links, lists or parts, whose values are JSON.
    pub plan: &'a Plan,
    /// Where their ids are unique.
    pub place: uuid::Uuid,
    /// The most bytes of the text, of all selections together.
    pub largest: usize,
    /// Reads a date as the system writes it; `None` for what is none.
    pub date: &'a dyn Fn(&str) -> Option<Timestamp>,
}

impl PlainObjects<'_> {
    /// Writes the objects: for each the values of the members of the plan, in their order.
    pub fn project<'v>(
        &self,
        objects: impl IntoIterator<Item: Iterator<Item = Option<&'v str>>>,
    ) -> ProjectedObjects {
        let mut writer = Writer::new(Format::Plain(self.date), self.place, self.largest);
        let mut texts = Vec::new();
        texts.resize_with(self.plan.outputs.len(), ProjectedText::default);
        let mut values = Vec::new();
        for object in objects {
            values.clear();
            values.extend(object);
            for (output, text) in self.plan.outputs.iter().zip(&mut texts) {
                text.start_object();
                if writer.write(&output.fields, &values, text).is_err() {
                    return ProjectedObjects { texts, is_too_large: true };
                }
                text.end_object();
            }
        }
        ProjectedObjects { texts, is_too_large: false }
    }
}
