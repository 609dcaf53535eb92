//! The demo's pool of own numbers: bringing them in, and playing whoever writes to one that is
//! rented. What is written goes to the practice carrier, which tells the gateway as any carrier does.

use crate::admin::Office;
use crate::settings::demo::POOL;
use app::{AdminError, OwnNumbers};
use domain::own_number::{Allocation, BadNumber, NewNumber};
use sandbox::Letter;
use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::sync::oneshot::Receiver;

/// Between two looks at who rents a number.
const LOOK: Duration = Duration::from_millis(250);

/// Brings the pool's numbers in, those that are missing.
pub async fn stock(numbers: &OwnNumbers) -> anyhow::Result<()> {
    let read = |one: sandbox::PoolNumber| NewNumber::read(POOL, &one.phone, one.country);
    let rows: Result<Vec<NewNumber>, BadNumber> =
        sandbox::pool_numbers().into_iter().map(read).collect();
    let rows = rows.map_err(|BadNumber(why)| anyhow::anyhow!("the demo's pool: {why}"))?;
    numbers.add(POOL, rows).await?;
    Ok(())
}

/// Writes to every number that is rented, at its time and until the message was taken.
pub async fn write_letters(office: Receiver<(Office, SocketAddr)>, sandbox: &str) -> Infallible {
    let Ok((office, address)) = office.await else {
        return std::future::pending().await;
    };
    let url = format!("http://{address}/hooks/twilio/sms");
    let mut written: HashMap<i64, usize> = HashMap::new();
    loop {
        tokio::time::sleep(LOOK).await;
        match write_due(&office, (sandbox, &url), &written).await {
            Ok(now) => written = now,
            Err(error) => tracing::warn!(%error, "the demo's pool could not be looked at"),
        }
    }
}

/// Letters written so far by rent; rents that are over are forgotten.
async fn write_due(
    office: &Office,
    (sandbox, url): (&str, &str),
    written: &HashMap<i64, usize>,
) -> Result<HashMap<i64, usize>, AdminError> {
    let mut now_written = HashMap::new();
    for rent in office.numbers.rented(POOL).await? {
        let mut count = written.get(&rent.id).copied().unwrap_or(0);
        if let Some(letter) = due(&rent, count, office, url) {
            match letter.send(sandbox).await {
                Ok(()) => count += 1,
                Err(error) => tracing::warn!(%error, "the practice carrier took no message"),
            }
        }
        now_written.insert(rent.id, count);
    }
    Ok(now_written)
}

/// The next letter to a rented number, if its time has come. After a restart they are written
/// again under the same ids: each counts once.
fn due(rent: &Allocation, count: usize, office: &Office, url: &str) -> Option<Letter> {
    let age = office.engine.now() - rent.begun_at;
    let (at_ms, text) = sandbox::letters(rent.id, &rent.wanted.service)
        .into_iter()
        .nth(count)?;
    (age.0 >= at_ms).then(|| Letter {
        id: format!("SM{:020}{count:012}", rent.id),
        to: rent.phone.to_string(),
        text,
        url: url.to_owned(),
    })
}
