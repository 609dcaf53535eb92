//! The audit log's chains: how a line is hashed, and what must hold of all lines. No SQL here, and
//! none of the code that writes the rows.

use std::collections::{BTreeMap, HashMap};

use domain::audit_log::{BadLine, Hash, Line, START, Witness};
use domain::ids::AccountId;
use sha2::{Digest, Sha256};

use crate::merkle::Growing;

/// What every hash of a line begins with: the form it is made in.
const FORM: &[u8] = b"tollgate audit line 1\0";

/// Hash of a line: over its place, what it says, and the hash before it in its chain. Texts have
/// their length before them, so that no two lines share their bytes.
pub(crate) fn hash(line: &Line) -> Hash {
    let note = &line.note;
    let mut digest = Sha256::new().chain_update(FORM).chain_update(line.previous);
    let account = note.account.map_or(0, |account| account.0);
    for number in [line.id, account, line.seq, line.at.0] {
        digest.update(number.to_be_bytes());
    }
    let texts = [
        &note.actor,
        &note.action,
        &note.object,
        &note.reason,
        &note.details,
    ];
    for text in texts {
        digest.update(text.len().to_be_bytes());
        digest.update(text.as_bytes());
    }
    digest.finalize().into()
}

/// Looks at lines in the order of their ids until one is wrong.
pub(crate) struct Verifier {
    chains: HashMap<Option<AccountId>, (i64, Hash)>,
    tree: Growing,
    /// Roots that were witnessed, by size.
    roots: BTreeMap<u64, Hash>,
    /// Hashes that were witnessed, by line.
    hashes: HashMap<u64, Hash>,
    /// Lines that a root has confirmed.
    confirmed: u64,
    bad: Option<BadLine>,
}

impl Verifier {
    /// One that compares with these checkpoints.
    pub(crate) fn new(kept: &[Witness]) -> Self {
        let mut verifier = Self {
            chains: HashMap::new(),
            tree: Growing::default(),
            roots: BTreeMap::new(),
            hashes: HashMap::new(),
            confirmed: 0,
            bad: None,
        };
        for witness in kept {
            verifier.witness(witness);
        }
        verifier
    }

    fn witness(&mut self, witness: &Witness) {
        let (size, root) = (witness.checkpoint.size, witness.checkpoint.root);
        if *self.roots.entry(size).or_insert(root) != root {
            self.fail(size, "two checkpoints of this size contradict each other");
        }
        let first = size.saturating_sub(witness.hashes.len() as u64);
        for (line, hash) in (first + 1..).zip(&witness.hashes) {
            if *self.hashes.entry(line).or_insert(*hash) != *hash {
                self.fail(line, "two checkpoints name different hashes of it");
            }
        }
    }

    fn fail(&mut self, id: u64, why: impl Into<String>) {
        let why = why.into();
        if self.bad.as_ref().is_none_or(|bad| id < bad.id) {
            self.bad = Some(BadLine { id, why });
        }
    }

    /// The next line; answers whether more are wanted.
    pub(crate) fn line(&mut self, line: &Line) -> bool {
        if self.bad.is_some() {
            return false;
        }
        let id = self.tree.size() + 1;
        if let Err(why) = self.check(line, id) {
            self.fail(id, why);
            return false;
        }
        let chain = (line.seq, line.hash);
        self.chains.insert(line.note.account, chain);
        self.tree.push(&line.hash);
        self.compare(id);
        self.bad.is_none()
    }

    fn check(&self, line: &Line, id: u64) -> Result<(), String> {
        if u64::try_from(line.id) != Ok(id) {
            return Err(format!("it is missing; the next one is line {}", line.id));
        }
        if self.hashes.get(&id).is_some_and(|kept| *kept != line.hash) {
            return Err("it was rewritten: a checkpoint has another hash of it".to_owned());
        }
        if hash(line) != line.hash {
            return Err("it was edited: it does not fit its hash".to_owned());
        }
        let last = self.chains.get(&line.note.account);
        let (seq, previous) = last.copied().unwrap_or((0, START));
        if line.seq != seq + 1 || line.previous != previous {
            return Err(format!(
                "it does not follow the line before it in its chain (place {} after {seq})",
                line.seq
            ));
        }
        Ok(())
    }

    /// The root at a size that was witnessed.
    fn compare(&mut self, size: u64) {
        let Some(kept) = self.roots.get(&size) else {
            return;
        };
        if *kept == self.tree.root() {
            self.confirmed = size;
            return;
        }
        // hashes that are kept outside name the line; a root alone names the span
        let from = self.confirmed + 1;
        self.fail(
            from,
            format!("it or a later one up to line {size} was rewritten: the checkpoint differs"),
        );
    }

    /// What is wrong after the last line. `stored` is the root of the tree as it is stored.
    pub(crate) fn finish(mut self, stored: Option<Hash>) -> Option<BadLine> {
        let lines = self.tree.size();
        let newest = self.roots.keys().next_back().copied().unwrap_or(0);
        if self.bad.is_none() && newest > lines {
            self.fail(
                lines + 1,
                format!("it is missing: a checkpoint counts {newest} lines"),
            );
        }
        if self.bad.is_none() && stored.is_some_and(|stored| stored != self.tree.root()) {
            self.fail(
                self.confirmed + 1,
                "the stored tree over the lines does not fit them",
            );
        }
        self.bad
    }
}

#[cfg(test)]
mod tests;
