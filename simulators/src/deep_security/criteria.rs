//! One criterion of a search: a field and its test (reference, section 5).

use std::cmp::Ordering;

use serde_json::Value;

use super::dialect::Dialect;
use super::object::Object;
use super::refusal::Refusal;
use super::schema::{Field, Kind, Schema};
use crate::wildcards::fits;

/// A test on one field.
pub(crate) struct Criterion {
    field: String,
    test: Test,
}

/// A kind of test with its value.
enum Test {
    Text { wanted: String, wildcards: bool, ignores_case: bool, differs: Differs },
    Choice { wanted: String, differs: Differs },
    Flag(bool),
    Number(Comparison, f64),
    Date { first: Option<(i64, bool)>, last: Option<(i64, bool)> },
    Version(Comparison, Vec<u64>),
    Null(bool),
}

/// Whether the test is `not-equal`, and whether null satisfies that.
#[derive(Clone, Copy)]
struct Differs {
    negated: bool,
    null: bool,
}

#[derive(Clone, Copy)]
enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    Different,
}

impl Criterion {
    /// Parses a criterion; `None` if it is invalid and the dialect ignores that.
    pub fn read(
        criterion: &Object,
        schema: &Schema,
        dialect: &Dialect,
    ) -> Result<Option<Self>, Refusal> {
        match read(criterion, schema, dialect) {
            Ok(criterion) => Ok(Some(criterion)),
            Err(refusal) if dialect.strict_search => Err(refusal),
            Err(_) => Ok(None),
        }
    }

    pub fn holds(&self, object: &Object) -> bool {
        let value = lookup(object, &self.field);
        match (&self.test, value) {
            (Test::Null(null), value) => *null == value.is_none(),
            (Test::Text { differs, .. } | Test::Choice { differs, .. }, None) => {
                differs.negated && differs.null
            }
            (Test::Text { wanted, wildcards, ignores_case, differs }, Some(value)) => {
                differs.negated
                    != like(wanted, value.as_str().unwrap_or_default(), *wildcards, *ignores_case)
            }
            (Test::Choice { wanted, differs }, Some(value)) => {
                differs.negated != (value == wanted.as_str())
            }
            (Test::Flag(wanted), Some(value)) => value == *wanted,
            (Test::Number(comparison, wanted), Some(value)) => value
                .as_f64()
                .and_then(|value| value.partial_cmp(wanted))
                .is_some_and(|order| comparison.holds(order)),
            (Test::Date { first, last }, Some(value)) => {
                within(value.as_i64().unwrap_or_default(), *first, *last)
            }
            (Test::Version(comparison, wanted), Some(value)) => {
                comparison.holds(version(value.as_str().unwrap_or_default()).cmp(wanted))
            }
            (Test::Flag(_) | Test::Number(..) | Test::Date { .. } | Test::Version(..), None) => {
                false
            }
        }
    }
}

fn read(criterion: &Object, schema: &Schema, dialect: &Dialect) -> Result<Criterion, Refusal> {
    let has = |name: &str| criterion.get(name).is_some_and(|value| !value.is_null());
    if has("idTest") || has("idValue") {
        let test =
            Test::Number(Comparison::read(criterion.get("idTest"))?, number(criterion, "idValue")?);
        return Ok(Criterion { field: "ID".to_owned(), test });
    }
    let name = criterion.get("fieldName").and_then(Value::as_str).unwrap_or_default();
    let unknown = || Refusal::bad(format!("Unknown search field {name:?}."));
    let field = schema.field(name).filter(|field| field.searchable).ok_or_else(unknown)?;
    let kind = test_kinds().into_iter().find(|(keys, ..)| keys.iter().any(|key| has(key)));
    let (_, suits, read) = kind.ok_or_else(|| Refusal::bad("A search criterion needs a test."))?;
    if !suits(field) {
        return Err(Refusal::bad(format!("The test does not suit the search field {name:?}.")));
    }
    Ok(Criterion { field: name.to_owned(), test: read(criterion, dialect)? })
}

type Suits = fn(&Field) -> bool;
type Read = fn(&Object, &Dialect) -> Result<Test, Refusal>;

