//! Optional fields of an unexpected type.
//!
//! Managers of many versions respond, and proxies and agents write into their data. One malformed
//! value must not cost a customer the whole list: it is read as null and counted for the log.

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::enum_text::EnumText;

thread_local! {
    // Serde passes no context from a document to its fields; a document is read on one thread.
    static NULLED: Cell<usize> = const { Cell::new(0) };
}

/// The result of `read`, and how many values it read as null because of their type.
pub fn count_nulled<T>(read: impl FnOnce() -> T) -> (T, usize) {
    NULLED.set(0);
    let value = read();
    (value, NULLED.take())
}

/// Deserializes an optional field, for `deserialize_with`. A value of an unexpected type is null.
///
/// # Errors
/// If the text is not JSON.
pub fn optional<'de, T: Lenient, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(match FieldSeed(PhantomData).deserialize(deserializer)? {
        Parsed::Value(value) => Some(value),
        Parsed::Null => None,
        Parsed::Mismatch => {
            NULLED.set(NULLED.get() + 1);
            None
        }
    })
}

/// The value of an optional field.
pub enum Parsed<T> {
    /// A value of the documented type.
    Value(T),
    /// Null.
    Null,
    /// A value of another type.
    Mismatch,
}

/// A type of optional fields. Its methods say which JSON types it accepts; by default none.
pub trait Lenient: Sized {
    /// Converts an integer.
    fn from_integer(_: i64) -> Parsed<Self> {
        Parsed::Mismatch
    }

    /// Converts a string.
    fn from_text(_: &str) -> Parsed<Self> {
        Parsed::Mismatch
    }

    /// Converts a boolean.
    fn from_flag(_: bool) -> Parsed<Self> {
        Parsed::Mismatch
    }

    /// Converts an array, consuming it in any case.
    ///
    /// # Errors
    /// If the text is not JSON.
    fn from_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Parsed<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Parsed::Mismatch)
    }

    /// Converts an object, consuming it in any case.
    ///
    /// # Errors
    /// If the text is not JSON.
    fn from_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<Parsed<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Parsed::Mismatch)
    }
}

impl Lenient for i64 {
    fn from_integer(integer: i64) -> Parsed<Self> {
        Parsed::Value(integer)
    }
}

impl Lenient for bool {
    fn from_flag(flag: bool) -> Parsed<Self> {
        Parsed::Value(flag)
    }
}

impl Lenient for String {
    fn from_text(text: &str) -> Parsed<Self> {
        Parsed::Value(text.to_owned())
    }
}

impl Lenient for EnumText {
    fn from_text(text: &str) -> Parsed<Self> {
        Parsed::Value(Self::new(text))
    }
}

impl<T: Lenient> Lenient for Vec<T> {
    /// One mismatched item makes the whole array a mismatch: dropping it would hide that it is
    /// missing.
    fn from_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Parsed<Self>, A::Error> {
        let mut items = Self::new();
        let mut is_complete = true;
        while let Some(item) = list.next_element_seed(FieldSeed(PhantomData))? {
            match item {
                Parsed::Value(item) => items.push(item),
                Parsed::Null | Parsed::Mismatch => is_complete = false,
            }
        }
        Ok(if is_complete { Parsed::Value(items) } else { Parsed::Mismatch })
    }
}

impl<T: Lenient> Lenient for Box<T> {
    fn from_object<'de, A: MapAccess<'de>>(object: A) -> Result<Parsed<Self>, A::Error> {
        Ok(match T::from_object(object)? {
            Parsed::Value(value) => Parsed::Value(Self::new(value)),
            Parsed::Null => Parsed::Null,
            Parsed::Mismatch => Parsed::Mismatch,
        })
    }
}

