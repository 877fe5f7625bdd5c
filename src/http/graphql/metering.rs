//! Counts every value of a response where the library resolves it. Lists that are written row by
//! row count their own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_graphql::extensions::{
    Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo,
};
use async_graphql::{Data, Response, ServerResult, Value};

use super::execute::EventAdmission;
use super::outcome::failure_of;
use crate::budget::ResponseMeter;
use crate::error::Result;
use crate::graphql::weigh;

/// The extension of the library that counts.
pub struct Metering;

impl ExtensionFactory for Metering {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Meter::default())
    }
}

/// What counts the values of one request.
#[derive(Default)]
struct Meter {
    /// That of the event of a subscription that is being executed: they come one after the other.
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
            Err(error) => return Response::from_errors(vec![failure_of(&error)]),
        };
        *self.of_event() = Some(meter.clone());
        let mut data = Data::default();
        // What lists that are written row by row look for.
        data.insert(meter.clone());
        let response = next.run_with_data(ctx, operation_name, data).await;
        *self.of_event() = None;
        drop(running);
        match meter.failure() {
            Some(error) => Response::from_errors(vec![failure_of(error)]),
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
