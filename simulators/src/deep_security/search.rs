//! Searches (reference, section 5).

use std::sync::Arc;

use serde_json::Value;

use super::criteria::Criterion;
use super::dialect::Dialect;
use super::object::{Object, number, text};
use super::refusal::Refusal;
use super::schema::Schema;

const LARGEST_PAGE: i64 = 5000;

/// The criteria, the order and the size of a search.
pub(crate) struct Filter {
    criteria: Vec<Criterion>,
    max_items: usize,
    sorted_by: Option<&'static str>,
}

impl Filter {
    /// Parses a SearchFilter; an empty body matches everything.
    pub fn read(body: &Object, schema: &Schema, dialect: &Dialect) -> Result<Self, Refusal> {
        // One of the vendor's samples sends a single criterion instead of a list.
        let criteria = match body.get("searchCriteria") {
            None | Some(Value::Null) => &[],
            Some(Value::Array(criteria)) => criteria.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        let by_id = body.get("sortByObjectID").and_then(Value::as_bool).unwrap_or(false)
            || !dialect.searches_by_name;
        Ok(Self {
            criteria: criteria
                .iter()
                .filter_map(|one| criterion(one, schema, dialect).transpose())
                .collect::<Result<_, _>>()?,
            max_items: max_items(body.get("maxItems"), dialect)?,
            sorted_by: (!by_id).then_some(schema.name),
        })
    }

    /// The objects that satisfy all criteria; `objects` are in the order of their ids.
    pub fn apply<'a>(&self, objects: impl Iterator<Item = &'a Arc<Object>>) -> Vec<Arc<Object>> {
        let found =
            objects.filter(|object| self.criteria.iter().all(|criterion| criterion.holds(object)));
        let mut found: Vec<_> = found.cloned().collect();
        if let Some(name) = self.sorted_by {
            let key = |object: &Arc<Object>| {
                (text(object, name).map(str::to_lowercase), number(object, "ID"))
            };
            found.sort_by_cached_key(key);
        }
        found.truncate(self.max_items);
        found
    }
}

fn criterion(
    value: &Value,
    schema: &Schema,
    dialect: &Dialect,
) -> Result<Option<Criterion>, Refusal> {
    let criterion =
        value.as_object().ok_or_else(|| Refusal::bad("A search criterion must be an object."))?;
    Criterion::read(criterion, schema, dialect)
}

