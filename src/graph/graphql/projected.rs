//! Values that were written as JSON before.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{Context, ContextSelectionSet, OutputType, Positioned, ServerResult, Value};
use bytes::Bytes;

use crate::budget::ResponseMeter;
use crate::error::Result;
use crate::graphql::{TYPE_KEY, weigh_all, weight_of_json, written_json};
use crate::projection::Selected;

/// The number of bytes after which the meter is charged.
const STEP: usize = 64 * 1024;

/// The JSON of a value of `T` with its selected fields, which becomes a part of the response as it
/// is. In the schema it is a `T`.
pub struct Projected<T>(Value, PhantomData<fn() -> T>);

impl<T> Projected<Vec<T>> {
    /// A list that consists of these texts, each of one or more objects with commas between them.
    /// Their bytes are not copied before the body is written; their owner counts them.
    ///
    /// # Errors
    /// As [`ResponseMeter::charge`].
    pub fn of_texts(ctx: &Context<'_>, texts: Vec<Bytes>) -> Result<Self> {
        let list = Value::List(texts.into_iter().map(written_json).collect());
        if let Some(meter) = ctx.data_opt::<Arc<ResponseMeter>>() {
            meter.charge(weigh_all(&list))?;
        }
        Ok(Self(list, PhantomData))
    }
}

impl<T: OutputType> OutputType for Projected<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        _: &ContextSelectionSet<'_>,
        _: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(self.0.clone())
    }
}

/// JSON that is being written for the response of an operation, whose meter it charges.
pub struct JsonBuffer<'a> {
    /// The text so far.
    pub json: Vec<u8>,
    charged: usize,
    meter: Option<&'a Arc<ResponseMeter>>,
}

impl<'a> JsonBuffer<'a> {
    /// A buffer of about that many bytes.
    pub fn new(ctx: &Context<'a>, size: usize) -> Self {
        let meter = ctx.data_opt::<Arc<ResponseMeter>>();
        Self { json: Vec::with_capacity(size), charged: 0, meter }
    }

    /// Charges the meter if much was written since, and returns whether it was.
    ///
    /// # Errors
    /// As [`ResponseMeter::charge`].
    pub fn charge_step(&mut self) -> Result<bool> {
        let is_step = self.json.len() - self.charged >= STEP;
        if is_step {
            self.charge()?;
        }
        Ok(is_step)
    }

    /// The text as a `T`.
    ///
    /// # Errors
    /// As [`ResponseMeter::charge`].
    pub fn finish<T>(mut self) -> Result<Projected<T>> {
        self.charge()?;
        Ok(Projected(written_json(self.json.into()), PhantomData))
    }

    fn charge(&mut self) -> Result<()> {
        let bytes = self.json.len() - self.charged;
        self.charged = self.json.len();
        let Some(meter) = self.meter else { return Ok(()) };
        meter.charge_extra(bytes)?;
        meter.charge(weight_of_json(bytes))
    }
}

/// The most bytes of text that a field may be projected into.
pub fn largest_text(ctx: &Context<'_>) -> usize {
    ctx.data_opt::<Arc<ResponseMeter>>().map_or(usize::MAX, |meter| meter.largest())
}

/// Charges the memory of projected text before the response is written from it.
///
/// # Errors
/// As [`ResponseMeter::charge`]; `OPERATION_TOO_COSTLY` if it was found too large.
pub fn charge_text(ctx: &Context<'_>, bytes: usize, is_too_large: bool) -> Result<()> {
    let Some(meter) = ctx.data_opt::<Arc<ResponseMeter>>() else { return Ok(()) };
    if is_too_large {
        return Err(meter.exceed());
    }
    meter.charge_extra(bytes)
}

/// Reserves memory for a long part of the response before it is built.
///
/// # Errors
/// As [`ResponseMeter::reserve_part`].
pub async fn reserve_part(ctx: &Context<'_>, bytes: usize) -> Result<()> {
    match ctx.data_opt::<Arc<ResponseMeter>>() {
        Some(meter) => meter.reserve_part(bytes).await,
        None => Ok(()),
    }
}

/// The fields of a selection in normal form, in which objects of a known type have no fragments.
pub fn selected_fields(selection: &SelectionSet) -> Vec<Selected> {
    let field = |selection: &Positioned<Selection>| match &selection.node {
        Selection::Field(field) => Some(selected(&field.node)),
        _ => None,
    };
    selection.items.iter().filter_map(field).filter(|field| field.key != TYPE_KEY).collect()
}

fn selected(field: &Field) -> Selected {
    let pos = field.name.pos;
    Selected {
        key: field.response_key().node.to_string(),
        name: field.name.node.to_string(),
        at: (pos.line, pos.column),
        below: selected_fields(&field.selection_set.node),
    }
}