/// The keys of each kind of test, the fields that it suits, and its parser.
fn test_kinds() -> [(&'static [&'static str], Suits, Read); 7] {
    [
        (&["nullTest"], |_| true, |criterion, _| Ok(Test::Null(boolean(criterion, "nullTest")?))),
        (
            &["stringTest", "stringValue"],
            |field| matches!(field.kind, Kind::Text | Kind::Version),
            read_text,
        ),
        (
            &["choiceTest", "choiceValue"],
            |field| matches!(field.kind, Kind::Choice(_)),
            |criterion, dialect| {
                Ok(Test::Choice {
                    wanted: string(criterion, "choiceValue")?,
                    differs: differs(criterion, "choiceTest", dialect)?,
                })
            },
        ),
        (
            &["booleanTest"],
            |field| matches!(field.kind, Kind::Flag),
            |criterion, _| Ok(Test::Flag(boolean(criterion, "booleanTest")?)),
        ),
        (
            &["numericTest", "numericValue"],
            |field| matches!(field.kind, Kind::Number | Kind::Reference),
            |criterion, _| {
                Ok(Test::Number(
                    Comparison::read(criterion.get("numericTest"))?,
                    number(criterion, "numericValue")?,
                ))
            },
        ),
        (
            &["firstDateValue", "lastDateValue"],
            |field| matches!(field.kind, Kind::Date),
            |criterion, _| {
                Ok(Test::Date { first: end(criterion, "first")?, last: end(criterion, "last")? })
            },
        ),
        (
            &["versionTest", "versionValue"],
            |field| matches!(field.kind, Kind::Version),
            |criterion, _| {
                let wanted = version(&string(criterion, "versionValue")?);
                Ok(Test::Version(Comparison::read(criterion.get("versionTest"))?, wanted))
            },
        ),
    ]
}

fn read_text(criterion: &Object, dialect: &Dialect) -> Result<Test, Refusal> {
    Ok(Test::Text {
        wanted: string(criterion, "stringValue")?,
        wildcards: !criterion.contains_key("stringWildcards")
            || boolean(criterion, "stringWildcards")?,
        ignores_case: dialect.ignores_case,
        differs: differs(criterion, "stringTest", dialect)?,
    })
}

fn differs(criterion: &Object, test: &str, dialect: &Dialect) -> Result<Differs, Refusal> {
    let negated = match Comparison::read(criterion.get(test))? {
        Comparison::Equal => false,
        Comparison::Different => true,
        _ => return Err(Refusal::bad(format!("{test} is either equal or not-equal."))),
    };
    Ok(Differs { negated, null: dialect.null_differs })
}

fn string(criterion: &Object, name: &str) -> Result<String, Refusal> {
    let value = criterion.get(name).and_then(Value::as_str);
    value.map(str::to_owned).ok_or_else(|| Refusal::bad(format!("{name} must be text.")))
}

fn boolean(criterion: &Object, name: &str) -> Result<bool, Refusal> {
    criterion
        .get(name)
        .and_then(Value::as_bool)
        .ok_or_else(|| Refusal::bad(format!("{name} must be a boolean.")))
}

fn number(criterion: &Object, name: &str) -> Result<f64, Refusal> {
    criterion
        .get(name)
        .and_then(Value::as_f64)
        .ok_or_else(|| Refusal::bad(format!("{name} must be a number.")))
}

/// One end of a date range, and whether the range includes it.
fn end(criterion: &Object, which: &str) -> Result<Option<(i64, bool)>, Refusal> {
    let Some(value) = criterion.get(&format!("{which}DateValue")) else { return Ok(None) };
    let moment =
        value.as_i64().ok_or_else(|| Refusal::bad(format!("{which}DateValue must be a date.")))?;
    let inclusive =
        criterion.get(&format!("{which}DateInclusive")).and_then(Value::as_bool).unwrap_or(true);
    Ok(Some((moment, inclusive)))
}

fn within(moment: i64, first: Option<(i64, bool)>, last: Option<(i64, bool)>) -> bool {
    let after =
        first.is_none_or(|(first, inclusive)| moment > first || (inclusive && moment == first));
    let before =
        last.is_none_or(|(last, inclusive)| moment < last || (inclusive && moment == last));
    after && before
}

fn like(wanted: &str, text: &str, wildcards: bool, ignores_case: bool) -> bool {
    let fold = |text: &str| if ignores_case { text.to_lowercase() } else { text.to_owned() };
    if wildcards {
        fits(&fold(wanted), &fold(text), '%', Some('_'))
    } else {
        fold(wanted) == fold(text)
    }
}

fn version(text: &str) -> Vec<u64> {
    text.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

/// A member, possibly nested: `ec2VirtualMachineSummary/accountID`.
fn lookup<'a>(object: &'a Object, field: &str) -> Option<&'a Value> {
    match field.split_once('/') {
        Some((outer, inner)) => object.get(outer)?.get(inner),
        None => object.get(field),
    }
}

impl Comparison {
    fn read(test: Option<&Value>) -> Result<Self, Refusal> {
        match test.map(|test| test.as_str().unwrap_or_default()) {
            None | Some("equal") => Ok(Self::Equal),
            Some("less-than") => Ok(Self::Less),
            Some("less-than-or-equal") => Ok(Self::LessOrEqual),
            Some("greater-than-or-equal") => Ok(Self::GreaterOrEqual),
            Some("greater-than") => Ok(Self::Greater),
            Some("not-equal") => Ok(Self::Different),
            Some(test) => Err(Refusal::bad(format!("Unknown test {test:?}."))),
        }
    }

    fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Greater => order.is_gt(),
            Self::Different => order.is_ne(),
        }
    }
}
