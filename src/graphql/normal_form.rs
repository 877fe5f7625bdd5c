//! The normal form of an operation: fragments expanded, fields collected and merged, defaults
//! filled in. async-graphql executes it, the cost is computed from it, and the response follows its
//! order.

use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::validation::Valid;
use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field as Executed, InlineFragment, OperationDefinition,
    OperationType, Selection, SelectionSet, TypeCondition,
};
use async_graphql::{Name, Pos, Positioned};
use std::collections::HashMap;
use std::sync::Arc;

use super::compiled::Compiled;
use super::literal::Member;
use super::variables::Variables;

/// The response key under which the type of an object is requested where it is not known
/// beforehand. It cannot collide with a caller's key, since it is not a GraphQL name.
pub const TYPE_KEY: &str = "!";

/// An operation in normal form. Variables are still open.
#[derive(Debug)]
pub struct NormalForm {
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// The selections of the root type.
    pub selections: Selections,
    /// The schema that its introspection fields describe; `None` without such fields.
    pub(super) introspected: Option<Arc<Valid<Schema>>>,
}

/// The selections of a value.
#[derive(Debug, Default)]
pub struct Selections {
    /// Whether the type is an interface or a union.
    pub(super) is_abstract: bool,
    /// One case for all object types of the value, or several cases, each for the types that it
    /// names.
    pub(super) cases: Vec<Case>,
}

/// The fields that are selected of some object types.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) types: Vec<Name>,
    pub(super) fields: Vec<Field>,
}

/// A merged field, executed once for each object.
#[derive(Debug)]
pub struct Field {
    /// The response key.
    pub key: Name,
    /// Its name in the schema.
    pub name: Name,
    /// The first position in the document.
    pub at: Pos,
    pub(super) arguments: Vec<Member>,
    /// Whether an argument sets how many objects it returns.
    pub(super) sizes: bool,
    pub(super) ty: Type,
    pub(super) below: Option<Selections>,
    /// The resolver's compiled form of the selection.
    pub compiled: Compiled,
}

impl NormalForm {
    /// Creates an operation. Introspection fields are answered from `introspected`; without it they
    /// are null.
    pub(super) fn new(
        kind: OperationType,
        selections: Selections,
        introspected: Option<Arc<Valid<Schema>>>,
    ) -> Self {
        let mut operation = Self { kind, selections, introspected };
        if !operation.root().iter().any(Field::is_introspection) {
            operation.introspected = None;
        }
        operation
    }

    /// The root fields.
    pub fn root(&self) -> &[Field] {
        self.selections.cases.first().map_or(&[], |case| &case.fields)
    }

    /// The field with that path of response keys; `None` below an object whose type decides which
    /// fields are selected.
    pub fn field_at<'a>(&self, path: impl IntoIterator<Item = &'a str>) -> Option<&Field> {
        let mut selections = Some(&self.selections);
        let mut found = None;
        for key in path {
            let field = selections?.fields(None)?.iter().find(|field| field.key == key)?;
            selections = field.below.as_ref();
            found = Some(field);
        }
        found
    }

    /// The number of fields, of all object types together.
    pub fn fields(&self) -> u64 {
        self.selections.count()
    }

    /// The bytes of the response keys of these fields.
    pub fn key_bytes(&self) -> u64 {
        self.selections.key_bytes()
    }

    /// The document that async-graphql executes: the operation without introspection fields.
    pub fn document(&self, variables: &Variables) -> ExecutableDocument {
        let executed = self.root().iter().filter(|field| !field.is_introspection());
        let mut items: Vec<_> = executed.map(|field| field.executed(variables)).collect();
        if items.is_empty() {
            items.push(typename());
        }
        self.wrapped(SelectionSet { items })
    }

    /// The document that async-graphql executes for a single root field.
    pub fn root_document(&self, field: &Field, variables: &Variables) -> ExecutableDocument {
        self.wrapped(SelectionSet { items: vec![field.executed(variables)] })
    }

    fn wrapped(&self, selected: SelectionSet) -> ExecutableDocument {
        let operation = OperationDefinition {
            ty: self.kind,
            variable_definitions: Vec::new(),
            directives: Vec::new(),
            selection_set: Positioned::new(selected, Pos::default()),
        };
        let operation = Positioned::new(operation, Pos::default());
        ExecutableDocument {
            operations: DocumentOperations::Single(operation),
            fragments: HashMap::new(),
        }
    }
}

