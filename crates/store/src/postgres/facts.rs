//! What a server says of itself, and whether money may rest on it.

use crate::sql::Connection;
use crate::sql::cells::{Cells, one};
use crate::sql::fault::Fault;

/// The oldest server that is supported.
const OLDEST: i64 = 140_000;

/// What a server says of itself.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// 160_002 is 16.2.
    version: i64,
    standby: bool,
    /// Somebody has set the database or the role to read-only.
    read_only: bool,
    fsync: String,
    full_page_writes: String,
    encoding: String,
}

impl Facts {
    /// Asks.
    pub(super) fn of(conn: &dyn Connection) -> Result<Self, Fault> {
        // our sessions set read-only themselves: what they began with is what somebody has set
        let sql = "SELECT current_setting('server_version_num')::bigint, pg_is_in_recovery(), \
                   EXISTS(SELECT 1 FROM pg_settings \
                   WHERE name = 'default_transaction_read_only' AND reset_val = 'on'), \
                   current_setting('fsync'), current_setting('full_page_writes'), \
                   current_setting('server_encoding')";
        let found = one(conn, sql, &[], |row| {
            let cells = &mut Cells::new("pg_settings", row);
            Ok(Self {
                version: cells.take()?,
                standby: cells.take()?,
                read_only: cells.take()?,
                fsync: cells.take()?,
                full_page_writes: cells.take()?,
                encoding: cells.take()?,
            })
        })?;
        found.ok_or_else(|| Fault::Wrong("does not tell its settings".into()))
    }

    /// Why it cannot be used, if it cannot.
    pub(super) fn unfit(&self) -> Option<String> {
        if self.version < OLDEST {
            let (have, need) = (self.version / 10_000, OLDEST / 10_000);
            return Some(format!("is version {have}; {need} or newer is needed"));
        }
        if self.standby {
            let what = "is a standby and takes no writes; give the address of the primary";
            return Some(what.to_owned());
        }
        if self.read_only {
            let what = "the database is set to read-only: default_transaction_read_only is on for it \
                        or for this user; set it to off";
            return Some(what.to_owned());
        }
        let durable = [
            ("fsync", &self.fsync),
            ("full_page_writes", &self.full_page_writes),
        ];
        let lax = durable.iter().find(|(_, value)| *value != "on");
        if let Some((name, value)) = lax {
            return Some(format!(
                "{name} is {value}: what it acknowledges would not survive a power failure; set it \
                 to on"
            ));
        }
        (self.encoding != "UTF8").then(|| {
            format!(
                "the database is encoded as {}; UTF8 is needed",
                self.encoding
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit() -> Facts {
        Facts {
            version: 140_000,
            standby: false,
            read_only: false,
            fsync: "on".into(),
            full_page_writes: "on".into(),
            encoding: "UTF8".into(),
        }
    }

    #[test]
    fn each_reason_is_told_by_its_own_words() {
        assert_eq!(fit().unfit(), None);
        let why = |change: fn(&mut Facts)| {
            let mut facts = fit();
            change(&mut facts);
            facts.unfit().unwrap_or_default()
        };
        let told = [
            (
                why(|facts| facts.version = 139_999),
                "is version 13; 14 or newer",
            ),
            (why(|facts| facts.standby = true), "address of the primary"),
            (why(|facts| facts.read_only = true), "set to read-only"),
            (why(|facts| facts.fsync = "off".into()), "fsync is off"),
            (
                why(|facts| facts.full_page_writes = "off".into()),
                "full_page_writes is off",
            ),
            (
                why(|facts| facts.encoding = "LATIN1".into()),
                "UTF8 is needed",
            ),
        ];
        for (said, expected) in told {
            assert!(said.contains(expected), "{said:?} lacks {expected:?}");
        }
    }
}
