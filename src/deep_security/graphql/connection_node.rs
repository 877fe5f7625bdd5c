//! The types of listed objects.

use async_graphql::ObjectType;

use crate::deep_security::wire::Resource;

/// A GraphQL type of listed objects.
pub trait ConnectionNode: ObjectType + Sized + 'static {
    /// The vendor's object.
    type Resource: Resource;
    /// The name of its connection type.
    const CONNECTION: &'static str;
    /// The name of its edge type.
    const EDGE: &'static str;
}