/// Implements [`Lenient`] for structs that derive `Deserialize`.
macro_rules! lenient_objects {
    ($($object:ty),*) => {$(
        impl $crate::deep_security::wire::lenient::Lenient for $object {
            fn from_object<'de, A: serde::de::MapAccess<'de>>(
                object: A,
            ) -> Result<$crate::deep_security::wire::lenient::Parsed<Self>, A::Error> {
                use serde::Deserialize;
                Self::deserialize(serde::de::value::MapAccessDeserializer::new(object))
                    .map($crate::deep_security::wire::lenient::Parsed::Value)
            }
        }
    )*};
}

pub(super) use lenient_objects;

struct FieldSeed<T>(PhantomData<T>);

impl<'de, T: Lenient> DeserializeSeed<'de> for FieldSeed<T> {
    type Value = Parsed<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Parsed<T>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Lenient> Visitor<'de> for FieldSeed<T> {
    type Value = Parsed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_i64<E: Error>(self, integer: i64) -> Result<Parsed<T>, E> {
        Ok(T::from_integer(integer))
    }

    fn visit_u64<E: Error>(self, integer: u64) -> Result<Parsed<T>, E> {
        Ok(i64::try_from(integer).map_or(Parsed::Mismatch, T::from_integer))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Parsed<T>, E> {
        Ok(Parsed::Mismatch)
    }

    fn visit_bool<E: Error>(self, flag: bool) -> Result<Parsed<T>, E> {
        Ok(T::from_flag(flag))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Parsed<T>, E> {
        Ok(T::from_text(text))
    }

    fn visit_unit<E: Error>(self) -> Result<Parsed<T>, E> {
        Ok(Parsed::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Parsed<T>, A::Error> {
        T::from_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Parsed<T>, A::Error> {
        T::from_object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ApiKey, Computer, KeyWithSecret, ListSeed, Policy, read};
    use super::*;

    fn computers(list: &str) -> (Vec<Computer>, usize) {
        let body = format!(r#"{{"computers":[{list}]}}"#);
        let (read, nulled) = count_nulled(|| read(body.as_bytes(), ListSeed::<Computer>::new()));
        (read.unwrap(), nulled)
    }

    #[test]
    fn unexpected_type_nulls_its_field_only() {
        let nulled = r#"{"ID":1,"hostName":"a","description":7,"policyID":"3","groupID":2,
            "lastAgentCommunication":"2024-03-01T00:00:00Z","lastSendPolicyRequest":1700000000000.5,
            "computerStatus":{"agentStatus":"active","agentStatusMessages":["up",null]},
            "firewall":{"state":{"is":"on"},"ruleIDs":[1,null,3],"blockUnrecognized":"false","moduleStatus":[]},
            "antiMalware":"on"}"#;
        let (computers, nulled) =
            computers(&format!(r#"{nulled},{{"ID":2,"hostName":"b","policyID":3}}"#));
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
        assert_eq!((second.policy_id, nulled), (Some(3), 10));
    }

    #[test]
    fn absent_and_null_fields_are_not_counted() {
        let (computers, nulled) =
            computers(r#"{"ID":1,"policyID":null,"firewall":{"ruleIDs":null,"state":"on"}}"#);
        assert_eq!((computers[0].policy_id, nulled), (None, 0));
    }

    #[test]
    fn ids_names_and_secrets_stay_strict() {
        for list in
            [r#"{"ID":"1"}"#, r#"{"ID":1.5}"#, r#"{"ID":null}"#, "null", r#"{"ID":1,"hostName":7}"#]
        {
            let body = format!(r#"{{"computers":[{list}]}}"#);
            assert!(read(body.as_bytes(), ListSeed::<Computer>::new()).is_err(), "{list}");
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
    fn minted_key_keeps_its_secret_despite_malformed_dates() {
        let minted =
            r#"{"ID":1,"keyName":"k","created":"yesterday","expiryDate":1.5,"secretKey":"2:abc"}"#;
        let (minted, nulled) =
            count_nulled(|| serde_json::from_str::<KeyWithSecret>(minted).unwrap());
        assert_eq!((minted.secret.expose(), minted.key.created, nulled), ("2:abc", None, 2));
    }
}
