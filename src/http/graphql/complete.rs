//! Puts null where a field failed, as the specification wants it (GraphQL, October 2021, section 6.4.4).
//!
//! The library leaves a field that failed out of its object, whatever its type. Here the field becomes null if it may be,
//! else the nearest parent that may be does. Only what lies on the way to an error is touched, so that the rest of an answer
//! costs nothing.

use std::collections::{HashMap, HashSet};

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet, Type,
    TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, PathSegment, Positioned, Response, ServerError, Value, Variables};

/// The types of the fields of a schema.
pub struct Types {
    objects: HashMap<Name, HashMap<Name, Type>>,
    /// The interfaces and unions that an object belongs to.
    belongs_to: HashMap<Name, HashSet<Name>>,
}

/// A value that may not be null is missing: the parent must be null instead.
struct Propagate;

/// What failed at a place in the answer or beneath it: the paths of all errors as a tree. A step down the answer is one
/// look-up in here, so that what it costs to complete an answer is the number of its values plus that of its errors.
#[derive(Default)]
struct Failed<'a> {
    fields: HashMap<&'a str, Self>,
    items: HashMap<usize, Self>,
}

impl<'a> Failed<'a> {
    fn of(errors: &'a [ServerError]) -> Self {
        let mut root = Self::default();
        for error in errors {
            error.path.iter().fold(&mut root, |at, segment| match segment {
                PathSegment::Field(name) => at.fields.entry(name).or_default(),
                PathSegment::Index(index) => at.items.entry(*index).or_default(),
            });
        }
        root
    }

    /// Whether it was something beneath this place, and not the place itself.
    fn is_beneath(&self) -> bool {
        !self.fields.is_empty() || !self.items.is_empty()
    }
}

impl Types {
    /// Reads the schema's own text. A text that is none gives no types, and then nothing is completed.
    pub fn of(sdl: &str) -> Self {
        let mut types = Self { objects: HashMap::new(), belongs_to: HashMap::new() };
        for definition in parse_schema(sdl).map(|schema| schema.definitions).unwrap_or_default() {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node;
            match definition.node.kind {
                TypeKind::Object(object) => {
                    let interfaces = object.implements.into_iter().map(|interface| interface.node);
                    types.belongs_to.entry(name.clone()).or_default().extend(interfaces);
                    let fields = object.fields.into_iter().map(|field| (field.node.name.node, field.node.ty.node));
                    types.objects.insert(name, fields.collect());
                }
                TypeKind::Union(union) => {
                    for member in union.members {
                        types.belongs_to.entry(member.node).or_default().insert(name.clone());
                    }
                }
                _ => {}
            }
        }
        types
    }

    /// Completes the answer to a document that was executed and had errors.
    pub fn complete(
        &self,
        document: &ExecutableDocument,
        operation: Option<&str>,
        variables: &Variables,
        response: &mut Response,
    ) {
        if response.errors.iter().all(|error| error.path.is_empty()) {
            return;
        }
        let Some(operation) = chosen(document, operation) else { return };
        let root = Name::new(match operation.ty {
            OperationType::Query => "Query",
            OperationType::Mutation => "Mutation",
            OperationType::Subscription => "Subscription",
        });
        let walk = Walk { types: self, document, variables };
        let data = std::mem::take(&mut response.data);
        let completed = walk.object(data, &root, &[&operation.selection_set.node], &Failed::of(&response.errors));
        response.data = completed.unwrap_or(Value::Null);
    }
}

/// The operation that is executed, by the rules of section 6.1 of the specification.
pub fn chosen<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let mut operations = document.operations.iter();
    match name {
        Some(name) => {
            operations.find(|(known, _)| known.is_some_and(|known| known == name)).map(|(_, found)| &found.node)
        }
        None => match (operations.next(), operations.next()) {
            (Some((_, only)), None) => Some(&only.node),
            _ => None,
        },
    }
}

struct Walk<'a> {
    types: &'a Types,
    document: &'a ExecutableDocument,
    variables: &'a Variables,
}

/// The selections of one response key: the first field, and the selection sets of all of that key.
type Collected<'a> = IndexMap<Name, (&'a Field, Vec<&'a SelectionSet>)>;

