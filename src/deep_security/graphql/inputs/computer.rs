//! Inputs that change computers.

use async_graphql::{ID, InputObject, MaybeUndefined};
use serde_json::{Map, Value};

use super::{put, put_reference};
use crate::deep_security::graphql::criteria::plain_text;
use crate::deep_security::model::{IdScope, reference};
use crate::error::{Error, Result};
use crate::global_id::NodeKind;
use crate::names::Name;

/// Changes of a computer. Omitted fields stay unchanged.
#[derive(InputObject)]
pub struct UpdateDeepSecurityComputerInput {
    /// The id of the policy to assign; null removes the policy.
    #[graphql(name = "policyID")]
    policy_id: MaybeUndefined<ID>,
    /// The display name.
    display_name: Option<String>,
    /// The description.
    description: Option<String>,
    /// The host name or IP address by which the manager knows the computer.
    host_name: Option<String>,
    /// The vendor's id of the computer's group; null removes the computer from its group.
    #[graphql(name = "groupID")]
    group_id: MaybeUndefined<ID>,
    /// The vendor's id of the asset importance; null removes it.
    #[graphql(name = "assetImportanceID")]
    asset_importance_id: MaybeUndefined<ID>,
    /// The vendor's id of the relay list; null removes it.
    #[graphql(name = "relayListID")]
    relay_list_id: MaybeUndefined<ID>,
}

impl UpdateDeepSecurityComputerInput {
    /// Validates the change and returns its body.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field; `NOT_FOUND` for a global id of another type or scope.
    pub fn check(self, ids: IdScope) -> Result<Value> {
        let mut body = Map::new();
        put_reference(&mut body, "policyID", self.policy_id, |text| {
            ids.reference("policyID", NodeKind::DeepSecurityPolicy, text)
        })?;
        put_reference(&mut body, "groupID", self.group_id, |text| reference("groupID", text))?;
        put_reference(&mut body, "assetImportanceID", self.asset_importance_id, |text| {
            reference("assetImportanceID", text)
        })?;
        put_reference(&mut body, "relayListID", self.relay_list_id, |text| {
            reference("relayListID", text)
        })?;
        put(
            &mut body,
            "displayName",
            self.display_name.map(|text| plain_text("displayName", text)).transpose()?,
        );
        put(
            &mut body,
            "description",
            self.description.map(|text| plain_text("description", text)).transpose()?,
        );
        let host_name = self.host_name.map(|name| Name::parse("hostName", &name)).transpose()?;
        put(&mut body, "hostName", host_name.map(|name| name.as_str().to_owned()));
        if body.is_empty() {
            return Err(Error::bad_input("input", "must contain at least one change"));
        }
        Ok(body.into())
    }
}
