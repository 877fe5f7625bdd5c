//! Reads a list of objects.

use super::json::{JsonError, JsonReader, Problem, Read};
use super::object::{Format, MembersReader, Values, Writer, identity};
use super::plan::Plan;
use super::scalar::Unfit;
use super::text::ProjectedText;

/// The text of the objects of a list.
#[derive(Debug, Default)]
pub struct ProjectedList {
    /// The upstream's ids of all objects of the body.
    pub ids: Vec<i64>,
    /// The ids of those that were kept, whose text was written.
    pub kept: Vec<i64>,
    /// Their text, for each selection of the plan.
    pub texts: Vec<ProjectedText>,
    /// The number of values of an unexpected JSON type, which became null.
    pub mismatches: usize,
    /// Whether the text would be too large. Then there is none.
    pub is_too_large: bool,
}

impl ProjectedList {
    /// The number of bytes of the text.
    pub fn size(&self) -> usize {
        self.texts.iter().map(ProjectedText::size).sum()
    }

    /// The number of bytes of memory.
    pub fn memory(&self) -> usize {
        let texts: usize = self.texts.iter().map(ProjectedText::memory).sum();
        texts + size_of::<i64>() * (self.ids.capacity() + self.kept.capacity())
    }
}

/// Reads a list body: `{"<member>": […]}`.
pub struct ListReader<'a> {
    /// The plan of the type of the objects, which has an identity.
    pub plan: &'a Plan,
    /// The member with the list.
    pub member: &'a str,
    /// The most objects of the list; one more makes the body malformed before the others are read.
    pub limit: usize,
    /// Where the upstream's ids are unique.
    pub place: uuid::Uuid,
    /// The most bytes of the text, of all selections together.
    pub largest: usize,
    /// Whether an object of that name is kept.
    pub keeps: &'a dyn Fn(&str) -> bool,
}

impl ListReader<'_> {
    /// Reads a body.
    ///
    /// # Errors
    /// If the text is not JSON, the list is missing or too long, an object has no identity, or a
    /// member that is read is malformed.
    pub fn read(&self, text: &str) -> Result<ProjectedList, JsonError> {
        let mut json = JsonReader::new(text);
        self.body(&mut json).map_err(|problem| json.error(problem))
    }

    fn body(&self, json: &mut JsonReader<'_>) -> Read<ProjectedList> {
        let mut found = None;
        json.object(|json| {
            if json.key()?.name != self.member {
                return json.skip_value();
            }
            found = Some(self.list(json)?);
            Ok(())
        })?;
        json.end()?;
        found.ok_or(Problem::Mistyped)
    }

    fn list(&self, json: &mut JsonReader<'_>) -> Read<ProjectedList> {
        let mut list = ProjectedList::default();
        list.texts.resize_with(self.plan.outputs.len(), ProjectedText::default);
        let mut writer = Writer::new(Format::Json, self.place, self.largest);
        let mut members = MembersReader::of(&self.plan.members);
        json.array(|json| {
            if list.is_too_large {
                // The rest of the body is still checked.
                return json.skip_value();
            }
            members.read(json)?;
            if list.ids.len() == self.limit {
                return Err(Problem::Mistyped);
            }
            let identity = identity(&members.values)?;
            list.ids.push(identity.id);
            if !(self.keeps)(&identity.name) {
                return Ok(());
            }
            list.kept.push(identity.id);
            match self.write(&mut writer, &members.values, &mut list.texts) {
                Ok(()) => {}
                Err(Unfit::TooLarge) => {
                    list = ProjectedList { is_too_large: true, ..ProjectedList::default() };
                }
                Err(Unfit::Malformed) => return Err(Problem::Mistyped),
            }
            Ok(())
        })?;
        if !list.is_too_large {
            list.mismatches = writer.mismatches;
        }
        Ok(list)
    }

    fn write(
        &self,
        writer: &mut Writer<'_>,
        values: &Values<'_>,
        texts: &mut [ProjectedText],
    ) -> Result<(), Unfit> {
        for (output, text) in self.plan.outputs.iter().zip(texts) {
            text.start_object();
            writer.write(&output.fields, values, text)?;
            text.end_object();
        }
        Ok(())
    }
}
