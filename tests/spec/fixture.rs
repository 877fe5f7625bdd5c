//! Executes GraphQL requests in the gateway's pipeline, one JSON object per line from standard
//! input to standard output: validation and variables for the gateway's schema, and the whole
//! execution for a schema with every feature of the language. `judge.mjs` compares it with
//! graphql-js.

use std::collections::HashMap;
use std::io::{BufRead, Write, stdin, stdout};
use std::sync::{Arc, Mutex};

use async_graphql::{
    Context, Enum, ID, InputObject, Interface, MaybeUndefined, Object, OneofObject, Request,
    Response, Scalar, ScalarType, Schema, SimpleObject, Subscription, Union, Value,
};
use futures_util::future::BoxFuture;
use futures_util::stream::{BoxStream, StreamExt, iter};
use futures_util::{FutureExt, Stream};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};
use tenant_gateway::error::{Error, Result};
use tenant_gateway::graphql::{
    self, Document, ExecutableSchema, Executor, Refusal, Scalar as CustomScalar, SchemaModel,
};

/// The number of calls of each resolver.
#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Map<String, Json>>>);

fn called(ctx: &Context<'_>, field: &str) {
    let calls = ctx.data_unchecked::<Calls>();
    let mut calls = calls.0.lock().expect("no resolver panics");
    let count = calls.get(field).and_then(Json::as_u64).unwrap_or(0);
    calls.insert(field.to_owned(), json!(count + 1));
}

/// Even whole numbers.
#[derive(Clone, Copy)]
struct Even(i64);

#[Scalar]
impl ScalarType for Even {
    fn parse(value: Value) -> async_graphql::InputValueResult<Self> {
        match value {
            Value::Number(number) => match number.as_i64().filter(|number| number % 2 == 0) {
                Some(number) => Ok(Self(number)),
                None => Err("it is not even".into()),
            },
            _ => Err("it is no number".into()),
        }
    }

    fn to_value(&self) -> Value {
        Value::from(self.0)
    }
}

/// A scalar that takes any value.
#[derive(Clone)]
struct Any(Json);

#[Scalar]
impl ScalarType for Any {
    fn parse(value: Value) -> async_graphql::InputValueResult<Self> {
        Ok(Self(value.into_json().unwrap_or_default()))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or_default()
    }
}

#[derive(Clone, Copy, Enum, Eq, PartialEq)]
enum Color {
    Red,
    Green,
    #[graphql(deprecation = "use GREEN")]
    Lime,
}

#[derive(Clone, InputObject)]
struct Inner {
    #[graphql(default = 7)]
    number: i32,
    text: MaybeUndefined<String>,
    #[graphql(default_with = "vec![Color::Red]")]
    colors: Vec<Color>,
}

#[derive(Clone, InputObject)]
struct Outer {
    required: i32,
    inner: MaybeUndefined<Inner>,
    inners: MaybeUndefined<Vec<Inner>>,
    id: MaybeUndefined<ID>,
    even: MaybeUndefined<Even>,
    flag: MaybeUndefined<bool>,
}

#[derive(OneofObject)]
enum Choice {
    Number(i32),
    Text(String),
    Inner(Inner),
}

fn put(members: &mut Map<String, Json>, name: &str, value: MaybeUndefined<Json>) {
    match value {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => drop(members.insert(name.to_owned(), Json::Null)),
        MaybeUndefined::Value(value) => drop(members.insert(name.to_owned(), value)),
    }
}

fn color(color: Color) -> Json {
    json!(match color {
        Color::Red => "RED",
        Color::Green => "GREEN",
        Color::Lime => "LIME",
    })
}

fn inner(of: Inner) -> Json {
    let mut members = Map::new();
    members.insert("number".to_owned(), json!(of.number));
    put(&mut members, "text", of.text.map_value(|text| json!(text)));
    members.insert("colors".to_owned(), of.colors.into_iter().map(color).collect());
    Json::Object(members)
}

