//! Serializes computers and policies with inherited values (reference, sections 6 and 8).

use std::collections::HashMap;

use serde_json::Value;

use super::inheritance::{Inheritance, overlay};
use super::modules::{self, MODULES};
use super::object::{Object, reference};
use super::view::{SUMMARIES, View};
use super::{parts, settings};
use crate::answer::json;

/// Inherited members as JSON.
type Texts = HashMap<String, Vec<u8>>;

/// Serializes the computers of a snapshot of one tenant.
pub(crate) struct ComputerView {
    view: View,
    inheritance: Inheritance,
    /// The inherited members of computers with that policy, with or without an agent. They are
    /// serialized once, because the settings make up most of a list.
    inherited: HashMap<(Option<i32>, bool), Texts>,
}

impl ComputerView {
    pub fn new(view: View, inheritance: Inheritance) -> Self {
        Self { view, inheritance, inherited: HashMap::new() }
    }

    pub fn show(&mut self, computer: &Object) -> Vec<u8> {
        let mut members = Members(Vec::new());
        if self.view.overrides {
            self.add_overrides(computer, &mut members);
        } else {
            let plain = |name: &str| {
                !MODULES.contains(&name) && !SUMMARIES.contains(&name) && name != settings::OWN
            };
            for (name, value) in computer.iter().filter(|(name, _)| plain(name)) {
                members.add(name, &json(value));
            }
            self.add_parts(computer, &mut members);
        }
        members.into_object()
    }

    /// Adds the overrides, and the ID if there is any.
    fn add_overrides(&self, computer: &Object, members: &mut Members) {
        let parts = self.view.parts.iter().filter(|part| inheritable(part));
        for (part, own) in parts.filter_map(|part| Some((part, computer.get(own_name(part))?))) {
            members.add(part, &json(own));
        }
        if !members.0.is_empty() {
            members.add("ID", &json(&computer["ID"]));
        }
    }

    fn add_parts(&mut self, computer: &Object, members: &mut Members) {
        let has_agent = computer.contains_key("agentFingerPrint");
        let policy = reference(computer, "policyID");
        let below = self.inheritance.below(policy);
        let ready =
            self.inherited.entry((policy, has_agent)).or_insert_with(|| texts(&below, has_agent));
        for &part in &self.view.parts {
            let name = own_name(part);
            match computer.get(name).filter(|_| inheritable(part)) {
                Some(own) => {
                    let both = with_status(name, overlay(&below[name], Some(own)), has_agent);
                    members.add(part, &json(&both));
                }
                None if inheritable(part) => members.add(part, &ready[name]),
                None => {
                    if let Some(value) = parts::of(computer, part) {
                        members.add(part, &json(&value));
                    }
                }
            }
        }
    }
}

/// The members of an object being serialized.
struct Members(Vec<u8>);

impl Members {
    fn add(&mut self, name: &str, value: &[u8]) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        self.0.extend_from_slice(&json(&name));
        self.0.push(b':');
        self.0.extend_from_slice(value);
    }

    fn into_object(mut self) -> Vec<u8> {
        if self.0.is_empty() {
            self.0.push(b'{');
        }
        self.0.push(b'}');
        self.0
    }
}

fn inheritable(part: &str) -> bool {
    MODULES.contains(&part) || part == "computerSettings"
}

fn own_name(part: &str) -> &str {
    if part == "computerSettings" { settings::OWN } else { part }
}

fn texts(below: &Object, has_agent: bool) -> Texts {
    below
        .iter()
        .map(|(name, value)| (name.clone(), json(&with_status(name, value.clone(), has_agent))))
        .collect()
}

fn with_status(name: &str, value: Value, has_agent: bool) -> Value {
    match value.as_object().filter(|_| MODULES.contains(&name)) {
        Some(module) => modules::on_computer(module, has_agent),
        None => value,
    }
}

/// A policy with inherited values, or with its overrides only.
pub(crate) fn policy(policy: &Object, inheritance: &mut Inheritance, overrides: bool) -> Object {
    let above = inheritance.below(reference(policy, "parentID"));
    let own = |name: &String| policy.get(name).cloned();
    let mut shown: Object = if overrides {
        above.keys().filter_map(|name| Some((name.clone(), own(name)?))).collect()
    } else {
        above
            .iter()
            .map(|(name, above)| {
                (name.clone(), policy_part(name, overlay(above, policy.get(name))))
            })
            .collect()
    };
    if let Some(settings) = shown.remove(settings::OWN) {
        shown.insert("policySettings".to_owned(), settings);
    }
    let plain = ["ID", "parentID", "name", "description"];
    let plain = if overrides { &plain[..usize::from(!shown.is_empty())] } else { &plain[..] };
    shown.extend(
        plain.iter().filter_map(|&name| Some((name.to_owned(), policy.get(name)?.clone()))),
    );
    shown
}

fn policy_part(name: &str, value: Value) -> Value {
    match value.as_object().filter(|_| MODULES.contains(&name)) {
        Some(module) => modules::on_policy(module),
        None => value,
    }
}
