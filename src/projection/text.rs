//! The text of projected objects.

/// The JSON of one or several objects, one after the other without anything between them, and the
/// gaps that other calls fill.
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
    /// The text of an object, by its index, and the gaps in it.
    pub fn object(&self, index: usize) -> (&[u8], &[Gap], usize) {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let end = self.ends[index];
        let first = self.gaps.partition_point(|gap| gap.at < start);
        let last = self.gaps.partition_point(|gap| gap.at < end);
        (&self.json[start..end], &self.gaps[first..last], start)
    }

    /// The number of bytes of all objects.
    pub fn size(&self) -> usize {
        self.json.len()
    }

    /// The number of bytes of the first objects.
    pub fn size_of(&self, objects: usize) -> usize {
        objects.checked_sub(1).map_or(0, |last| self.ends[last])
    }

    /// The gaps in the first objects.
    pub fn gaps_of(&self, objects: usize) -> &[Gap] {
        let end = self.size_of(objects);
        &self.gaps[..self.gaps.partition_point(|gap| gap.at < end)]
    }
}