fn outer(of: Outer) -> Json {
    let mut members = Map::new();
    members.insert("required".to_owned(), json!(of.required));
    put(&mut members, "inner", of.inner.map_value(inner));
    put(&mut members, "inners", of.inners.map_value(|all| all.into_iter().map(inner).collect()));
    put(&mut members, "id", of.id.map_value(|id| json!(id.as_str())));
    put(&mut members, "even", of.even.map_value(|even| json!(even.0)));
    put(&mut members, "flag", of.flag.map_value(|flag| json!(flag)));
    Json::Object(members)
}

#[derive(Clone, Copy)]
struct Dog(i32);
#[derive(Clone, Copy)]
struct Cat(i32);
#[derive(Clone, Copy, SimpleObject)]
#[graphql(complex)]
struct Stone {
    weight: f64,
}

#[async_graphql::ComplexObject]
impl Stone {
    async fn thrown(&self, ctx: &Context<'_>, at: Option<Color>) -> Option<Any> {
        called(ctx, "Stone.thrown");
        at.map(|at| Any(color(at)))
    }
}

#[derive(Clone, Copy, Interface)]
#[graphql(
    field(name = "id", ty = "ID"),
    field(name = "name", ty = "Option<String>", arg(name = "upper", ty = "bool", default = false)),
    field(name = "fails", ty = "Result<Option<i32>>")
)]
enum Pet {
    Dog(Dog),
    Cat(Cat),
}

#[derive(Clone, Copy, Union)]
enum Thing {
    Dog(Dog),
    Cat(Cat),
    Stone(Stone),
}

fn thing(at: i32) -> Thing {
    match at % 3 {
        0 => Thing::Dog(Dog(at)),
        1 => Thing::Cat(Cat(at)),
        _ => Thing::Stone(Stone { weight: f64::from(at) + 0.5 }),
    }
}

fn pet(at: i32) -> Pet {
    if at % 2 == 0 { Pet::Dog(Dog(at)) } else { Pet::Cat(Cat(at)) }
}

/// Yields, so that the fields of an object complete in another order than they start.
async fn rest(times: i32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

#[Object]
impl Dog {
    async fn id(&self, ctx: &Context<'_>) -> ID {
        called(ctx, "Dog.id");
        rest(2).await;
        format!("dog{}", self.0).into()
    }

    async fn name(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = false)] upper: bool,
    ) -> Option<String> {
        called(ctx, "Dog.name");
        Some(if upper { "REX" } else { "Rex" }.to_owned())
    }

    async fn fails(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        called(ctx, "Dog.fails");
        Err(Error::not_found("bone"))
    }

    async fn must(&self, ctx: &Context<'_>) -> Result<i32> {
        called(ctx, "Dog.must");
        rest(1).await;
        if self.0 % 4 == 0 { Err(Error::not_found("bone")) } else { Ok(self.0) }
    }

    async fn barks(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = 2)] times: i32,
    ) -> Vec<Option<i32>> {
        called(ctx, "Dog.barks");
        (0..times.clamp(0, 5)).map(|at| (at % 2 == 0).then_some(at)).collect()
    }

    async fn pup(&self, ctx: &Context<'_>) -> Dog {
        called(ctx, "Dog.pup");
        rest(3).await;
        Dog(self.0 + 2)
    }

    async fn friends(&self, ctx: &Context<'_>, #[graphql(default = 2)] first: i32) -> Vec<Pet> {
        called(ctx, "Dog.friends");
        (0..first.clamp(0, 4)).map(|at| pet(self.0 + at + 1)).collect()
    }
}

#[Object]
impl Cat {
    async fn id(&self, ctx: &Context<'_>) -> ID {
        called(ctx, "Cat.id");
        format!("cat{}", self.0).into()
    }

    async fn name(
        &self,
        ctx: &Context<'_>,
        #[graphql(default = false)] upper: bool,
    ) -> Option<String> {
        called(ctx, "Cat.name");
        rest(1).await;
        upper.then(|| "TOM".to_owned())
    }

    async fn fails(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        called(ctx, "Cat.fails");
        Ok(Some(1))
    }

    async fn prey(&self, ctx: &Context<'_>) -> Option<Thing> {
        called(ctx, "Cat.prey");
        Some(thing(self.0 + 1))
    }

    async fn lives(&self, ctx: &Context<'_>) -> Vec<Vec<Option<Dog>>> {
        called(ctx, "Cat.lives");
        vec![vec![Some(Dog(self.0 + 3)), None], vec![]]
    }
}

