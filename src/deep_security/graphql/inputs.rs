//! What the graph takes from callers, and how it becomes valid.

use async_graphql::{ID, InputObject, MaybeUndefined};
use serde_json::{Map, Value};

use super::choices::{DeepSecurityLocale, DeepSecurityModuleState, DeepSecurityScanMode, DeepSecuritySwitch};
use super::criteria::plain;
use crate::clock::Timestamp;
use crate::deep_security::model::reference;
use crate::deep_security::wire::KeyBody;
use crate::error::{Error, Result};
use crate::names::Name;
use crate::upstreams;

/// An API key to be made.
#[derive(InputObject)]
pub struct CreateDeepSecurityApiKeyInput {
    /// 1 to 254 characters; names need not be unique.
    key_name: String,
    /// Its role, of the same tenant. `roles` finds it by its name.
    #[graphql(name = "roleID")]
    role_id: ID,
    /// What it is for.
    description: Option<String>,
    /// Its language and country.
    locale: Option<DeepSecurityLocale>,
    /// The IANA name of the zone in which it reads dates.
    time_zone: Option<String>,
    /// When it ends, in RFC 3339 and in the future.
    expiry_date: Option<String>,
}

/// What to change of an API key; what is absent stays.
#[derive(InputObject)]
pub struct UpdateDeepSecurityApiKeyInput {
    /// A new name.
    key_name: Option<String>,
    /// What it is for.
    description: Option<String>,
    /// Another role, of the same tenant.
    #[graphql(name = "roleID")]
    role_id: Option<ID>,
    /// Whether it works; a locked one does not.
    active: Option<bool>,
    /// Its language and country.
    locale: Option<DeepSecurityLocale>,
    /// The IANA name of the zone in which it reads dates.
    time_zone: Option<String>,
    /// When it ends, in RFC 3339 and in the future.
    expiry_date: Option<String>,
}

impl CreateDeepSecurityApiKeyInput {
    /// Checks the key.
    pub fn check(self, now: Timestamp) -> Result<KeyBody> {
        Ok(KeyBody {
            key_name: Some(key_name(&self.key_name)?),
            role_id: Some(reference("roleID", &self.role_id)?),
            description: self.description.map(|text| plain("description", text)).transpose()?,
            locale: self.locale.map(locale).transpose()?,
            time_zone: self.time_zone.map(time_zone).transpose()?,
            expiry_date: self.expiry_date.map(|date| expiry(&date, now)).transpose()?,
            active: None,
        })
    }
}

impl UpdateDeepSecurityApiKeyInput {
    /// Checks the change.
    pub fn check(self, now: Timestamp) -> Result<KeyBody> {
        Ok(KeyBody {
            key_name: self.key_name.map(|name| key_name(&name)).transpose()?,
            role_id: self.role_id.map(|id| reference("roleID", &id)).transpose()?,
            description: self.description.map(|text| plain("description", text)).transpose()?,
            locale: self.locale.map(locale).transpose()?,
            time_zone: self.time_zone.map(time_zone).transpose()?,
            expiry_date: self.expiry_date.map(|date| expiry(&date, now)).transpose()?,
            active: self.active,
        })
    }
}

fn key_name(name: &str) -> Result<String> {
    let name = Name::parse("keyName", name)?;
    match name.as_str().chars().count() {
        0..=254 => Ok(name.as_str().to_owned()),
        _ => Err(Error::bad_input("keyName", "must have 1 to 254 characters")),
    }
}

fn locale(locale: DeepSecurityLocale) -> Result<&'static str> {
    locale.word().ok_or_else(|| Error::bad_input("locale", "must be one that is known"))
}

fn time_zone(name: String) -> Result<String> {
    upstreams::model::time_zone(Some(name))
}

fn expiry(date: &str, now: Timestamp) -> Result<i64> {
    let date = Timestamp::parse("expiryDate", date)?;
    match date > now {
        true => Ok(date.millis()),
        false => Err(Error::bad_input("expiryDate", "must be in the future")),
    }
}

/// What a policy says of a security module; what is absent stays, or is inherited by a new policy.
#[derive(InputObject)]
pub struct DeepSecurityModuleInput {
    /// Whether it is on, and how: PREVENT, DETECT or OFF for intrusion prevention, REAL_TIME, ON or OFF for integrity monitoring, ON
    /// or OFF for the others; INHERITED for all.
    state: Option<DeepSecurityModuleState>,
    /// The rules that it assigns: firewall, intrusion prevention, integrity monitoring and log inspection.
    #[graphql(name = "ruleIDs")]
    rule_ids: Option<Vec<ID>>,
}

