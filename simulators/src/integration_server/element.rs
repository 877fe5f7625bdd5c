//! Elements, before they are written.

/// An element.
#[derive(Clone, Default)]
pub(crate) struct Element {
    pub name: &'static str,
    pub attributes: Vec<(&'static str, String)>,
    pub children: Vec<Child>,
}

/// A child of an element.
#[derive(Clone)]
pub(crate) enum Child {
    Element(Element),
    /// An optional element without value.
    Absent(&'static str),
    /// A word, such as a state: may be padded.
    Word(String),
    /// Free text: not a space more or less.
    Free(String),
    /// Free text that the documents show as CDATA.
    Data(String),
    /// Text that is CDATA in every dialect.
    Cdata(String),
}

impl Element {
    pub fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    pub fn attribute(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    pub fn child(mut self, child: Self) -> Self {
        self.children.push(Child::Element(child));
        self
    }

    pub fn children(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children.into_iter().map(Child::Element));
        self
    }

    /// A child with a word.
    pub fn word(self, name: &'static str, word: impl Into<String>) -> Self {
        self.child(Self::new(name).own_word(word))
    }

    /// A word of its own.
    pub fn own_word(self, word: impl Into<String>) -> Self {
        self.with(Child::Word(word.into()))
    }

    /// A child with free text, if there is any.
    pub fn free(self, name: &'static str, text: Option<&str>) -> Self {
        self.optional(name, text.map(|text| Self::new(name).with(Child::Free(text.to_owned()))))
    }

    /// A child with user data, if there is any.
    pub fn data(self, name: &'static str, text: Option<&str>) -> Self {
        self.optional(name, text.map(|text| Self::new(name).with(Child::Data(text.to_owned()))))
    }

    /// A child that may lack.
    pub fn optional(self, name: &'static str, child: Option<Self>) -> Self {
        self.with(child.map_or(Child::Absent(name), Child::Element))
    }

    /// Text of its own.
    pub fn text(self, text: &str) -> Self {
        self.with(Child::Free(text.to_owned()))
    }

    /// CDATA of its own.
    pub fn cdata(self, text: &str) -> Self {
        self.with(Child::Cdata(text.to_owned()))
    }

    fn with(mut self, child: Child) -> Self {
        self.children.push(child);
        self
    }

    /// Whether it is what lists are made of.
    pub fn is_item(&self) -> bool {
        matches!(self.name, "tenant" | "vm" | "task")
    }

    pub fn holds_elements(&self) -> bool {
        self.children.iter().any(|child| matches!(child, Child::Element(_) | Child::Absent(_)))
    }
}