fn max_items(value: Option<&Value>, dialect: &Dialect) -> Result<usize, Refusal> {
    let wanted = match value {
        None | Some(Value::Null) => LARGEST_PAGE,
        Some(value) => value.as_i64().ok_or_else(|| Refusal::bad("maxItems must be a number."))?,
    };
    if wanted < 1 || (wanted > LARGEST_PAGE && dialect.refuses_large_pages) {
        return Err(Refusal::bad("maxItems must be between 1 and 5000."));
    }
    Ok(usize::try_from(wanted.min(LARGEST_PAGE)).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::schemas::{API_KEY, COMPUTER};
    use super::*;

    fn objects() -> Vec<Arc<Object>> {
        let objects = json!([
            {
                "ID": 1, "hostName": "web_1", "agentVersion": "20.0.9", "policyID": 1,
                "lastAgentCommunication": 100,
            },
            {
                "ID": 2, "hostName": "WEB-1", "agentVersion": "20.0.10", "policyID": 2,
                "lastAgentCommunication": 200,
            },
            {"ID": 3, "hostName": "db", "ec2VirtualMachineSummary": {"accountID": "42"}},
        ]);
        objects
            .as_array()
            .unwrap()
            .iter()
            .map(|object| Arc::new(object.as_object().unwrap().clone()))
            .collect()
    }

    fn search_in(dialect: &Dialect, body: Value) -> Result<Vec<i64>, u16> {
        let filter = Filter::read(body.as_object().unwrap(), &COMPUTER, dialect)
            .map_err(|refusal| refusal.status)?;
        Ok(filter
            .apply(objects().iter())
            .iter()
            .map(|object| number(object, "ID").unwrap())
            .collect())
    }

    fn search(body: Value) -> Result<Vec<i64>, u16> {
        search_in(&Dialect::default(), body)
    }

    fn by(criterion: Value) -> Result<Vec<i64>, u16> {
        search(json!({"searchCriteria": [criterion], "sortByObjectID": true}))
    }

    #[test]
    fn search_without_criteria_returns_everything_sorted_by_name() {
        assert_eq!(search(json!({})).unwrap(), [3, 2, 1]);
        assert_eq!(search_in(&Dialect::other(), json!({})).unwrap(), [1, 2, 3]);
    }

    #[test]
    fn underscore_is_a_wildcard_unless_disabled() {
        assert_eq!(by(json!({"fieldName": "hostName", "stringValue": "web_1"})).unwrap(), [1, 2]);
        let exact =
            json!({"fieldName": "hostName", "stringValue": "web_1", "stringWildcards": false});
        assert_eq!(by(exact).unwrap(), [1]);
        assert_eq!(
            by(json!({"fieldName": "hostName", "stringTest": "not-equal", "stringValue": "%b%"}))
                .unwrap(),
            Vec::<i64>::new()
        );
    }

    #[test]
    fn null_satisfies_only_the_null_test() {
        assert_eq!(by(json!({"fieldName": "policyID", "nullTest": true})).unwrap(), [3]);
        assert_eq!(by(json!({"fieldName": "policyID", "nullTest": false})).unwrap(), [1, 2]);
        assert_eq!(
            by(json!({"fieldName": "policyID", "numericTest": "not-equal", "numericValue": 1}))
                .unwrap(),
            [2]
        );
        let differs = json!({
            "fieldName": "agentVersion", "stringTest": "not-equal", "stringValue": "20.0.9",
        });
        assert_eq!(by(differs.clone()).unwrap(), [2]);
        assert_eq!(
            search_in(&Dialect::other(), json!({"searchCriteria": differs})).unwrap(),
            [2, 3]
        );
    }

    #[test]
    fn versions_dates_and_nested_fields_are_compared() {
        let version = json!({
            "fieldName": "agentVersion", "versionTest": "greater-than", "versionValue": "20.0.9",
        });
        assert_eq!(by(version).unwrap(), [2]);
        let date = |inclusive| {
            json!({
                "fieldName": "lastAgentCommunication", "firstDateValue": 100,
                "firstDateInclusive": inclusive,
            })
        };
        assert_eq!(by(date(true)).unwrap(), [1, 2]);
        assert_eq!(by(date(false)).unwrap(), [2]);
        assert_eq!(
            by(json!({"fieldName": "ec2VirtualMachineSummary/accountID", "stringValue": "42"}))
                .unwrap(),
            [3]
        );
    }

    #[test]
    fn id_test_pages_through_a_list() {
        let page = |last: i64| {
            let criterion = json!({"idTest": "greater-than", "idValue": last});
            json!({"maxItems": 2, "sortByObjectID": true, "searchCriteria": criterion})
        };
        assert_eq!(search(page(0)).unwrap(), [1, 2]);
        assert_eq!(search(page(2)).unwrap(), [3]);
        assert_eq!(search(page(3)).unwrap(), Vec::<i64>::new());
    }

    #[test]
    fn invalid_search_is_refused_or_returns_everything() {
        for criterion in [
            json!({"fieldName": "hostname", "stringValue": "db"}),
            json!({"fieldName": "hostName", "numericValue": 1}),
            json!({"fieldName": "hostName"}),
            json!({"fieldName": "hostName", "stringTest": "like", "stringValue": "db"}),
        ] {
            assert_eq!(by(criterion.clone()), Err(400), "{criterion}");
            assert_eq!(
                search_in(&Dialect::other(), json!({"searchCriteria": [criterion]})).unwrap().len(),
                3
            );
        }
        assert_eq!(search(json!({"maxItems": 0})), Err(400));
        assert_eq!(search(json!({"maxItems": 5001})).unwrap().len(), 3);
        assert_eq!(search_in(&Dialect::other(), json!({"maxItems": 5001})), Err(400));
    }

    #[test]
    fn test_must_suit_its_field() {
        let read = |criterion: Value| {
            Filter::read(
                json!({"searchCriteria": [criterion]}).as_object().unwrap(),
                &API_KEY,
                &Dialect::default(),
            )
        };
        assert!(read(json!({"fieldName": "active", "booleanTest": true})).is_ok());
        assert!(read(json!({"fieldName": "active", "stringValue": "true"})).is_err());
        assert!(read(json!({"fieldName": "locale", "choiceValue": "en-US"})).is_err());
    }
}
