//! Optional members in a form that the API does not have.
//!
//! Managers of many versions answer, and proxies and agents write into their data. One odd value
//! shall not cost a customer the whole list: it is read as null, and counted for the log.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::{ComputerStatus, Module, ModuleStatus, PolicyModule, PolicyModuleStatus, Word};

thread_local! {
    // Serde passes nothing on from a whole answer to its members; reading one never leaves its
    // thread.
    static ODD: Cell<usize> = const { Cell::new(0) };
}

/// What `read` gives, and how many optional values it read as null because of their form.
pub fn counting_odd<T>(read: impl FnOnce() -> T) -> (T, usize) {
    ODD.set(0);
    let value = read();
    (value, ODD.take())
}

/// Reads an optional member, for `deserialize_with`: null if it is null or of another form.
///
/// # Errors
/// Where it is no JSON.
pub fn optional<'de, T: Lenient, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(match Member(PhantomData).deserialize(deserializer)? {
        Form::Value(value) => Some(value),
        Form::Null => None,
        Form::Odd => {
            ODD.set(ODD.get() + 1);
            None
        }
    })
}

/// What an optional member turned out to be.
pub enum Form<T> {
    /// What the API says.
    Value(T),
    /// Null.
    Null,
    /// Anything else.
    Odd,
}

/// A type of optional members: which forms of JSON it takes. The others are odd.
pub trait Lenient: Sized {
    /// From a whole number.
    fn from_integer(_: i64) -> Form<Self> {
        Form::Odd
    }

    /// From a text.
    fn from_text(_: &str) -> Form<Self> {
        Form::Odd
    }

    /// From true or false.
    fn from_flag(_: bool) -> Form<Self> {
        Form::Odd
    }

    /// From a list, which is read to its end in any case.
    ///
    /// # Errors
    /// Where it is no JSON.
    fn from_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Form<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Form::Odd)
    }

    /// From an object, which is read to its end in any case.
    ///
    /// # Errors
    /// Where it is no JSON.
    fn from_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<Form<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Form::Odd)
    }
}

impl Lenient for i64 {
    fn from_integer(integer: i64) -> Form<Self> {
        Form::Value(integer)
    }
}

impl Lenient for bool {
    fn from_flag(flag: bool) -> Form<Self> {
        Form::Value(flag)
    }
}

impl Lenient for String {
    fn from_text(text: &str) -> Form<Self> {
        Form::Value(text.to_owned())
    }
}

impl Lenient for Word {
    fn from_text(text: &str) -> Form<Self> {
        Form::Value(Self::read(text))
    }
}

impl<T: Lenient> Lenient for Vec<T> {
    /// One odd item makes the whole list odd: which are missing cannot be told.
    fn from_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Form<Self>, A::Error> {
        let mut items = Self::new();
        let mut is_whole = true;
        while let Some(item) = list.next_element_seed(Member(PhantomData))? {
            match item {
                Form::Value(item) => items.push(item),
                Form::Null | Form::Odd => is_whole = false,
            }
        }
        Ok(if is_whole { Form::Value(items) } else { Form::Odd })
    }
}

impl<T: Lenient> Lenient for Box<T> {
    fn from_object<'de, A: MapAccess<'de>>(object: A) -> Result<Form<Self>, A::Error> {
        Ok(match T::from_object(object)? {
            Form::Value(value) => Form::Value(Self::new(value)),
            Form::Null => Form::Null,
            Form::Odd => Form::Odd,
        })
    }
}

macro_rules! objects {
    ($($object:ty),*) => {$(
        impl Lenient for $object {
            fn from_object<'de, A: MapAccess<'de>>(object: A) -> Result<Form<Self>, A::Error> {
                Self::deserialize(MapAccessDeserializer::new(object)).map(Form::Value)
            }
        }
    )*};
}

objects!(ComputerStatus, Module, ModuleStatus, PolicyModule, PolicyModuleStatus);

struct Member<T>(PhantomData<T>);

