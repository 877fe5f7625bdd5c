//! CollectFields and MergeSelectionSets (GraphQL, sections 6.3.2 and 6.4.3): the fields that an
//! operation selects of each object type.

use std::collections::HashSet;

use apollo_compiler::Node;
use apollo_compiler::ast::{
    DirectiveList, FieldDefinition, InputValueDefinition, Value as Literal,
};
use apollo_compiler::executable::{ExecutableDocument, Field as Selected, Selection, SelectionSet};
use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Pos, Value};

use super::compiled::Compiled;
use super::cost;
use super::literal::{self, Member};
use super::normal_form::{Case, Field, Selections};
use super::schema::SchemaModel;
use super::variables::Variables;

/// The maximum number of visited selections for each permitted field: fragments multiply selections
/// before they merge.
const VISITS_PER_FIELD: u64 = 20;

/// Why an operation has no normal form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// `@skip` or `@include` depends on variables whose values are not known yet.
    NeedsVariables,
    /// The condition of `@skip` or `@include` is a variable that is null.
    NullCondition,
    /// There are more fields, or more paths to them, than permitted.
    TooLarge,
}

/// The fields of one object type: for each response key, all nodes that select it.
type Collected<'a> = IndexMap<&'a str, Vec<&'a Node<Selected>>>;

/// Collects the fields of an operation.
pub(super) struct Collector<'a> {
    pub(super) model: &'a SchemaModel,
    pub(super) document: &'a ExecutableDocument,
    /// The values of the variables, if known.
    pub(super) variables: Option<&'a Variables>,
    fields_left: u64,
    visits_left: u64,
}

impl<'a> Collector<'a> {
    /// Stops at more than `fields_max` fields.
    pub(super) fn new(
        model: &'a SchemaModel,
        document: &'a ExecutableDocument,
        variables: Option<&'a Variables>,
        fields_max: u64,
    ) -> Self {
        let visits_left = fields_max.saturating_mul(VISITS_PER_FIELD);
        Self { model, document, variables, fields_left: fields_max, visits_left }
    }