impl Selections {
    /// The fields that are selected of an object type; the type may be unknown if there is a single
    /// case.
    pub(super) fn fields(&self, object: Option<&str>) -> Option<&[Field]> {
        let case = match self.cases.as_slice() {
            [only] => Some(only),
            cases => cases
                .iter()
                .find(|case| case.types.iter().any(|name| Some(name.as_str()) == object)),
        };
        case.map(|case| case.fields.as_slice())
    }

    fn count(&self) -> u64 {
        let fields = self.cases.iter().flat_map(|case| &case.fields);
        fields.map(|field| 1 + field.below.as_ref().map_or(0, Self::count)).sum()
    }

    fn key_bytes(&self) -> u64 {
        let fields = self.cases.iter().flat_map(|case| &case.fields);
        let bytes = |field: &Field| {
            field.key.len() as u64 + field.below.as_ref().map_or(0, Self::key_bytes)
        };
        fields.map(bytes).sum()
    }

    /// Whether the type is requested as well, under [`TYPE_KEY`]: for an object whose type decides
    /// what is selected, and for one of which nothing is selected, which async-graphql would answer
    /// with null.
    fn asks_type(&self) -> bool {
        self.is_abstract || self.cases.iter().any(|case| case.fields.is_empty())
    }

    fn executed(&self, variables: &Variables) -> SelectionSet {
        let mut items = Vec::new();
        if self.asks_type() {
            items.push(typename());
        }
        // Fragments for each object type, even if all select the same: async-graphql reports an
        // error of a field of an interface without its path.
        if self.is_abstract {
            items.extend(self.cases.iter().flat_map(|case| case.executed(variables)));
        } else {
            items.extend(
                self.cases
                    .iter()
                    .flat_map(|case| &case.fields)
                    .map(|field| field.executed(variables)),
            );
        }
        SelectionSet { items }
    }
}

impl Case {
    fn executed<'a>(
        &'a self,
        variables: &'a Variables,
    ) -> impl Iterator<Item = Positioned<Selection>> + 'a {
        self.types.iter().filter(|_| !self.fields.is_empty()).map(move |name| {
            let items = self.fields.iter().map(|field| field.executed(variables)).collect();
            let on = Positioned::new(name.clone(), Pos::default());
            let fragment = InlineFragment {
                type_condition: Some(Positioned::new(TypeCondition { on }, Pos::default())),
                directives: Vec::new(),
                selection_set: Positioned::new(SelectionSet { items }, Pos::default()),
            };
            Positioned::new(
                Selection::InlineFragment(Positioned::new(fragment, Pos::default())),
                Pos::default(),
            )
        })
    }
}

impl Field {
    /// Whether it is `__schema` or `__type`.
    pub(super) fn is_introspection(&self) -> bool {
        ["__schema", "__type"].contains(&self.name.as_str())
    }

    fn executed(&self, variables: &Variables) -> Positioned<Selection> {
        let argument = |argument: &Member| {
            let value = argument.fill(variables)?.into_value();
            Some((Positioned::new(argument.name.clone(), self.at), Positioned::new(value, self.at)))
        };
        let alias = (self.key != self.name).then(|| Positioned::new(self.key.clone(), self.at));
        let below = self.below.as_ref().map(|below| below.executed(variables)).unwrap_or_default();
        let field = Executed {
            alias,
            name: Positioned::new(self.name.clone(), self.at),
            arguments: self.arguments.iter().filter_map(argument).collect(),
            directives: Vec::new(),
            selection_set: Positioned::new(below, self.at),
        };
        Positioned::new(Selection::Field(Positioned::new(field, self.at)), self.at)
    }
}

fn typename() -> Positioned<Selection> {
    let field = Executed {
        alias: Some(Positioned::new(Name::new(TYPE_KEY), Pos::default())),
        name: Positioned::new(Name::new("__typename"), Pos::default()),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::new(SelectionSet::default(), Pos::default()),
    };
    Positioned::new(Selection::Field(Positioned::new(field, Pos::default())), Pos::default())
}
