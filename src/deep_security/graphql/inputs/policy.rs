//! Inputs that create and change policies.

use async_graphql::{ID, InputObject, MaybeUndefined};
use serde_json::{Map, Value};

use super::{put, put_reference, short_name, vendor_text};
use crate::deep_security::graphql::criteria::plain_text;
use crate::deep_security::graphql::enums::{
    DeepSecurityModuleState, DeepSecurityScanMode, DeepSecuritySwitch, VendorEnum,
};
use crate::deep_security::model::{IdScope, reference};
use crate::error::{Error, Result};
use crate::global_id::NodeKind;

/// The settings of a security module of a policy. Omitted fields stay unchanged, or are inherited
/// by a new policy.
#[derive(InputObject)]
pub struct DeepSecurityModuleInput {
    /// The module's state: PREVENT, DETECT or OFF for intrusion prevention; REAL_TIME, ON or OFF
    /// for integrity monitoring; ON or OFF for the others; INHERITED for all.
    state: Option<DeepSecurityModuleState>,
    /// The vendor's ids of the rules that the policy assigns: firewall, intrusion prevention,
    /// integrity monitoring and log inspection.
    #[graphql(name = "ruleIDs")]
    rule_ids: Option<Vec<ID>>,
}

/// The settings of a policy. Omitted modules stay unchanged.
#[derive(InputObject)]
pub struct DeepSecurityPolicyInput {
    /// The policy's name, 1 to 254 characters; unique in the tenant.
    name: String,
    /// The id of the parent policy; null moves the policy to the top.
    #[graphql(name = "parentID")]
    parent_id: MaybeUndefined<ID>,
    /// The description.
    description: Option<String>,
    /// Whether changes of the policy are sent to computers automatically.
    auto_requires_update: Option<DeepSecuritySwitch>,
    /// Whether recommendation scans run continuously.
    recommendation_scan_mode: Option<DeepSecurityScanMode>,
    /// The anti-malware module.
    anti_malware: Option<DeepSecurityModuleInput>,
    /// The web reputation module.
    web_reputation: Option<DeepSecurityModuleInput>,
    /// The activity monitoring module.
    activity_monitoring: Option<DeepSecurityModuleInput>,
    /// The firewall module.
    firewall: Option<DeepSecurityModuleInput>,
    /// The intrusion prevention module.
    intrusion_prevention: Option<DeepSecurityModuleInput>,
    /// The integrity monitoring module.
    integrity_monitoring: Option<DeepSecurityModuleInput>,
    /// The log inspection module.
    log_inspection: Option<DeepSecurityModuleInput>,
    /// The application control module.
    application_control: Option<DeepSecurityModuleInput>,
    /// The module that protects SAP systems.
    sap: Option<DeepSecurityModuleInput>,
}

impl DeepSecurityPolicyInput {
    /// Validates the policy and returns its body.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field; `NOT_FOUND` for a global id of another type or scope.
    pub fn check(self, ids: IdScope) -> Result<Value> {
        let mut body = Map::new();
        body.insert("name".to_owned(), short_name("name", &self.name)?.into());
        put_reference(&mut body, "parentID", self.parent_id, |text| {
            ids.reference("parentID", NodeKind::DeepSecurityPolicy, text)
        })?;
        put(
            &mut body,
            "description",
            self.description.map(|text| plain_text("description", text)).transpose()?,
        );
        put(
            &mut body,
            "autoRequiresUpdate",
            vendor_text("autoRequiresUpdate", self.auto_requires_update)?,
        );
        let mode = vendor_text("recommendationScanMode", self.recommendation_scan_mode)?;
        put(&mut body, "recommendationScanMode", mode);
        for (name, module, states) in [
            ("antiMalware", self.anti_malware, SWITCHED),
            ("webReputation", self.web_reputation, SWITCHED),
            ("activityMonitoring", self.activity_monitoring, SWITCHED),
            ("firewall", self.firewall, SWITCHED),
            ("intrusionPrevention", self.intrusion_prevention, DETECTING),
            ("integrityMonitoring", self.integrity_monitoring, MONITORING),
            ("logInspection", self.log_inspection, SWITCHED),
            ("applicationControl", self.application_control, SWITCHED),
            ("SAP", self.sap, SWITCHED),
        ] {
            put(&mut body, name, module.map(|module| module.check(name, states)).transpose()?);
        }
        Ok(body.into())
    }
}

const SWITCHED: &[&str] = &["on", "off", "inherited"];
const DETECTING: &[&str] = &["prevent", "detect", "off", "inherited"];
const MONITORING: &[&str] = &["real-time", "on", "off", "inherited"];
const RULES_MAX: usize = 10_000;

impl DeepSecurityModuleInput {
    fn check(self, name: &str, states: &[&str]) -> Result<Value> {
        let mut body = Map::new();
        if let Some(state) = self.state {
            let word = state.as_vendor().filter(|word| states.contains(word));
            let word = word.ok_or_else(|| {
                Error::bad_input(&format!("{name}.state"), "is not a state of this module")
            })?;
            body.insert("state".to_owned(), word.into());
        }
        if let Some(ids) = self.rule_ids {
            let argument = format!("{name}.ruleIDs");
            if ids.len() > RULES_MAX {
                return Err(Error::bad_input(&argument, "must have at most 10000 entries"));
            }
            let ids: Vec<i64> =
                ids.iter().map(|id| reference(&argument, id)).collect::<Result<_>>()?;
            body.insert("ruleIDs".to_owned(), ids.into());
        }
        Ok(body.into())
    }
}
