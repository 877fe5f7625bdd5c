//! Validation rules that apollo-compiler lacks: `@oneOf`, values of custom scalars, unique input
//! fields, and variables in lists.

use std::collections::HashSet;

use apollo_compiler::Node;
use apollo_compiler::ast::{
    self, Argument, DirectiveList, InputValueDefinition, Type, Value as Literal,
};
use apollo_compiler::executable::{ExecutableDocument, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use async_graphql::{Pos, ServerError};

use super::error_at;
use super::literal;
use super::schema::SchemaModel;
use super::variables::Variables;

/// Returns the errors of a document that apollo-compiler considers valid.
pub(super) fn check(model: &SchemaModel, executable: &ExecutableDocument) -> Vec<ServerError> {
    let mut errors = Vec::new();
    for operation in executable.operations.iter() {
        let mut checker = Checker {
            model,
            executable,
            errors,
            variables: &operation.variables,
            spread: HashSet::new(),
        };
        for variable in &operation.variables {
            if let Some(default) = &variable.default_value {
                checker.value(&variable.ty, default, false);
            }
            checker.directives(&variable.directives);
        }
        checker.directives(&operation.directives);
        checker.selections(&operation.selection_set);
        errors = checker.errors;
    }
    errors
}

struct Checker<'a> {
    model: &'a SchemaModel,
    executable: &'a ExecutableDocument,
    errors: Vec<ServerError>,
    variables: &'a [Node<ast::VariableDefinition>],
    /// The fragments of the operation that were already visited.
    spread: HashSet<&'a str>,
}

impl<'a> Checker<'a> {
    fn selections(&mut self, set: &'a SelectionSet) {
        for selection in &set.selections {
            self.directives(selection.directives());
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.arguments, &field.definition.arguments);
                    self.selections(&field.selection_set);
                }
                Selection::InlineFragment(inline) => self.selections(&inline.selection_set),
                Selection::FragmentSpread(of) => {
                    let Some(fragment) = self.executable.fragments.get(&of.fragment_name) else {
                        continue;
                    };
                    if self.spread.insert(fragment.name.as_str()) {
                        self.directives(&fragment.directives);
                        self.selections(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &DirectiveList) {
        for directive in directives {
            if let Some(definition) = self.model.schema.directive_definitions.get(&directive.name) {
                self.arguments(&directive.arguments, &definition.arguments);
            }
        }
    }

    fn arguments(&mut self, given: &[Node<Argument>], defined: &[Node<InputValueDefinition>]) {
        for argument in given {
            if let Some(definition) =
                defined.iter().find(|definition| definition.name == argument.name)
            {
                self.value(&definition.ty, &argument.value, definition.default_value.is_some());
            }
        }
    }

    /// `has_default` if the argument or input field has a default.
    fn value(&mut self, ty: &Type, value: &Node<Literal>, has_default: bool) {
        match value.as_ref() {
            Literal::Null => return,
            Literal::Variable(name) => return self.variable(name, ty, has_default, value),
            Literal::List(items) if ty.is_list() => {
                for item in items {
                    self.value(ty.item_type(), item, false);
                }
                return;
            }
            _ => {}
        }
        let name = ty.inner_named_type().as_str();
        match (self.model.schema.types.get(name), value.as_ref()) {
            (Some(ExtendedType::InputObject(object)), Literal::Object(members)) => {
                for (index, (field, value)) in members.iter().enumerate() {
                    if members[..index].iter().any(|(other, _)| other == field) {
                        self.error(
                            format!("There can be only one input field named \"{field}\"."),
                            value,
                        );
                    }
                    if let Some(definition) = object.fields.get(field) {
                        self.value(&definition.ty, value, definition.default_value.is_some());
                    }
                }
                if self.model.is_one_of(name) {
                    self.one_of(name, members, value);
                }
            }
            (Some(ExtendedType::Scalar(_)), _) => self.scalar(name, ty, value),
            _ => {}
        }
    }

    /// A variable's type must be allowed at its position, in lists too (GraphQL, section 5.8.5).
    fn variable(&mut self, name: &str, ty: &Type, has_default: bool, at: &Node<Literal>) {
        let Some(definition) = self.variables.iter().find(|definition| definition.name == name)
        else {
            return;
        };
        let own_default =
            definition.default_value.as_ref().is_some_and(|default| !default.is_null());
        let may_be_absent =
            ty.is_non_null() && !definition.ty.is_non_null() && (own_default || has_default);
        let wanted = if may_be_absent { ty.clone().nullable() } else { ty.clone() };
        if !definition.ty.is_assignable_to(&wanted) {
            let of = &definition.ty;
            let message = format!(
                "Variable \"${name}\" of type \"{of}\" used in position expecting type \"{ty}\"."
            );
            self.error(message, at);
        }
    }

    fn one_of(
        &mut self,
        name: &str,
        members: &[(apollo_compiler::Name, Node<Literal>)],
        at: &Node<Literal>,
    ) {
        let [(field, value)] = members else {
            self.error(format!("OneOf Input Object \"{name}\" must specify exactly one key."), at);
            return;
        };
        match value.as_ref() {
            Literal::Null => self.error(format!("Field \"{name}.{field}\" must be non-null."), at),
            Literal::Variable(variable) => {
                let definition =
                    self.variables.iter().find(|definition| definition.name == *variable);
                if definition.is_some_and(|definition| !definition.ty.is_non_null()) {
                    let message = format!(
                        "Variable \"{variable}\" must be non-nullable to be used for OneOf \
                         Input Object \"{name}\"."
                    );
                    self.error(message, at);
                }
            }
            _ => {}
        }
    }

    /// Validates a literal of a custom scalar. The resolver validates one that contains variables.
    fn scalar(&mut self, name: &str, ty: &Type, value: &Node<Literal>) {
        let Some(fits) = self.model.scalars.get(name) else { return };
        let constant = literal::compile(self.model, ty, value).fill(&Variables::default());
        if has_variables(value) || constant.is_some_and(|value| fits(&value)) {
            return;
        }
        self.error(format!("Expected value of type \"{name}\"."), value);
    }

    fn error(&mut self, message: String, at: &Node<Literal>) {
        let found = at.line_column_range(&self.executable.sources);
        let at = found.map(|range| Pos { line: range.start.line, column: range.start.column });
        self.errors.push(error_at(message, at));
    }
}

fn has_variables(value: &Literal) -> bool {
    match value {
        Literal::Variable(_) => true,
        Literal::List(items) => items.iter().any(|item| has_variables(item)),
        Literal::Object(members) => members.iter().any(|(_, value)| has_variables(value)),
        _ => false,
    }
}
