//! The cost of a request of a known document before and beside its resolvers: `cargo bench --bench
//! documents`. Resolvers answer at once from memory, so that little else is measured.
//!
//! `as written` is what async-graphql alone does with a document that was parsed and validated
//! before. `normal form` is the gateway's way: variables coerced, the cost counted, the normal form
//! executed and the answer arranged. `metered` adds the extension that counts the response.

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;

use async_graphql::parser::parse_query;
use async_graphql::{
    EmptyMutation, EmptySubscription, Object, Request, Response, Schema, SchemaBuilder,
    SimpleObject, ValidationMode, Variables as Given,
};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use serde_json::{Map, Value, json};
use tenant_gateway::budget::{Account, Pool, RESPONSE_BEGINNING, ResponseMeter};
use tenant_gateway::graphql::{self, Cost, Document, ExecutableSchema, Executor, SchemaModel};
use tenant_gateway::http::graphql::Metering;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use uuid::Uuid;

const FIELDS_MAX: u64 = 10_000;
const MEMORY: usize = 64 * 1024 * 1024;

/// One field, and a page of 50 objects of which eight fields come through a fragment.
const QUERIES: [(&str, &str); 2] = [
    ("one field", "query($first: Int) { count(first: $first) }"),
    (
        "50 objects",
        "query($first: Int) { rows(first: $first) { ...Names ...Moments enabled count } }
         fragment Names on Row { id name label owner tenant }
         fragment Moments on Row { created updated used name }",
    ),
];

#[derive(Clone, SimpleObject)]
struct Row {
    id: String,
    name: String,
    label: String,
    owner: String,
    tenant: String,
    created: String,
    updated: String,
    used: Option<String>,
    enabled: bool,
    count: i32,
}

struct Query {
    row: Row,
}

#[Object]
impl Query {
    async fn count(&self, first: Option<i32>) -> i32 {
        first.unwrap_or_default()
    }

    async fn rows(&self, first: Option<i32>) -> Vec<Row> {
        vec![self.row.clone(); usize::try_from(first.unwrap_or(1)).unwrap_or_default()]
    }
}

type Builder = SchemaBuilder<Query, EmptyMutation, EmptySubscription>;

fn builder() -> Builder {
    let text = "00000000-0000-4000-8000-000000000000".to_owned();
    let row = Row {
        id: text.clone(),
        name: text.clone(),
        label: text.clone(),
        owner: text.clone(),
        tenant: text.clone(),
        created: text.clone(),
        updated: text,
        used: None,
        enabled: true,
        count: 7,
    };
    Schema::build(Query { row }, EmptyMutation, EmptySubscription)
}

fn given() -> Map<String, Value> {
    json!({ "first": 50 }).as_object().cloned().unwrap_or_default()
}

/// The pool that responses are charged to.
struct Budget {
    pool: Arc<Pool<Uuid>>,
    builders: Arc<Semaphore>,
}

impl Budget {
    fn meter(&self) -> Arc<ResponseMeter> {
        let account = Account { owner: Uuid::nil(), member: Uuid::nil() };
        let permit = self.pool.try_take(account, RESPONSE_BEGINNING).expect("there is room");
        Arc::new(ResponseMeter::new(
            MEMORY,
            permit,
            self.builders.clone(),
            std::time::Duration::ZERO,
        ))
    }
}

/// The gateway's way from a known document to the answer.
async fn by_normal_form(
    executor: &dyn Executor,
    model: &SchemaModel,
    document: &Document,
    budget: Option<&Budget>,
) -> Response {
    let operation = document.choose(None).expect("it has one operation");
    let bound = document.bind(model, operation, &given());
    let (normal_form, variables) = bound.expect("the variables fit");
    black_box(Cost::of(&normal_form, &variables));
    let meter = budget.map(Budget::meter);
    let request = || match &meter {
        Some(meter) => Request::new("").data(meter.clone()),
        None => Request::new(""),
    };
    graphql::execute(executor, &normal_form, &variables, request).await
}

fn documents(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let library = builder().validation_mode(ValidationMode::Fast).finish();
    let plain = ExecutableSchema::new(builder());
    let metered = ExecutableSchema::new(builder().extension(Metering));
    let model = SchemaModel::parse(&plain.sdl(), HashMap::new(), true).expect("a valid schema");
    let budget =
        Budget { pool: Pool::new("responses", MEMORY), builders: Arc::new(Semaphore::new(1)) };
    for (name, text) in QUERIES {
        let mut group = criterion.benchmark_group(format!("documents/{name}"));
        group.bench_function("parse and validate, once", |bencher| {
            bencher.iter(|| Document::parse(&model, black_box(text), FIELDS_MAX, |_| Ok(())).ok());
        });
        let parsed = parse_query(text).expect("it is GraphQL");
        group.bench_function("as written", |bencher| {
            bencher.to_async(&runtime).iter_batched(
                || parsed.clone(),
                async |parsed| {
                    let variables = Given::from_json(Value::Object(given()));
                    let mut request = Request::new("").variables(variables);
                    request.set_parsed_query(parsed);
                    library.execute(request).await
                },
                BatchSize::SmallInput,
            );
        });
        let document = Document::parse(&model, text, FIELDS_MAX, |_| Ok(()));
        let document = document.expect("it is valid");
        group.bench_function("bind and count", |bencher| {
            bencher.iter(|| {
                let operation = document.choose(None).expect("it has one operation");
                let bound = document.bind(&model, operation, &given()).ok();
                bound.map(|(normal_form, variables)| Cost::of(&normal_form, &variables))
            });
        });
        group.bench_function("normal form", |bencher| {
            let answer = async || by_normal_form(&plain, &model, &document, None).await;
            bencher.to_async(&runtime).iter(answer);
        });
        group.bench_function("normal form, metered", |bencher| {
            let answer = async || by_normal_form(&metered, &model, &document, Some(&budget)).await;
            bencher.to_async(&runtime).iter(answer);
        });
        let answer = runtime.block_on(by_normal_form(&metered, &model, &document, Some(&budget)));
        assert!(answer.errors.is_empty(), "{:?}", answer.errors);
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(50);
    targets = documents
}
criterion_main!(benches);
