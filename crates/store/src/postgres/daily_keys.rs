//! Nodes of one database seal codes with the same daily keys: one that has others could read no code
//! that another has stored, and no other could read its own.

use super::link::Link;
use crate::sql::Connection;
use crate::sql::cells::{Cells, one};
use crate::sql::fault::Fault;
use crate::sql::params;
use crate::vault::Vault;

/// What stands in the way of this node, if anything does. The first node of a database decides.
pub(super) fn disagreement(link: &Link, vault: &Vault) -> Result<Option<String>, Fault> {
    let (ours, file) = vault.chain();
    let note = "INSERT INTO daily_keys (one, chain) VALUES (1, ?1) ON CONFLICT (one) DO NOTHING";
    link.execute(note, params![ours])?;
    let known = one(link, "SELECT chain FROM daily_keys", &[], |row| {
        Cells::new("daily_keys", row).take::<String>()
    })?;
    Ok(known.filter(|known| *known != ours).map(|known| {
        format!(
            "its nodes seal codes with the daily keys {known}, this one has others ({ours}): copy the \
             file chain of a running node to {}, or give all nodes one secrets.daily_keys_dir; if no \
             node has it any more, stop every node and run tollgate restore: codes of before stay \
             unreadable",
            file.display()
        )
    }))
}