/// A policy to be made, or what it is to be from now on. Modules that are absent stay as they are.
#[derive(InputObject)]
pub struct DeepSecurityPolicyInput {
    /// 1 to 254 characters; unique in the tenant.
    name: String,
    /// The policy that it inherits from; null puts it at the top.
    #[graphql(name = "parentID")]
    parent_id: MaybeUndefined<ID>,
    /// What it is for.
    description: Option<String>,
    /// Whether changes reach computers by themselves.
    auto_requires_update: Option<DeepSecuritySwitch>,
    /// Whether recommendation scans go on by themselves.
    recommendation_scan_mode: Option<DeepSecurityScanMode>,
    /// Anti-malware.
    anti_malware: Option<DeepSecurityModuleInput>,
    /// Web reputation.
    web_reputation: Option<DeepSecurityModuleInput>,
    /// Activity monitoring.
    activity_monitoring: Option<DeepSecurityModuleInput>,
    /// Firewall.
    firewall: Option<DeepSecurityModuleInput>,
    /// Intrusion prevention.
    intrusion_prevention: Option<DeepSecurityModuleInput>,
    /// Integrity monitoring.
    integrity_monitoring: Option<DeepSecurityModuleInput>,
    /// Log inspection.
    log_inspection: Option<DeepSecurityModuleInput>,
    /// Application control.
    application_control: Option<DeepSecurityModuleInput>,
    /// Protection of SAP systems.
    sap: Option<DeepSecurityModuleInput>,
}

impl DeepSecurityPolicyInput {
    /// Checks the policy, and gives its body.
    pub fn check(self) -> Result<Value> {
        let mut body = Map::new();
        let name = Name::parse("name", &self.name)?;
        body.insert("name".to_owned(), name.as_str().into());
        put_reference(&mut body, "parentID", self.parent_id)?;
        put(&mut body, "description", self.description.map(|text| plain("description", text)).transpose()?);
        put(
            &mut body,
            "autoRequiresUpdate",
            known("autoRequiresUpdate", self.auto_requires_update.map(|it| it.word()))?,
        );
        let mode = known("recommendationScanMode", self.recommendation_scan_mode.map(|it| it.word()))?;
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
            let word = state.word().filter(|word| states.contains(word));
            let word = word.ok_or_else(|| Error::bad_input(&format!("{name}.state"), "is no state of this module"))?;
            body.insert("state".to_owned(), word.into());
        }
        if let Some(ids) = self.rule_ids {
            let place = format!("{name}.ruleIDs");
            if ids.len() > RULES_MAX {
                return Err(Error::bad_input(&place, "must have at most 10000 entries"));
            }
            let ids: Vec<i64> = ids.iter().map(|id| reference(&place, id)).collect::<Result<_>>()?;
            body.insert("ruleIDs".to_owned(), ids.into());
        }
        Ok(body.into())
    }
}

/// What to change of a computer; what is absent stays.
#[derive(InputObject)]
pub struct UpdateDeepSecurityComputerInput {
    /// The policy to use; null removes it.
    #[graphql(name = "policyID")]
    policy_id: MaybeUndefined<ID>,
    /// The name for people.
    display_name: Option<String>,
    /// What it is.
    description: Option<String>,
    /// The name or address by which the manager knows it.
    host_name: Option<String>,
    /// The group to stand in; null takes it out of all groups.
    #[graphql(name = "groupID")]
    group_id: MaybeUndefined<ID>,
    /// How important it is; null takes that back.
    #[graphql(name = "assetImportanceID")]
    asset_importance_id: MaybeUndefined<ID>,
    /// Where it gets its updates from; null takes that back.
    #[graphql(name = "relayListID")]
    relay_list_id: MaybeUndefined<ID>,
}

impl UpdateDeepSecurityComputerInput {
    /// Checks the change, and gives its body.
    pub fn check(self) -> Result<Value> {
        let mut body = Map::new();
        put_reference(&mut body, "policyID", self.policy_id)?;
        put_reference(&mut body, "groupID", self.group_id)?;
        put_reference(&mut body, "assetImportanceID", self.asset_importance_id)?;
        put_reference(&mut body, "relayListID", self.relay_list_id)?;
        put(&mut body, "displayName", self.display_name.map(|text| plain("displayName", text)).transpose()?);
        put(&mut body, "description", self.description.map(|text| plain("description", text)).transpose()?);
        let host_name = self.host_name.map(|name| Name::parse("hostName", &name)).transpose()?;
        put(&mut body, "hostName", host_name.map(|name| name.as_str().to_owned()));
        if body.is_empty() {
            return Err(Error::bad_input("input", "must change something"));
        }
        Ok(body.into())
    }
}

fn put(body: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body.insert(name.to_owned(), value.into());
    }
}

/// The vendor writes null as 0, and leaves alone what is null.
fn put_reference(body: &mut Map<String, Value>, name: &str, id: MaybeUndefined<ID>) -> Result<()> {
    let id = match id {
        MaybeUndefined::Undefined => return Ok(()),
        MaybeUndefined::Null => 0,
        MaybeUndefined::Value(id) => reference(name, &id)?,
    };
    body.insert(name.to_owned(), id.into());
    Ok(())
}

fn known(argument: &str, word: Option<Option<&'static str>>) -> Result<Option<&'static str>> {
    match word {
        Some(None) => Err(Error::bad_input(argument, "must be one that is known")),
        word => Ok(word.flatten()),
    }
}
