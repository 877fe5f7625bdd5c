//! Counts every value of a response where the library resolves it. Lists that are written row by
//! row count their own.

use std::sync::Arc;

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextResolve, ResolveInfo,
};
use async_graphql::{ServerResult, Value};

use crate::auth::graphql::weigh;
use crate::budget::ResponseMeter;
use crate::error::Error;

/// The extension of the library that counts.
pub struct Metering;

impl ExtensionFactory for Metering {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Metering {
    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let position = info.field.name.pos;
        let value = next.run(ctx, info).await?;
        if let (Some(value), Some(meter)) = (&value, ctx.data_opt::<Arc<ResponseMeter>>()) {
            let charged = meter.charge(weigh(value));
            charged.map_err(|error: Error| {
                async_graphql::Error::from(error).into_server_error(position)
            })?;
        }
        Ok(value)
    }
}