struct Query;
struct Mutation;
struct Events;

#[Object]
impl Query {
    async fn pet(&self, ctx: &Context<'_>, #[graphql(default = 1)] at: i32) -> Option<Pet> {
        called(ctx, "Query.pet");
        rest(2).await;
        (at >= 0).then(|| pet(at % 100))
    }

    async fn thing(&self, ctx: &Context<'_>, at: i32) -> Option<Thing> {
        called(ctx, "Query.thing");
        (at >= 0).then(|| thing(at % 100))
    }

    async fn things(&self, ctx: &Context<'_>, #[graphql(default = 3)] first: i32) -> Vec<Thing> {
        called(ctx, "Query.things");
        (0..first.clamp(0, 5)).map(thing).collect()
    }

    async fn dog(&self, ctx: &Context<'_>) -> Dog {
        called(ctx, "Query.dog");
        Dog(1)
    }

    async fn dogs(&self, ctx: &Context<'_>) -> Option<Vec<Option<Dog>>> {
        called(ctx, "Query.dogs");
        Some(vec![Some(Dog(4)), None, Some(Dog(3))])
    }

    #[graphql(deprecation = "old")]
    async fn old(&self, ctx: &Context<'_>) -> Option<String> {
        called(ctx, "Query.old");
        None
    }

    #[allow(clippy::too_many_arguments, reason = "one of each kind")]
    async fn echo(
        &self,
        ctx: &Context<'_>,
        int: MaybeUndefined<i32>,
        float: MaybeUndefined<f64>,
        text: MaybeUndefined<String>,
        id: MaybeUndefined<ID>,
        flag: MaybeUndefined<bool>,
        #[graphql(name = "color")] hue: MaybeUndefined<Color>,
        any: MaybeUndefined<Any>,
        even: MaybeUndefined<Even>,
        ints: MaybeUndefined<Vec<i32>>,
        lists: MaybeUndefined<Vec<Option<Vec<Option<String>>>>>,
        input: MaybeUndefined<Outer>,
        #[graphql(default = 5)] must: i32,
    ) -> Option<Any> {
        called(ctx, "Query.echo");
        let mut members = Map::new();
        put(&mut members, "int", int.map_value(|value| json!(value)));
        put(&mut members, "float", float.map_value(|value| json!(value)));
        put(&mut members, "text", text.map_value(|value| json!(value)));
        put(&mut members, "id", id.map_value(|value| json!(value.as_str())));
        put(&mut members, "flag", flag.map_value(|value| json!(value)));
        put(&mut members, "color", hue.map_value(color));
        put(&mut members, "any", any.map_value(|value| value.0));
        put(&mut members, "even", even.map_value(|value| json!(value.0)));
        put(&mut members, "ints", ints.map_value(|value| json!(value)));
        put(&mut members, "lists", lists.map_value(|value| json!(value)));
        put(&mut members, "input", input.map_value(outer));
        members.insert("must".to_owned(), json!(must));
        Some(Any(Json::Object(members)))
    }

    async fn choose(&self, ctx: &Context<'_>, by: Choice) -> Any {
        called(ctx, "Query.choose");
        Any(match by {
            Choice::Number(number) => json!({ "number": number }),
            Choice::Text(text) => json!({ "text": text }),
            Choice::Inner(of) => json!({ "inner": inner(of) }),
        })
    }
}

#[Object]
impl Mutation {
    async fn step(&self, ctx: &Context<'_>, #[graphql(default = 1)] by: i32) -> i32 {
        called(ctx, "Mutation.step");
        rest(2).await;
        by
    }

    async fn make(&self, ctx: &Context<'_>, input: Option<Inner>) -> Option<Dog> {
        called(ctx, "Mutation.make");
        input.map(|input| Dog(input.number))
    }

    async fn may_fail(&self, ctx: &Context<'_>) -> Result<Option<i32>> {
        called(ctx, "Mutation.mayFail");
        Err(Error::not_found("it"))
    }

    async fn must_not_fail(&self, ctx: &Context<'_>) -> Result<i32> {
        called(ctx, "Mutation.mustNotFail");
        Err(Error::not_found("it"))
    }
}

