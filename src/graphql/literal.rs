//! Literals of a document, compiled to the values that resolvers receive. Variables stay open and
//! are filled in for each request.

use apollo_compiler::Node;
use apollo_compiler::ast::{Type, Value as Literal};
use apollo_compiler::schema::ExtendedType;
use async_graphql::indexmap::IndexMap;
use async_graphql::{Name, Number, Value};

use super::schema::SchemaModel;
use super::variables::Variables;

/// An argument's value, or a part of one.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// It is the same for every request.
    Constant(Value),
    /// The variable's value.
    Variable(Name),
    /// A list with a variable in it.
    List(Vec<Self>),
    /// An object with a variable in it.
    Object(Vec<Member>),
}

/// A member of an input object, or an argument.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: Name,
    pub(super) value: Input,
    /// The value to use if its variable is absent.
    pub(super) default: Option<Value>,
}

impl Input {
    /// The value; `None` if it is a variable that is absent.
    pub(super) fn fill(&self, variables: &Variables) -> Option<Value> {
        match self {
            Self::Constant(value) => Some(value.clone()),
            Self::Variable(name) => variables.get(name).cloned(),
            // An absent variable in a list is null (section 3.11).
            Self::List(items) => Some(Value::List(
                items.iter().map(|item| item.fill(variables).unwrap_or_default()).collect(),
            )),
            Self::Object(members) => {
                let members = members
                    .iter()
                    .filter_map(|member| Some((member.name.clone(), member.fill(variables)?)));
                Some(Value::Object(members.collect()))
            }
        }
    }
}

impl Member {
    /// Its value, or its default; `None` if it has neither.
    pub(super) fn fill(&self, variables: &Variables) -> Option<Value> {
        self.value.fill(variables).or_else(|| self.default.clone())
    }
}

/// The value of a literal without variables, such as a default.
pub(super) fn constant(model: &SchemaModel, ty: &Type, literal: &Literal) -> Value {
    compile(model, ty, literal).fill(&Variables::default()).unwrap_or_default()
}

/// Compiles a literal of a valid document to a value of the given type.
pub(super) fn compile(model: &SchemaModel, ty: &Type, literal: &Literal) -> Input {
    match literal {
        Literal::Variable(name) => return Input::Variable(Name::new(name)),
        Literal::Null => return Input::Constant(Value::Null),
        _ => {}
    }
    if ty.is_list() {
        return match literal {
            Literal::List(items) => {
                list(items.iter().map(|item| compile(model, ty.item_type(), item)).collect())
            }
            single => list(vec![compile(model, ty.item_type(), single)]),
        };
    }
    let name = ty.inner_named_type().as_str();
    match (model.schema.types.get(name), literal) {
        (Some(ExtendedType::InputObject(_)), Literal::Object(members)) => {
            object(model, name, members)
        }
        (Some(ExtendedType::Scalar(_)), _) => match (name, literal) {
            ("ID", Literal::Int(number)) => {
                Input::Constant(Value::String(number.as_str().to_owned()))
            }
            _ => untyped(literal),
        },
        _ => untyped(literal),
    }
}

fn object(
    model: &SchemaModel,
    name: &str,
    members: &[(apollo_compiler::Name, Node<Literal>)],
) -> Input {
    let Some(definition) = model.schema.get_input_object(name) else {
        return Input::Constant(Value::Null);
    };
    let mut compiled = Vec::new();
    for (field, definition) in &definition.fields {
        let default = definition
            .default_value
            .as_ref()
            .map(|default| constant(model, &definition.ty, default));
        let given = members.iter().find(|(name, _)| name == field);
        let value = match (given, &default) {
            (Some((_, given)), _) => compile(model, &definition.ty, given),
            (None, Some(default)) => Input::Constant(default.clone()),
            (None, None) => continue,
        };
        compiled.push(Member { name: Name::new(field), value, default });
    }
    close(compiled)
}

/// A list; a constant if it contains no variables.
fn list(items: Vec<Input>) -> Input {
    if items.iter().all(|item| matches!(item, Input::Constant(_))) {
        let filled = Input::List(items).fill(&Variables::default());
        return Input::Constant(filled.unwrap_or_default());
    }
    Input::List(items)
}

fn close(members: Vec<Member>) -> Input {
    if members.iter().all(|member| matches!(member.value, Input::Constant(_))) {
        let filled = Input::Object(members).fill(&Variables::default());
        return Input::Constant(filled.unwrap_or_default());
    }
    Input::Object(members)
}

/// A value of a custom scalar, unchanged.
fn untyped(literal: &Literal) -> Input {
    match literal {
        Literal::Variable(name) => Input::Variable(Name::new(name)),
        Literal::List(items) => list(items.iter().map(|item| untyped(item)).collect()),
        Literal::Object(members) => {
            let mut unique: IndexMap<Name, Input> = IndexMap::new();
            for (name, value) in members {
                unique.insert(Name::new(name), untyped(value));
            }
            let members =
                unique.into_iter().map(|(name, value)| Member { name, value, default: None });
            close(members.collect())
        }
        Literal::Null => Input::Constant(Value::Null),
        Literal::Boolean(value) => Input::Constant(Value::Boolean(*value)),
        Literal::String(text) => Input::Constant(Value::String(text.clone())),
        Literal::Enum(name) => Input::Constant(Value::Enum(Name::new(name))),
        Literal::Int(number) => Input::Constant(int(number.as_str())),
        Literal::Float(number) => {
            Input::Constant(number.try_to_f64().ok().and_then(float).unwrap_or_default())
        }
    }
}

fn int(text: &str) -> Value {
    let whole = text.parse::<i64>().map(Value::from);
    whole.unwrap_or_else(|_| text.parse::<f64>().ok().and_then(float).unwrap_or_default())
}

fn float(number: f64) -> Option<Value> {
    Number::from_f64(number).map(Value::Number)
}
