//! Selections, independent of the library that parsed them.

/// A selected field and the selection below it.
#[derive(Clone, Debug)]
pub struct Selected {
    /// The response key.
    pub key: String,
    /// The name in the schema.
    pub name: String,
    /// Line and column in the document, for errors.
    pub at: (usize, usize),
    /// The fields selected below it.
    pub below: Vec<Selected>,
}

impl Selected {
    /// Writes the selection as one text, which is the same for equal selections.
    pub fn write(fields: &[Self], to: &mut String) {
        to.push('{');
        for field in fields {
            to.push_str(&field.key);
            if field.key != field.name {
                to.push(':');
                to.push_str(&field.name);
            }
            if field.below.is_empty() {
                to.push(' ');
            } else {
                Self::write(&field.below, to);
            }
        }
        to.push('}');
    }
}
