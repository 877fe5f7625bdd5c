//! Search criteria, one to one as in the vendor's API.

use async_graphql::{ID, InputObject};

use super::enums::{DeepSecurityComparisonTest, DeepSecurityEqualityTest};
use crate::clock::Timestamp;
use crate::deep_security::wire::Criterion;
use crate::error::{Error, Result};

const CRITERIA_MAX: usize = 20;
const TEXT_MAX: usize = 1000;

/// A test of one field, as in the vendor's search criteria. A field of a nested object is written
/// `ec2VirtualMachineSummary/accountID`. Exactly one kind of test is required.
#[derive(InputObject)]
pub struct DeepSecurityCriterion {
    /// The vendor's name of the field, such as `hostName` or `policyID`. Omitted for a test of the
    /// id.
    field_name: Option<String>,
    /// The test of `stringValue`. Default: EQUAL.
    string_test: Option<DeepSecurityEqualityTest>,
    /// The value of a text field. `%` matches any text and `_` one character, unless
    /// `stringWildcards` is false.
    string_value: Option<String>,
    /// Whether `%` and `_` are wildcards. Default: true.
    string_wildcards: Option<bool>,
    /// The test of `numericValue`. Default: EQUAL.
    numeric_test: Option<DeepSecurityComparisonTest>,
    /// The value of a numeric field.
    numeric_value: Option<f64>,
    /// The test of `choiceValue`. Default: EQUAL.
    choice_test: Option<DeepSecurityEqualityTest>,
    /// The value of a choice field, in the vendor's spelling (`suspended-db-locked`) or as in this
    /// schema (`SUSPENDED_DB_LOCKED`).
    choice_value: Option<String>,
    /// The required value of a boolean field.
    boolean_test: Option<bool>,
    /// The start of a range of dates, in RFC 3339.
    first_date_value: Option<String>,
    /// Whether the range includes its start. Default: true.
    first_date_inclusive: Option<bool>,
    /// The end of a date range, in RFC 3339.
    last_date_value: Option<String>,
    /// Whether the range includes its end. Default: true.
    last_date_inclusive: Option<bool>,
    /// Whether the field must be null (true) or must not be null (false).
    null_test: Option<bool>,
    /// The test of `versionValue`. Default: EQUAL.
    version_test: Option<DeepSecurityComparisonTest>,
    /// The value of a version field, such as `20.0.1.3000`.
    version_value: Option<String>,
    /// The test of `idValue`. Default: EQUAL.
    id_test: Option<DeepSecurityComparisonTest>,
    /// The vendor's id, or the global id of an object of this list.
    id_value: Option<ID>,
}

/// Validates the criteria of a search. `read_id` parses the id in the argument of that name.
///
/// # Errors
/// `BAD_USER_INPUT` naming the argument: more than 20 criteria, none or several kinds of test in
/// one criterion, a missing field, text that is too long or contains control characters, an invalid
/// date or id.
pub fn criteria(
    given: Option<Vec<DeepSecurityCriterion>>,
    read_id: impl Fn(&str, &str) -> Result<i64>,
) -> Result<Vec<Criterion>> {
    let given = given.unwrap_or_default();
    if given.len() > CRITERIA_MAX {
        return Err(Error::bad_input("where", "must have at most 20 criteria"));
    }
    given.into_iter().enumerate().map(|(at, one)| one.check(at, &read_id)).collect()
}

impl DeepSecurityCriterion {
    fn check(self, at: usize, read_id: impl Fn(&str, &str) -> Result<i64>) -> Result<Criterion> {
        let argument = |member: &str| format!("where[{at}].{member}");
        let by_id = self.id_test.is_some() || self.id_value.is_some();
        if self.kinds() != 1 {
            return Err(Error::bad_input(
                &format!("where[{at}]"),
                "must have exactly one kind of test",
            ));
        }
        if self.field_name.is_none() != by_id {
            return Err(Error::bad_input(
                &argument("fieldName"),
                "is required, except in a test of the id",
            ));
        }
        let text = |member: &str, value: Option<String>| {
            value.map(|value| plain_text(&argument(member), value)).transpose()
        };
        let date = |member: &str, value: Option<String>| {
            value.map(|value| date_millis(&argument(member), &value)).transpose()
        };
        if self.numeric_value.is_some_and(|value| !value.is_finite()) {
            return Err(Error::bad_input(&argument("numericValue"), "must be a finite number"));
        }
        Ok(Criterion {
            field_name: text("fieldName", self.field_name)?,
            string_test: self.string_test.map(DeepSecurityEqualityTest::as_vendor),
            string_value: text("stringValue", self.string_value)?,
            string_wildcards: self.string_wildcards,
            numeric_test: self.numeric_test.map(DeepSecurityComparisonTest::as_vendor),
            numeric_value: self.numeric_value,
            choice_test: self.choice_test.map(DeepSecurityEqualityTest::as_vendor),
            choice_value: text("choiceValue", self.choice_value)?.map(vendor_spelling),
            boolean_test: self.boolean_test,
            first_date_value: date("firstDateValue", self.first_date_value)?,
            first_date_inclusive: self.first_date_inclusive,
            last_date_value: date("lastDateValue", self.last_date_value)?,
            last_date_inclusive: self.last_date_inclusive,
            null_test: self.null_test,
            version_test: self.version_test.map(DeepSecurityComparisonTest::as_vendor),
            version_value: text("versionValue", self.version_value)?,
            id_test: self.id_test.map(DeepSecurityComparisonTest::as_vendor),
            id_value: self.id_value.map(|id| read_id(&argument("idValue"), &id)).transpose()?,
        })
    }

    /// The number of kinds of test, each counted by its value: the operator is optional.
    fn kinds(&self) -> usize {
        let dates = self.first_date_value.is_some() || self.last_date_value.is_some();
        let kinds = [
            self.string_value.is_some(),
            self.numeric_value.is_some(),
            self.choice_value.is_some(),
            self.boolean_test.is_some(),
            dates,
            self.null_test.is_some(),
            self.version_value.is_some(),
            self.id_value.is_some(),
        ];
        kinds.into_iter().filter(|given| *given).count()
    }
}

/// Validates a text for a body.
///
/// # Errors
/// `BAD_USER_INPUT` naming `argument` for more than 1000 characters, and for control characters.
pub fn plain_text(argument: &str, text: String) -> Result<String> {
    if text.chars().count() > TEXT_MAX || text.chars().any(char::is_control) {
        return Err(Error::bad_input(
            argument,
            "must have at most 1000 characters and no control characters",
        ));
    }
    Ok(text)
}

/// Parses a date in RFC 3339 into the vendor's milliseconds.
fn date_millis(argument: &str, text: &str) -> Result<i64> {
    let parsed = Timestamp::parse("date", text);
    parsed.map(Timestamp::millis).map_err(|_| {
        Error::bad_input(argument, "must be a date in RFC 3339, such as 2030-01-01T00:00:00Z")
    })
}

/// The vendor's spelling of an enumeration value in either spelling.
fn vendor_spelling(value: String) -> String {
    let is_graphql = value
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    if is_graphql { value.to_ascii_lowercase().replace('_', "-") } else { value }
}
