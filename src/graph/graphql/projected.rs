//! Values that were written as JSON before.

use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{
    Context, ContextSelectionSet, OutputType, Positioned, QueryPathNode, QueryPathSegment,
    ServerResult, Value,
};
use bytes::Bytes;

use crate::budget::ResponseMeter;
use crate::error::Result;
use crate::graphql::{
    Field as NormalField, NormalForm, TYPE_KEY, weigh_all, weight_of_json, written_json,
};
use crate::projection::Selected;

/// The number of bytes after which the meter is charged.
const STEP: usize = 64 * 1024;

/// In bytes of JSON. A longer part of a response reserves its memory before it is built.
pub const LONG_TEXT: usize = 64 * 1024;

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

/// Reserves memory for a part of the response before it is built, if it is long.
///
/// # Errors
/// As [`ResponseMeter::reserve_part`].
pub async fn reserve_long(ctx: &Context<'_>, bytes: usize) -> Result<()> {
    match ctx.data_opt::<Arc<ResponseMeter>>().filter(|_| bytes > LONG_TEXT) {
        Some(meter) => meter.reserve_part(bytes).await,
        None => Ok(()),
    }
}

/// Compiles the selection of the resolver's field; once for all requests that share the normal form
/// of the operation.
///
/// # Errors
/// Those of `compile`.
pub fn compile_selection<T: Send + Sync + 'static>(
    ctx: &Context<'_>,
    compile: impl FnOnce(&[Selected]) -> Result<T>,
) -> Result<Arc<T>> {
    let compile = || compile(&selected_fields(&ctx.item.node.selection_set.node));
    match field_of_normal_form(ctx) {
        Some(field) => field.compiled.get_or_compile(compile),
        None => compile().map(Arc::new),
    }
}

fn field_of_normal_form<'a>(ctx: &Context<'a>) -> Option<&'a NormalField> {
    let operation = ctx.data_opt::<Arc<NormalForm>>()?;
    let mut keys = Vec::new();
    let mut node = ctx.path_node.as_ref();
    while let Some(QueryPathNode { parent, segment }) = node {
        if let QueryPathSegment::Name(key) = segment {
            keys.push(*key);
        }
        node = *parent;
    }
    operation.field_at(keys.into_iter().rev())
}

/// The fields of a selection in normal form, in which objects of a known type have no fragments.
fn selected_fields(selection: &SelectionSet) -> Vec<Selected> {
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_graphql::{EmptyMutation, EmptySubscription, Object, Request, Schema};
    use serde_json::json;

    use super::*;
    use crate::graphql::{Document, ExecutableSchema, Executor, SchemaModel, execute, write_json};

    struct Query(Arc<AtomicUsize>);

    struct Text;

    #[Object]
    impl Query {
        /// The response keys that are selected below, and how many selections were compiled.
        async fn text(&self, ctx: &Context<'_>) -> Result<Projected<Text>> {
            let keys = compile_selection(ctx, |selected| {
                self.0.fetch_add(1, Ordering::Relaxed);
                Ok(selected.iter().map(|field| field.key.clone()).collect::<Vec<_>>())
            })?;
            let mut buffer = JsonBuffer::new(ctx, 16);
            buffer.json = serde_json::to_vec(&*keys).unwrap();
            buffer.finish()
        }
    }

    #[Object]
    impl Text {
        async fn one(&self) -> bool {
            true
        }

        async fn other(&self) -> bool {
            true
        }
    }

    /// Executes a document once with each of the variables; returns the responses and how many
    /// selections were compiled.
    async fn execute_each(text: &str, variables: &[serde_json::Value]) -> (Vec<String>, usize) {
        let compiled = Arc::new(AtomicUsize::new(0));
        let query = Query(compiled.clone());
        let schema = ExecutableSchema::new(Schema::build(query, EmptyMutation, EmptySubscription));
        let sdl = schema.sdl();
        let model = SchemaModel::parse(&sdl, HashMap::new(), false).unwrap();
        let document = Document::parse(&model, text, 100, |_| Ok(())).unwrap();
        let operation = document.choose(None).unwrap();
        let mut responses = Vec::new();
        for variables in variables {
            let given = variables.as_object().unwrap();
            let (normal_form, variables) = document.bind(&model, operation, given).unwrap();
            let request = || Request::new("").data(normal_form.clone());
            let response = execute(&schema, &normal_form, &variables, request).await;
            let mut body = Vec::new();
            write_json(&response.data, &mut body);
            responses.push(String::from_utf8(body).unwrap());
        }
        (responses, compiled.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn selection_is_compiled_once_for_a_document() {
        let text = "{ text { one } again: text { b: other one } }";
        let (responses, compiled) = execute_each(text, &[json!({}), json!({})]).await;
        let expected = r#"{"text":["one"],"again":["b","one"]}"#;
        assert_eq!(responses, [expected, expected]);
        assert_eq!(compiled, 2, "one for each field");
    }

    #[tokio::test]
    async fn selection_that_depends_on_variables_is_compiled_for_each_request() {
        let text = "query($with: Boolean!) { text { one other @include(if: $with) } }";
        let variables = [json!({ "with": true }), json!({ "with": false })];
        let (responses, compiled) = execute_each(text, &variables).await;
        assert_eq!(responses, [r#"{"text":["one","other"]}"#, r#"{"text":["one"]}"#]);
        assert_eq!(compiled, 2);
    }
}
