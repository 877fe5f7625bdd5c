//! What an operation costs, counted over its normal form and the values of its variables, as it
//! will be executed.

use async_graphql::Value;

use super::normal_form::{Field, NormalForm, Selections};
use super::variables::Variables;

/// Arguments that say how many objects a field answers, in the field itself or in an input object
/// of it, with the largest page that any field gives for them: a larger wish is cut to it, or
/// refused by the field.
const SIZES: [(&str, u64); 5] =
    [("first", 5_000), ("last", 5_000), ("count", 500), ("perPage", 100), ("limit", 5_000)];

/// How many objects a list is taken for that is asked with no size.
const PAGE: u64 = 50;

/// How many objects a list is taken for that takes no size, such as the roles of a client.
const UNSIZED_LIST: u64 = 20;

/// What each object weighs beside what is selected of it.
const OBJECT: u64 = 5;

/// Fields of introspection that lead from types to types again.
const TYPE_LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// What an operation costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Fields, each counted once for each selection set that it stands in once all is merged.
    pub fields: u64,
    /// Fields at the root.
    pub root_fields: u64,
    /// Fields whose key is not their name.
    pub aliases: u64,
    /// Nested fields of data.
    pub depth: usize,
    /// Nested fields of which one is `__schema` or `__type`.
    pub introspection_depth: usize,
    /// Aliases in introspection.
    pub introspection_aliases: u64,
    /// Nested lists of introspection that lead to types again.
    pub introspection_lists: usize,
    /// About how much is resolved: a list weighs as many times what is selected of its objects as
    /// it may have objects.
    pub weight: u64,
    // The same of any field, before it is known to stand in introspection.
    lists: usize,
}

/// Whether an argument or a member of that name says how many objects a field answers.
pub(super) fn is_size(name: &str) -> bool {
    largest_page(name).is_some()
}

fn largest_page(name: &str) -> Option<u64> {
    SIZES.iter().find(|(argument, _)| *argument == name).map(|(_, largest)| *largest)
}

impl Cost {
    /// Counts an operation.
    pub fn of(operation: &NormalForm, variables: &Variables) -> Self {
        selections(&operation.selections, variables, false)
    }

    /// Both, one after the other.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            fields: self.fields.saturating_add(other.fields),
            root_fields: self.root_fields.saturating_add(other.root_fields),
            aliases: self.aliases.saturating_add(other.aliases),
            depth: self.depth.max(other.depth),
            introspection_depth: self.introspection_depth.max(other.introspection_depth),
            introspection_aliases: self
                .introspection_aliases
                .saturating_add(other.introspection_aliases),
            introspection_lists: self.introspection_lists.max(other.introspection_lists),
            weight: self.weight.saturating_add(other.weight),
            lists: self.lists.max(other.lists),
        }
    }

    /// The larger of two, of which one will be executed.
    fn or(self, other: Self) -> Self {
        Self {
            fields: self.fields.max(other.fields),
            root_fields: self.root_fields.max(other.root_fields),
            aliases: self.aliases.max(other.aliases),
            weight: self.weight.max(other.weight),
            introspection_aliases: self.introspection_aliases.max(other.introspection_aliases),
            ..self.and(other)
        }
    }
}

/// `in_sized` where the connection around has said how many there are.
fn selections(of: &Selections, variables: &Variables, in_sized: bool) -> Cost {
    let of_case = |fields: &[Field]| {
        fields.iter().map(|each| field(each, variables, in_sized)).fold(Cost::default(), Cost::and)
    };
    of.cases.iter().map(|case| of_case(&case.fields)).fold(Cost::default(), Cost::or)
}

fn field(field: &Field, variables: &Variables, in_sized: bool) -> Cost {
    // Of a connection the size holds for the list in it.
    let is_connection = field.sizes && !field.ty.is_list();
    let below = field
        .below
        .as_ref()
        .map(|below| selections(below, variables, is_connection))
        .unwrap_or_default();
    let mut cost = below;
    cost.fields = below.fields.saturating_add(1);
    cost.root_fields = 1;
    cost.aliases = below.aliases.saturating_add(u64::from(field.key != field.name));
    cost.lists = below.lists + usize::from(TYPE_LISTS.contains(&field.name.as_str()));
    let each = if field.below.is_some() { below.weight.saturating_add(OBJECT) } else { 0 };
    cost.weight = each.saturating_mul(size(field, variables, in_sized)).saturating_add(1);
    if field.is_introspection() {
        cost.depth = 0;
        cost.introspection_depth = 1 + below.depth.max(below.introspection_depth);
        cost.introspection_aliases = cost.aliases;
        cost.introspection_lists = below.lists;
        // Of a size that no request changes.
        cost.weight = cost.fields;
    } else {
        cost.depth = 1 + below.depth;
        cost.introspection_depth =
            below.introspection_depth + usize::from(below.introspection_depth > 0);
    }
    cost
}

/// How many objects a field may answer.
fn size(field: &Field, variables: &Variables, in_sized: bool) -> u64 {
    if field.sizes {
        let asked = field.arguments.iter().filter_map(|argument| {
            let value = argument.fill(variables)?;
            asked_size(&argument.name, &value)
        });
        return asked.max().unwrap_or(PAGE);
    }
    if field.ty.is_list() && !in_sized { UNSIZED_LIST } else { 1 }
}

fn asked_size(name: &str, value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => Some(number.as_u64().unwrap_or(0).min(largest_page(name)?)),
        Value::Object(members) => {
            members.iter().filter_map(|(name, value)| asked_size(name, value)).max()
        }
        _ => None,
    }
}
