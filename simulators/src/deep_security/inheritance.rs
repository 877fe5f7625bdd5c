//! The values that computers and policies inherit from policies.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::object::{Collection, Object, reference};
use super::{modules, settings};

/// A snapshot of the policies of a tenant.
pub(crate) struct Inheritance {
    policies: Collection,
    base: Arc<Object>,
    known: HashMap<Option<i32>, Arc<Object>>,
}

impl Inheritance {
    /// `tenant_defaults` are the tenant's changes of the manager's defaults (`/policies/default`).
    pub fn new(policies: Collection, tenant_defaults: &Object) -> Self {
        Self {
            policies,
            base: Arc::new(overlaid(&built_in(), tenant_defaults)),
            known: HashMap::new(),
        }
    }

    /// The values that an object with that policy or parent inherits.
    pub fn below(&mut self, policy: Option<i32>) -> Arc<Object> {
        if let Some(known) = self.known.get(&policy) {
            return known.clone();
        }
        let found = policy.and_then(|id| self.policies.get(id)).cloned();
        let effective = match found {
            Some(policy) => {
                Arc::new(overlaid(&self.below(reference(&policy, "parentID")), &policy))
            }
            None => self.base.clone(),
        };
        self.known.insert(policy, effective.clone());
        effective
    }
}

/// The manager's default of every inherited member.
fn built_in() -> Object {
    let mut defaults = modules::defaults();
    defaults.insert(settings::OWN.to_owned(), settings::defaults().into());
    defaults.insert("recommendationScanMode".to_owned(), json!("off"));
    defaults.insert("autoRequiresUpdate".to_owned(), json!("on"));
    defaults.insert("interfaceTypes".to_owned(), json!({ "interfaceTypes": [] }));
    defaults
}

/// The inherited members of `base`, overridden by `own` member by member.
pub(crate) fn overlaid(base: &Object, own: &Object) -> Object {
    base.iter().map(|(name, inherited)| (name.clone(), overlay(inherited, own.get(name)))).collect()
}

/// One inherited member, overridden by the object's own value.
pub(crate) fn overlay(inherited: &Value, own: Option<&Value>) -> Value {
    match (inherited, own) {
        (Value::Object(inherited), Some(Value::Object(own))) => {
            let mut both = inherited.clone();
            both.extend(own.clone());
            both.into()
        }
        (_, own) => own.unwrap_or(inherited).clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(value: Value) -> Object {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn policy_inherits_unset_values_from_its_parent() {
        let mut policies = Collection::default();
        let parent =
            json!({"name": "P", "intrusionPrevention": {"state": "prevent", "ruleIDs": [1]}});
        let parent = policies.add(policy(parent));
        let child =
            json!({"name": "C", "parentID": parent, "intrusionPrevention": {"state": "detect"}});
        let child = policies.add(policy(child));
        let defaults = policy(json!({"firewall": {"state": "on"}}));
        let effective = Inheritance::new(policies, &defaults).below(Some(child));
        assert_eq!(effective["intrusionPrevention"], json!({"state": "detect", "ruleIDs": [1]}));
        assert_eq!(effective["firewall"], json!({"state": "on"}));
        assert_eq!(effective["antiMalware"], json!({"state": "off"}));
    }
}