#[Subscription]
impl Events {
    async fn dogs(&self, #[graphql(default = 2)] to: i32) -> impl Stream<Item = Dog> {
        iter((0..to.clamp(0, 4)).map(Dog))
    }

    async fn maybe(&self) -> impl Stream<Item = Option<Thing>> {
        iter([Some(thing(0)), None, Some(thing(2))])
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    schema: String,
    query: String,
    #[serde(default)]
    variables: Map<String, Json>,
    operation_name: Option<String>,
    /// Whether only introspection is selected, so that no resolver is needed.
    #[serde(default)]
    introspection: bool,
}

/// Resolves nothing.
struct Nothing;

impl Executor for Nothing {
    fn sdl(&self) -> String {
        String::new()
    }

    fn scalars(&self) -> HashMap<String, CustomScalar> {
        HashMap::new()
    }

    fn execute(&self, _: Request) -> BoxFuture<'_, Response> {
        async { Response::new(Value::Object(Default::default())) }.boxed()
    }

    fn stream(&self, _: Request) -> BoxStream<'static, Response> {
        iter([]).boxed()
    }
}

/// The refusal, or the responses and the number of calls of each resolver.
async fn answer(model: &SchemaModel, executor: Option<&dyn Executor>, asked: &Asked) -> Json {
    let refused = |refusal: Refusal| {
        let (kind, errors) = match refusal {
            Refusal::Syntax(errors) => ("syntax", errors),
            Refusal::Invalid(errors) => ("invalid", errors),
            Refusal::Variables(errors) => ("variables", errors),
            Refusal::Limit(error) => ("limit", vec![error]),
            Refusal::TooLarge => ("limit", Vec::new()),
        };
        let messages: Vec<_> = errors.into_iter().map(|error| error.message).collect();
        json!({ "refused": kind, "messages": messages })
    };
    let document = match Document::parse(model, &asked.query, 100_000, |_| Ok(())) {
        Ok(document) => document,
        Err(refusal) => return refused(refusal),
    };
    let Some(operation) = document.choose(asked.operation_name.as_deref()) else {
        return json!({ "refused": "operation" });
    };
    let (normal_form, variables) = match document.bind(model, operation, &asked.variables) {
        Ok(bound) => bound,
        Err(refusal) => return refused(refusal),
    };
    let Some(executor) = executor else { return json!({}) };
    let calls = Calls::default();
    let request = || Request::new("").data(calls.clone());
    let responses: Vec<Response> =
        if operation.kind == async_graphql::parser::types::OperationType::Subscription {
            graphql::subscribe(executor, normal_form, &variables, request()).collect().await
        } else {
            vec![graphql::execute(executor, &normal_form, &variables, request).await]
        };
    // As text, since the order of members matters.
    let told: Vec<_> = responses.iter().map(told).collect();
    let calls = calls.0.lock().expect("no resolver panics").clone();
    json!({ "responses": told, "calls": calls })
}

fn told(response: &Response) -> Json {
    let paths: Vec<_> = response.errors.iter().map(|error| json!(error.path)).collect();
    json!({ "data": serde_json::to_string(&response.data).unwrap_or_default(), "paths": paths })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let fixture = ExecutableSchema::new(Schema::build(Query, Mutation, Events)).scalar::<Even>();
    let sdl = fixture.sdl();
    let own = SchemaModel::parse(&sdl, fixture.scalars(), true)?;
    let gateway = tenant_gateway::schema::sdl();
    let gateway = SchemaModel::parse(&gateway, Default::default(), true)?;
    let mut out = stdout().lock();
    writeln!(out, "{}", json!({ "fixture": sdl }))?;
    for line in stdin().lock().lines() {
        let asked: Asked = serde_json::from_str(&line?)?;
        let (model, executor): (_, Option<&dyn Executor>) = match asked.schema.as_str() {
            "fixture" => (&own, Some(&fixture)),
            _ if asked.introspection => (&gateway, Some(&Nothing)),
            _ => (&gateway, None),
        };
        let answered =
            std::panic::AssertUnwindSafe(answer(model, executor, &asked)).catch_unwind().await;
        let answered = answered.unwrap_or_else(|_| json!({ "refused": "panic" }));
        writeln!(out, "{answered}")?;
    }
    Ok(())
}
