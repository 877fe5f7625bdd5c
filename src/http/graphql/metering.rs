//! Charges every value of a response to its meter where the library resolves it. Lists that are
//! resolved inline charge their own values.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo,
};
use async_graphql::{Data, Response, ServerResult, Value};

use super::subscription::EventAdmission;
use crate::budget::ResponseMeter;
use crate::error::{Result, request_error_of};
use crate::graphql::weigh;

/// The extension of the schema that charges values.
pub struct Metering;

impl ExtensionFactory for Metering {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Meter::default())
    }
}

/// Charges the values of one request.
#[derive(Default)]
struct Meter {
    /// The meter of the subscription event that is being executed; events come one by one.
    of_event: Mutex<Option<Arc<ResponseMeter>>>,
}

impl Meter {
    fn of_event(&self) -> MutexGuard<'_, Option<Arc<ResponseMeter>>> {
        self.of_event.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn charge(&self, ctx: &ExtensionContext<'_>, value: &Value) -> Result<()> {
        if let Some(meter) = ctx.data_opt::<Arc<ResponseMeter>>() {
            return meter.charge(weigh(value));
        }
        match &*self.of_event() {
            Some(meter) => meter.charge(weigh(value)),
            None => Ok(()),
        }
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Meter {
    /// Executes an event of a subscription under the permits of an operation.
    async fn execute(
        &self,
        ctx: &ExtensionContext<'_>,
        operation_name: Option<&str>,
        next: NextExecute<'_>,
    ) -> Response {
        let Some(events) = ctx.data_opt::<EventAdmission>() else {
            return next.run(ctx, operation_name).await;
        };
        let (running, meter) = match events.admit().await {
            Ok(admitted) => admitted,
            Err(error) => return Response::from_errors(vec![request_error_of(&error)]),
        };
        *self.of_event() = Some(meter.clone());
        let mut data = Data::default();
        // Lists that are resolved inline look for it.
        data.insert(meter.clone());
        let response = next.run_with_data(ctx, operation_name, data).await;
        *self.of_event() = None;
        drop(running);
        match meter.failure() {
            Some(error) => Response::from_errors(vec![request_error_of(error)]),
            None => response,
        }
    }

    async fn resolve(
        &self,
        ctx: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let position = info.field.name.pos;
        let value = next.run(ctx, info).await?;
        if let Some(value) = &value {
            self.charge(ctx, value)
                .map_err(|error| async_graphql::Error::from(error).into_server_error(position))?;
        }
        Ok(value)
    }
}
