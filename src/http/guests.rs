//! Those who stay longer than a request: WebSockets and event streams, and mutations whose caller
//! may have gone.

use std::time::Duration;

use tokio::sync::watch;

/// How long a stream may take to end once it is asked to.
const LEAVING: Duration = Duration::from_secs(4);

/// Everybody who stays.
pub struct Guests {
    asked: watch::Sender<bool>,
    present: watch::Sender<()>,
}

/// One who stays, for as long as this lives.
pub struct Guest {
    asked: watch::Receiver<bool>,
    _present: watch::Receiver<()>,
}

impl Default for Guests {
    fn default() -> Self {
        Self { asked: watch::Sender::new(false), present: watch::Sender::new(()) }
    }
}

impl Guests {
    /// One more.
    pub fn enter(&self) -> Guest {
        Guest { asked: self.asked.subscribe(), _present: self.present.subscribe() }
    }

    /// Asks all to leave, and waits until they have.
    pub async fn ask_to_leave(&self) {
        self.asked.send_replace(true);
        self.present.closed().await;
    }
}

impl Guest {
    /// Done once all are asked to leave.
    pub async fn asked_to_leave(&mut self) {
        wait(&mut self.asked).await;
    }

    /// Done once the time to leave is over.
    pub fn overstayed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut asked = self.asked.clone();
        async move {
            wait(&mut asked).await;
            tokio::time::sleep(LEAVING).await;
        }
    }
}

async fn wait(asked: &mut watch::Receiver<bool>) {
    // A sender that is gone means the same.
    asked.wait_for(|asked| *asked).await.ok();
}