    /// Collects what the merged selection sets select of a value of type `parent`.
    pub(super) fn selections(
        &mut self,
        parent: &'a str,
        sets: &[&'a SelectionSet],
    ) -> Result<Selections, Stop> {
        let is_abstract = self.model.is_abstract(parent);
        let types = self.model.possible_types(parent);
        let mut groups: Vec<(Vec<&'a str>, Collected<'a>)> = Vec::new();
        for object in types {
            let mut collected = Collected::new();
            let mut spread = HashSet::new();
            for set in sets {
                self.collect(object, set, &mut collected, &mut spread)?;
            }
            match groups
                .iter_mut()
                .find(|(types, other)| self.is_same(types[0], other, object, &collected))
            {
                Some((types, _)) => types.push(object),
                None => groups.push((vec![object], collected)),
            }
        }
        let mut cases = Vec::with_capacity(groups.len());
        for (types, collected) in groups {
            let fields = self.fields(types[0], collected)?;
            cases.push(Case { types: types.into_iter().map(Name::new).collect(), fields });
        }
        Ok(Selections { is_abstract, cases })
    }

    fn collect(
        &mut self,
        object: &str,
        set: &'a SelectionSet,
        into: &mut Collected<'a>,
        spread: &mut HashSet<&'a str>,
    ) -> Result<(), Stop> {
        for selection in &set.selections {
            self.visits_left = self.visits_left.checked_sub(1).ok_or(Stop::TooLarge)?;
            if !self.is_included(selection.directives())? {
                continue;
            }
            let (condition, below) = match selection {
                Selection::Field(field) => {
                    into.entry(field.response_key().as_str()).or_default().push(field);
                    continue;
                }
                Selection::InlineFragment(inline) => {
                    (inline.type_condition.as_ref(), &inline.selection_set)
                }
                Selection::FragmentSpread(of) => {
                    let Some(fragment) = self.document.fragments.get(&of.fragment_name) else {
                        continue;
                    };
                    if !spread.insert(of.fragment_name.as_str()) {
                        continue;
                    }
                    (Some(fragment.type_condition()), &fragment.selection_set)
                }
            };
            if condition.is_none_or(|condition| self.model.applies(condition, object)) {
                self.collect(object, below, into, spread)?;
            }
        }
        Ok(())
    }

    fn is_included(&self, directives: &DirectiveList) -> Result<bool, Stop> {
        if directives.is_empty() {
            return Ok(true);
        }
        Ok(!self.flag(directives, "skip")?.unwrap_or(false)
            && self.flag(directives, "include")?.unwrap_or(true))
    }

    fn flag(&self, directives: &DirectiveList, name: &str) -> Result<Option<bool>, Stop> {
        let argument =
            directives.get(name).and_then(|directive| directive.specified_argument_by_name("if"));
        match argument.map(AsRef::as_ref) {
            Some(Literal::Boolean(value)) => Ok(Some(*value)),
            Some(Literal::Variable(variable)) => {
                let variables = self.variables.ok_or(Stop::NeedsVariables)?;
                match variables.get(variable) {
                    Some(Value::Boolean(value)) => Ok(Some(*value)),
                    _ => Err(Stop::NullCondition),
                }
            }
            _ => Ok(None),
        }
    }

    /// Whether both object types select the same fields with the same types, so that they share a
    /// case.
    fn is_same(
        &self,
        one: &str,
        of_one: &Collected<'a>,
        other: &str,
        of_other: &Collected<'a>,
    ) -> bool {
        let nodes = |(key, nodes): (&&'a str, &Vec<&'a Node<Selected>>),
                     (other, others): (&&'a str, &Vec<&'a Node<Selected>>)| {
            key == other
                && nodes.len() == others.len()
                && nodes.iter().zip(others).all(|(one, other)| one.ptr_eq(other))
        };
        of_one.len() == of_other.len()
            && of_one.iter().zip(of_other).all(|(one, other)| nodes(one, other))
            && of_one.values().all(|nodes| {
                let definition = |object| self.definition(object, nodes[0]);
                is_same_definition(definition(one), definition(other))
            })
    }

    fn definition(&self, object: &str, field: &'a Node<Selected>) -> &'a FieldDefinition {
        let model: &'a SchemaModel = self.model;
        model.schema.type_field(object, &field.name).map_or(&field.definition, |found| &found.node)
    }

    fn fields(&mut self, object: &str, collected: Collected<'a>) -> Result<Vec<Field>, Stop> {
        let mut fields = Vec::with_capacity(collected.len());
        for (key, nodes) in collected {
            self.fields_left = self.fields_left.checked_sub(1).ok_or(Stop::TooLarge)?;
            let definition = self.definition(object, nodes[0]);
            fields.push(self.field(key, &nodes, definition)?);
        }
        Ok(fields)
    }

    fn field(
        &mut self,
        key: &str,
        nodes: &[&'a Node<Selected>],
        of: &'a FieldDefinition,
    ) -> Result<Field, Stop> {
        let node = nodes[0];
        let sets: Vec<_> = nodes.iter().map(|node| &node.selection_set).collect();
        let below = if sets.iter().all(|set| set.selections.is_empty()) {
            None
        } else {
            Some(self.selections(of.ty.inner_named_type(), &sets)?)
        };
        Ok(Field {
            key: Name::new(key),
            name: Name::new(&node.name),
            at: position(self.document, node),
            arguments: self.arguments(node, of),
            sizes: of.arguments.iter().any(|argument| self.is_size(argument)),
            ty: of.ty.clone(),
            below,
            compiled: Compiled::default(),
        })
    }

    /// Whether the argument, or an input field of it, sets how many objects the field returns.
    fn is_size(&self, argument: &InputValueDefinition) -> bool {
        let object = self.model.schema.get_input_object(argument.ty.inner_named_type());
        cost::is_size(&argument.name)
            || object.is_some_and(|object| object.fields.keys().any(|name| cost::is_size(name)))
    }

    fn arguments(&self, node: &Selected, of: &FieldDefinition) -> Vec<Member> {
        let of_argument = |definition: &Node<InputValueDefinition>| {
            let default = definition.default_value.as_ref();
            let default =
                default.map(|default| literal::constant(self.model, &definition.ty, default));
            let given = node.arguments.iter().find(|argument| argument.name == definition.name);
            let value = match (given, &default) {
                (Some(given), _) => literal::compile(self.model, &definition.ty, &given.value),
                (None, Some(default)) => literal::Input::Constant(default.clone()),
                (None, None) => return None,
            };
            Some(Member { name: Name::new(&definition.name), value, default })
        };
        of.arguments.iter().filter_map(of_argument).collect()
    }
}

fn is_same_definition(one: &FieldDefinition, other: &FieldDefinition) -> bool {
    let arguments = |of: &FieldDefinition| {
        let parts = |argument: &Node<InputValueDefinition>| {
            (argument.name.clone(), argument.ty.clone(), argument.default_value.clone())
        };
        of.arguments.iter().map(parts).collect::<Vec<_>>()
    };
    std::ptr::eq(one, other) || (one.ty == other.ty && arguments(one) == arguments(other))
}

fn position<T>(document: &ExecutableDocument, node: &Node<T>) -> Pos {
    let found = node.location().and_then(|span| span.line_column(&document.sources));
    found.map_or_else(Pos::default, |at| Pos { line: at.line, column: at.column })
}