impl<'a> Walk<'a> {
    fn object(
        &self,
        value: Value,
        name: &Name,
        selected: &[&'a SelectionSet],
        failed: &Failed<'_>,
    ) -> Result<Value, Propagate> {
        let mut members = match value {
            Value::Object(members) => members,
            // An object all of whose fields failed comes as null.
            _ => IndexMap::new(),
        };
        let Some(fields) = self.types.objects.get(name) else { return Ok(Value::Object(members)) };
        let mut collected = Collected::new();
        let mut spread = HashSet::new();
        for set in selected {
            self.collect(name, set, &mut collected, &mut spread);
        }
        let mut completed = IndexMap::new();
        for (key, (field, sets)) in collected {
            let member = members.swap_remove(&key).unwrap_or_default();
            let member = match fields.get(&field.name.node) {
                Some(of) => self.value(member, of, &sets, failed.fields.get(&*key))?,
                // __typename and introspection, which do not fail.
                None => member,
            };
            completed.insert(key, member);
        }
        Ok(Value::Object(completed))
    }

    fn value(
        &self,
        value: Value,
        of: &Type,
        sets: &[&'a SelectionSet],
        failed: Option<&Failed<'_>>,
    ) -> Result<Value, Propagate> {
        let completed = match (&of.base, value, failed) {
            (BaseType::List(item), Value::List(items), Some(failed)) => {
                let items = items.into_iter().enumerate();
                let items = items.map(|(at, each)| self.value(each, item, sets, failed.items.get(&at)));
                items.collect::<Result<_, _>>().map(Value::List)
            }
            (BaseType::Named(name), value @ Value::Object(_), Some(failed)) => {
                let name = self.concrete(name, &value, sets);
                self.object(value, &name, sets, failed)
            }
            // Of an interface or a union nobody knows which object this would have been: it stays null.
            (BaseType::Named(name), Value::Null, Some(failed))
                if failed.is_beneath() && self.types.objects.contains_key(name) =>
            {
                self.object(Value::Null, name, sets, failed)
            }
            (_, value, _) => Ok(value),
        };
        match completed {
            Ok(Value::Null) | Err(Propagate) if of.nullable => Ok(Value::Null),
            Ok(Value::Null) | Err(Propagate) => Err(Propagate),
            Ok(value) => Ok(value),
        }
    }

    /// The object type of a value: of an interface or union the one that the value names, if it does.
    fn concrete(&self, name: &Name, value: &Value, sets: &[&'a SelectionSet]) -> Name {
        if self.types.objects.contains_key(name) {
            return name.clone();
        }
        let items = sets.iter().flat_map(|set| &set.items);
        let mut key = items.filter_map(|item| match &item.node {
            Selection::Field(field) if field.node.name.node == "__typename" => Some(&field.node.response_key().node),
            _ => None,
        });
        match (key.next_back(), value) {
            (Some(key), Value::Object(members)) => match members.get(key) {
                Some(Value::String(typename)) => Name::new(typename),
                _ => name.clone(),
            },
            _ => name.clone(),
        }
    }

    /// Section 6.3.2 of the specification: each fragment is spread once in an object, so that this ends.
    fn collect(&self, name: &Name, set: &'a SelectionSet, into: &mut Collected<'a>, spread: &mut HashSet<&'a Name>) {
        for item in &set.items {
            if self.is_left_out(item.node.directives()) {
                continue;
            }
            let (condition, set) = match &item.node {
                Selection::Field(field) => {
                    let key = field.node.response_key().node.clone();
                    into.entry(key).or_insert((&field.node, Vec::new())).1.push(&field.node.selection_set.node);
                    continue;
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set.node)
                }
                Selection::FragmentSpread(fragment) => {
                    let fragment = &fragment.node.fragment_name.node;
                    let Some(definition) = self.document.fragments.get(fragment) else { continue };
                    if !spread.insert(fragment) {
                        continue;
                    }
                    (Some(&definition.node.type_condition), &definition.node.selection_set.node)
                }
            };
            if condition.is_none_or(|condition| self.is_a(name, &condition.node.on.node)) {
                self.collect(name, set, into, spread);
            }
        }
    }

    fn is_a(&self, name: &Name, condition: &Name) -> bool {
        name == condition || self.types.belongs_to.get(name).is_some_and(|groups| groups.contains(condition))
    }

    fn is_left_out(&self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let condition = directive.node.get_argument("if").map(|argument| argument.node.clone());
            let holds = condition.and_then(|condition| {
                condition.into_const_with(|name| self.variables.get(&name).cloned().ok_or(Propagate)).ok()
            });
            match directive.node.name.node.as_str() {
                "skip" => holds == Some(Value::Boolean(true)),
                "include" => holds == Some(Value::Boolean(false)),
                _ => false,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema, Union};

    use super::super::outcome::finish;
    use super::*;
    use crate::auth::RequestId;
    use crate::error::{Error, Result};

    const MANY: usize = 5_000;

    struct Query;
    struct Leaf;

    #[derive(Union)]
    enum Either {
        Leaf(Leaf),
    }

    #[Object]
    impl Query {
        async fn ok(&self) -> i32 {
            1
        }
        async fn may_fail(&self) -> Result<Option<Leaf>> {
            Err(Error::not_found("leaf"))
        }
        async fn must_not_fail(&self) -> Result<Leaf> {
            Err(Error::not_found("leaf"))
        }
        async fn leaf(&self) -> Option<Leaf> {
            Some(Leaf)
        }
        async fn leaves(&self) -> Vec<Option<Leaf>> {
            vec![Some(Leaf), None]
        }
        async fn many(&self) -> Vec<Option<Leaf>> {
            (0..MANY).map(|_| Some(Leaf)).collect()
        }
        async fn either(&self) -> Option<Either> {
            Some(Either::Leaf(Leaf))
        }
    }

    #[Object]
    impl Leaf {
        async fn value(&self) -> i32 {
            2
        }
        async fn lost(&self) -> Result<Option<i32>> {
            Err(Error::not_found("value"))
        }
        async fn needed(&self) -> Result<i32> {
            Err(Error::not_found("value"))
        }
    }

    async fn answered(query: &str) -> Response {
        let schema = Schema::new(Query, EmptyMutation, EmptySubscription);
        let mut response = schema.execute(query).await;
        let document = async_graphql::parser::parse_query(query).unwrap();
        Types::of(&schema.sdl()).complete(&document, None, &Variables::default(), &mut response);
        response
    }

    async fn completed(query: &str) -> String {
        serde_json::to_string(&answered(query).await.data).unwrap()
    }

    #[tokio::test]
    async fn a_field_that_failed_is_null_in_its_place() {
        assert_eq!(completed("{ mayFail { value } ok }").await, r#"{"mayFail":null,"ok":1}"#);
        assert_eq!(completed("{ mayFail { value } }").await, r#"{"mayFail":null}"#);
        assert_eq!(completed("{ leaf { lost value } }").await, r#"{"leaf":{"lost":null,"value":2}}"#);
        assert_eq!(completed("{ leaf { lost } }").await, r#"{"leaf":{"lost":null}}"#);
    }

    #[tokio::test]
    async fn a_field_that_must_not_be_null_takes_its_parent_along() {
        assert_eq!(completed("{ mustNotFail { value } ok }").await, "null");
        assert_eq!(completed("{ leaf { needed value } ok }").await, r#"{"leaf":null,"ok":1}"#);
        assert_eq!(completed("{ leaves { needed } ok }").await, r#"{"leaves":[null,null],"ok":1}"#);
    }

    #[tokio::test]
    async fn fragments_aliases_and_skipped_fields_are_followed() {
        let query =
            "{ a: leaf { ...F ...F } b: leaf { value lost @skip(if: true) } } fragment F on Leaf { x: lost value }";
        assert_eq!(completed(query).await, r#"{"a":{"x":null,"value":2},"b":{"value":2}}"#);
    }

    #[tokio::test]
    async fn of_a_union_only_a_known_object_is_completed() {
        assert_eq!(completed("{ either { ...F } } fragment F on Leaf { lost }").await, r#"{"either":null}"#);
        let known = completed("{ either { __typename ...F } } fragment F on Leaf { lost }").await;
        assert_eq!(known, r#"{"either":{"__typename":"Leaf","lost":null}}"#);
    }

    #[tokio::test]
    async fn every_null_stands_in_its_place_though_few_of_the_errors_are_told() {
        for (field, each) in [("lost", r#"{"lost":null}"#), ("needed", "null")] {
            let response = answered(&format!("{{ many {{ {field} }} }}")).await;
            assert_eq!(response.errors.len(), MANY);
            let told = finish(&RequestId::parse("x").unwrap(), 20, response);
            assert_eq!((told.errors.len(), &told.extensions["errorsOmitted"]), (20, &Value::from(MANY - 20)));
            let expected = format!(r#"{{"many":[{}]}}"#, vec![each; MANY].join(","));
            assert!(serde_json::to_string(&told.data).unwrap() == expected, "{field}");
        }
    }

    #[tokio::test]
    async fn an_answer_without_errors_is_left_alone() {
        assert_eq!(completed("{ ok }").await, r#"{"ok":1}"#);
    }
}
