//! The cost of an operation, computed from its normal form and the values of its variables.

use async_graphql::Value;

use super::normal_form::{Field, NormalForm, Selections};
use super::variables::Variables;

/// Arguments and input fields that set how many objects a field returns, with the largest page of
/// any field that has them. Fields refuse larger values, or reduce them to this.
const SIZES: [(&str, u64); 5] =
    [("first", 5_000), ("last", 5_000), ("count", 500), ("perPage", 100), ("limit", 5_000)];

/// The assumed length of a list that is requested without a size.
const PAGE: u64 = 50;

/// The assumed length of a list that takes no size, such as the roles of a client.
const UNSIZED_LIST: u64 = 20;

/// The weight of each object in addition to its selected fields.
const OBJECT: u64 = 5;

/// Introspection fields that lead from types back to types.
const TYPE_LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// The cost of an operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Fields after merging, counted once for each selection set.
    pub fields: u64,
    /// Root fields.
    pub root_fields: u64,
    /// Fields with an alias.
    pub aliases: u64,
    /// Depth of nested fields, without introspection.
    pub depth: usize,
    /// Depth of nested fields that include `__schema` or `__type`.
    pub introspection_depth: usize,
    /// Aliases in introspection.
    pub introspection_aliases: u64,
    /// Depth of nested introspection lists that lead back to types.
    pub introspection_lists: usize,
    /// An estimate of the work: a list weighs its selected fields times its largest possible
    /// length.
    pub weight: u64,
    /// Whether a list is selected whose length the request does not set, so that `weight` does not
    /// bound the response.
    pub has_unsized_list: bool,
    // The same for any field, before it is known to be part of introspection.
    lists: usize,
}

/// Whether an argument or input field of that name sets how many objects a field returns.
pub(super) fn is_size(name: &str) -> bool {
    largest_page(name).is_some()
}

fn largest_page(name: &str) -> Option<u64> {
    SIZES.iter().find(|(argument, _)| *argument == name).map(|(_, largest)| *largest)
}

impl Cost {
    /// Computes the cost of an operation.
    pub fn of(operation: &NormalForm, variables: &Variables) -> Self {
        selections(&operation.selections, variables, false)
    }

    /// The cost of both, executed one after the other.
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
            has_unsized_list: self.has_unsized_list || other.has_unsized_list,
            lists: self.lists.max(other.lists),
        }
    }

    /// The larger of two costs, of which only one is executed.
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

/// `in_sized` if the enclosing connection sets the length of its lists.
fn selections(of: &Selections, variables: &Variables, in_sized: bool) -> Cost {
    let of_case = |fields: &[Field]| {
        fields.iter().map(|each| field(each, variables, in_sized)).fold(Cost::default(), Cost::and)
    };
    of.cases.iter().map(|case| of_case(&case.fields)).fold(Cost::default(), Cost::or)
}

fn field(field: &Field, variables: &Variables, in_sized: bool) -> Cost {
    // The size of a connection applies to the list in it.
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
    cost.has_unsized_list |= is_unsized_list(field, in_sized);
    if field.is_introspection() {
        cost.depth = 0;
        cost.introspection_depth = 1 + below.depth.max(below.introspection_depth);
        cost.introspection_aliases = cost.aliases;
        cost.introspection_lists = below.lists;
        // Introspection has a size that no request changes.
        cost.weight = cost.fields;
        cost.has_unsized_list = false;
    } else {
        cost.depth = 1 + below.depth;
        cost.introspection_depth =
            below.introspection_depth + usize::from(below.introspection_depth > 0);
    }
    cost
}

/// The largest number of objects that a field may return.
fn size(field: &Field, variables: &Variables, in_sized: bool) -> u64 {
    if field.sizes {
        let asked = field.arguments.iter().filter_map(|argument| {
            let value = argument.fill(variables)?;
            asked_size(&argument.name, &value)
        });
        return asked.max().unwrap_or(PAGE);
    }
    if is_unsized_list(field, in_sized) { UNSIZED_LIST } else { 1 }
}

/// Whether a field returns a list whose length neither its arguments nor its connection set.
fn is_unsized_list(field: &Field, in_sized: bool) -> bool {
    field.ty.is_list() && !field.sizes && !in_sized
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
