//! The normal form of an operation: fragments expanded, fields collected and merged, defaults
//! filled in. It is what async-graphql executes, what is counted, and what the answer is arranged
//! by.

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

use super::literal::Member;
use super::variables::Variables;

/// The key under which async-graphql is asked for the type of an object, where that is not known
/// beforehand. No caller's key can be the same: it is no name.
pub const TYPE_KEY: &str = "!";

/// An operation as it is executed. Values of variables are still open.
#[derive(Debug)]
pub struct NormalForm {
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// What is selected of the root.
    pub selections: Selections,
    /// The schema that its introspection fields describe, if it has any.
    pub(super) introspected: Option<Arc<Valid<Schema>>>,
}

/// What is selected of a value.
#[derive(Debug, Default)]
pub struct Selections {
    /// Whether its type is an interface or a union.
    pub(super) is_abstract: bool,
    /// One for all objects that it may be, or several, each for the types that it names.
    pub(super) cases: Vec<Case>,
}

/// What is selected of objects of some types.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) types: Vec<Name>,
    pub(super) fields: Vec<Field>,
}

/// A field that is executed once for each object.
#[derive(Debug)]
pub struct Field {
    /// Its key in the answer.
    pub key: Name,
    /// Its name in the schema.
    pub name: Name,
    /// Where it first stands in the document.
    pub at: Pos,
    pub(super) arguments: Vec<Member>,
    /// Whether an argument says how many objects it answers.
    pub(super) sizes: bool,
    pub(super) ty: Type,
    pub(super) below: Option<Selections>,
}

impl NormalForm {
    /// An operation that selects that of the root. `introspected` answers its introspection fields;
    /// without it they are null.
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

    /// The fields at the root.
    pub fn root(&self) -> &[Field] {
        self.selections.cases.first().map_or(&[], |case| &case.fields)
    }

    /// How many fields it has, those of all types together.
    pub fn fields(&self) -> u64 {
        self.selections.count()
    }

    /// What async-graphql executes: all of the operation but introspection.
    pub fn document(&self, variables: &Variables) -> ExecutableDocument {
        let executed = self.root().iter().filter(|field| !field.is_introspection());
        let mut items: Vec<_> = executed.map(|field| field.executed(variables)).collect();
        if items.is_empty() {
            items.push(typename());
        }
        self.wrapped(SelectionSet { items })
    }

    /// What async-graphql executes for one field at the root alone.
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
    /// What is selected of an object of that type; the type need not be known where there is one
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

    /// Whether async-graphql is asked for the type as well, under [`TYPE_KEY`]: of an object whose
    /// type decides what is selected, and of one of which nothing is selected, since it would be
    /// null otherwise.
    fn asks_type(&self) -> bool {
        self.is_abstract || self.cases.iter().any(|case| case.fields.is_empty())
    }

    fn executed(&self, variables: &Variables) -> SelectionSet {
        let mut items = Vec::new();
        if self.asks_type() {
            items.push(typename());
        }
        // By the type of each object, also where all are alike: an error of a field that is
        // selected of an interface has no path in async-graphql.
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