impl<'de, T: Lenient> DeserializeSeed<'de> for Member<T> {
    type Value = Form<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Form<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Lenient> Visitor<'de> for Member<T> {
    type Value = Form<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<Form<T>, E> {
        Ok(T::from_integer(integer))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<Form<T>, E> {
        Ok(i64::try_from(integer).map_or(Form::Odd, T::from_integer))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Form<T>, E> {
        Ok(Form::Odd)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Form<T>, E> {
        Ok(T::from_flag(flag))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Form<T>, E> {
        Ok(T::from_text(text))
    }

    fn visit_unit<E: Error>(self) -> Result<Form<T>, E> {
        Ok(Form::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Form<T>, A::Error> {
        T::from_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Form<T>, A::Error> {
        T::from_object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ApiKey, Computer, KeyWithSecret, Objects, Policy, read};
    use super::*;

    fn computers(list: &str) -> (Vec<Computer>, usize) {
        let body = format!(r#"{{"computers":[{list}]}}"#);
        let (read, odd) = counting_odd(|| read(body.as_bytes(), Objects::<Computer>::with(None)));
        (read.unwrap(), odd)
    }

    #[test]
    fn one_odd_value_nulls_its_member_alone() {
        let odd = r#"{"ID":1,"hostName":"a","description":7,"policyID":"3","groupID":2,
            "lastAgentCommunication":"2024-03-01T00:00:00Z","lastSendPolicyRequest":1700000000000.5,
            "computerStatus":{"agentStatus":"active","agentStatusMessages":["up",null]},
            "firewall":{"state":{"is":"on"},"ruleIDs":[1,null,3],"blockUnrecognized":"false","moduleStatus":[]},
            "antiMalware":"on"}"#;
        let (computers, odd) =
            computers(&format!(r#"{odd},{{"ID":2,"hostName":"b","policyID":3}}"#));
        let [first, second] = computers.as_slice() else { panic!("two computers") };
        assert_eq!((first.id, first.host_name.as_deref(), first.group_id), (1, Some("a"), Some(2)));
        assert!(
            first.description.is_none()
                && first.policy_id.is_none()
                && first.anti_malware.is_none()
        );
        assert!(
            first.last_agent_communication.is_none() && first.last_send_policy_request.is_none()
        );
        let status = first.computer_status.as_ref().unwrap();
        assert!(status.agent_status.is_some() && status.agent_status_messages.is_none());
        let firewall = first.firewall.as_ref().unwrap();
        assert!(
            firewall.state.is_none()
                && firewall.rule_ids.is_none()
                && firewall.module_status.is_none()
        );
        assert!(firewall.block_unrecognized.is_none());
        assert_eq!((second.policy_id, odd), (Some(3), 10));
    }

    #[test]
    fn absent_and_null_members_are_not_odd() {
        let (computers, odd) =
            computers(r#"{"ID":1,"policyID":null,"firewall":{"ruleIDs":null,"state":"on"}}"#);
        assert_eq!((computers[0].policy_id, odd), (None, 0));
    }

    #[test]
    fn what_identifies_an_object_or_a_secret_stays_strict() {
        for list in
            [r#"{"ID":"1"}"#, r#"{"ID":1.5}"#, r#"{"ID":null}"#, "null", r#"{"ID":1,"hostName":7}"#]
        {
            let body = format!(r#"{{"computers":[{list}]}}"#);
            assert!(read(body.as_bytes(), Objects::<Computer>::with(None)).is_err(), "{list}");
        }
        assert!(serde_json::from_str::<ApiKey>(r#"{"ID":1,"keyName":7}"#).is_err());
        assert!(serde_json::from_str::<KeyWithSecret>(r#"{"ID":1,"secretKey":7}"#).is_err());
        assert!(
            serde_json::from_str::<Policy>(r#"{"ID":1,"name":"p","firewall":7}"#)
                .unwrap()
                .firewall
                .is_none()
        );
    }

    #[test]
    fn made_key_keeps_its_secret_whatever_its_dates_are() {
        let made =
            r#"{"ID":1,"keyName":"k","created":"yesterday","expiryDate":1.5,"secretKey":"2:abc"}"#;
        let (made, odd) = counting_odd(|| serde_json::from_str::<KeyWithSecret>(made).unwrap());
        assert_eq!((made.secret.expose(), made.key.created, odd), ("2:abc", None, 2));
    }
}
