//! The text of projected objects.

/// The JSON of one or several objects with commas between them, and the gaps that other calls fill.
#[derive(Debug, Default)]
pub struct ProjectedText {
    pub(super) json: Vec<u8>,
    pub(super) gaps: Vec<Gap>,
    /// Where each object ends.
    pub(super) ends: Vec<usize>,
}

/// A place in the text where the JSON of a linked object belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Its position in the text.
    pub at: usize,
    /// The index of its link in the plan.
    pub link: usize,
    /// The upstream's id of the linked object.
    pub id: i64,
}

impl ProjectedText {
    /// The text of an object, by its index, the gaps in it, and where it starts.
    pub fn object(&self, index: usize) -> (&[u8], &[Gap], usize) {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] + 1);
        let end = self.ends[index];
        let first = self.gaps.partition_point(|gap| gap.at < start);
        let last = self.gaps.partition_point(|gap| gap.at < end);
        (&self.json[start..end], &self.gaps[first..last], start)
    }

    /// The number of bytes of all objects.
    pub fn size(&self) -> usize {
        self.json.len()
    }

    /// The number of bytes of memory.
    pub fn memory(&self) -> usize {
        let Self { json, gaps, ends } = self;
        json.capacity() + size_of::<Gap>() * gaps.capacity() + size_of::<usize>() * ends.capacity()
    }

    /// The text of the first objects, with commas between them.
    pub fn first(&self, objects: usize) -> &[u8] {
        &self.json[..objects.checked_sub(1).map_or(0, |last| self.ends[last])]
    }

    /// The gaps in the first objects.
    pub fn gaps_of(&self, objects: usize) -> &[Gap] {
        let end = self.first(objects).len();
        &self.gaps[..self.gaps.partition_point(|gap| gap.at < end)]
    }

    /// Starts another object.
    pub(super) fn start_object(&mut self) {
        if !self.ends.is_empty() {
            self.json.push(b',');
        }
    }

    /// Ends the object.
    pub(super) fn end_object(&mut self) {
        self.ends.push(self.json.len());
    }
}
