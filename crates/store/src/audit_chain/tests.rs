//! Whatever is done to the lines, the verifier finds it and names the first line that is wrong.

use domain::audit_log::{Checkpoint, Note};
use domain::time::Timestamp;

use super::*;

/// Lines of a house and four accounts.
const LINES: usize = 40;
/// Lines that a checkpoint has seen; later ones can be cut off without a trace but their chain's.
const WITNESSED: usize = 33;
/// Tamperings of each kind of intruder.
const TRIES: u64 = 1_000;

/// A small generator: the same run for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % most
    }
}

fn note(number: usize, dice: &mut Dice) -> Note {
    let account = dice.below(5) as i64;
    Note {
        account: (account > 0).then_some(AccountId(account)),
        actor: format!("staff:{}", dice.below(4)),
        action: "credit_wallet".into(),
        object: format!("wallet {account}"),
        reason: format!("case {number}"),
        details: format!("credit {number} of ${}", dice.below(50)),
    }
}

/// Gives ids, places and hashes to what lines say, as the store does.
fn chained(notes: Vec<(Note, Timestamp)>) -> Vec<Line> {
    let mut chains: HashMap<Option<AccountId>, (i64, Hash)> = HashMap::new();
    let mut lines = Vec::new();
    for (id, (note, at)) in (1..).zip(notes) {
        let (seq, previous) = chains.get(&note.account).copied().unwrap_or((0, START));
        let mut line = Line {
            id,
            seq: seq + 1,
            at,
            note,
            previous,
            hash: START,
        };
        line.hash = hash(&line);
        chains.insert(line.note.account, (line.seq, line.hash));
        lines.push(line);
    }
    lines
}

fn written(dice: &mut Dice) -> Vec<Line> {
    let notes = (0..LINES).map(|number| (note(number, dice), Timestamp(number as i64)));
    chained(notes.collect())
}

/// A checkpoint with the hashes of its newest lines.
fn witness(lines: &[Line], size: usize, hashes: usize) -> Witness {
    let mut tree = Growing::default();
    lines[..size].iter().for_each(|line| tree.push(&line.hash));
    let newest = lines[size - hashes..size].iter().map(|line| line.hash);
    Witness {
        checkpoint: Checkpoint {
            size: size as u64,
            root: tree.root(),
            at: Timestamp(0),
        },
        hashes: newest.collect(),
    }
}

fn first_bad(lines: &[Line], kept: &[Witness]) -> Option<BadLine> {
    let mut verifier = Verifier::new(kept);
    lines.iter().all(|line| verifier.line(line));
    verifier.finish(None)
}

/// Does something to the lines from a place on; answers the first place that is not as it was.
fn tamper(lines: &mut Vec<Line>, dice: &mut Dice) -> usize {
    let at = dice.below(WITNESSED);
    match dice.below(6) {
        0 => {
            let note = &mut lines[at].note;
            match dice.below(5) {
                0 => note.details.push('0'),
                1 => note.reason = "other".into(),
                2 => note.actor = "staff:9".into(),
                3 => note.account = Some(AccountId(99)),
                _ => lines[at].at.0 += 1000,
            }
        }
        1 => {
            lines.remove(at);
        }
        2 => {
            let mut line = lines[at].clone();
            line.note.reason = "never happened".into();
            lines.insert(at, line);
        }
        3 => {
            let other = (at + 1 + dice.below(WITNESSED - 1)) % WITNESSED;
            let (one, two) = (lines[at].note.clone(), lines[other].note.clone());
            (lines[at].note, lines[other].note) = (two, one);
            return at.min(other);
        }
        4 => lines.truncate(at),
        _ => {
            let other = (at + 1 + dice.below(WITNESSED - 1)) % WITNESSED;
            lines.swap(at, other);
            return at.min(other);
        }
    }
    at
}

/// An intruder who edits rows and knows nothing of hashes.
#[test]
fn a_thousand_of_a_thousand_plain_tamperings_are_found() {
    let mut found = 0;
    for seed in 0..TRIES {
        let mut dice = Dice(seed);
        let mut lines = written(&mut dice);
        let kept = [witness(&lines, WITNESSED, 0)];
        assert_eq!(first_bad(&lines, &kept), None);
        let at = tamper(&mut lines, &mut dice);
        let bad = first_bad(&lines, &kept).unwrap_or_else(|| panic!("seed {seed}: nothing found"));
        assert_eq!(bad.id, at as u64 + 1, "seed {seed}: {}", bad.why);
        found += 1;
    }
    assert_eq!(found, TRIES);
}

/// An intruder who holds the database and makes every id, place and hash anew after the change: the
/// chains are whole, only what was kept outside tells.
#[test]
fn a_thousand_of_a_thousand_rewritten_logs_are_found() {
    let mut found = 0;
    for seed in 0..TRIES {
        let mut dice = Dice(seed);
        let mut lines = written(&mut dice);
        let whole = [witness(&lines, WITNESSED, WITNESSED)];
        let bare = [witness(&lines, 11, 0), witness(&lines, WITNESSED, 0)];
        let at = tamper(&mut lines, &mut dice);
        let said = lines.into_iter().map(|line| (line.note, line.at));
        let lines = chained(said.collect());
        assert_eq!(
            first_bad(&lines, &[]),
            None,
            "seed {seed}: its chains are whole"
        );
        let bad = first_bad(&lines, &whole).unwrap_or_else(|| panic!("seed {seed}: not found"));
        assert_eq!(bad.id, at as u64 + 1, "seed {seed}: {}", bad.why);
        // without the hashes the span between two checkpoints is named
        let bad = first_bad(&lines, &bare).unwrap_or_else(|| panic!("seed {seed}: not found"));
        let from = if at < 11 { 1 } else { 12 };
        assert!(
            (from..=at as u64 + 1).contains(&bad.id),
            "seed {seed}: {bad:?}"
        );
        found += 1;
    }
    assert_eq!(found, TRIES);
}

#[test]
fn every_member_of_a_line_counts() {
    let mut dice = Dice(1);
    let line = written(&mut dice).remove(0);
    let same = hash(&line);
    let change = |change: fn(&mut Line)| {
        let mut other = line.clone();
        change(&mut other);
        hash(&other)
    };
    let others: [fn(&mut Line); 10] = [
        |line| line.id += 1,
        |line| line.seq += 1,
        |line| line.at.0 += 1,
        |line| line.previous = [1; 32],
        |line| line.note.account = Some(AccountId(77)),
        |line| line.note.actor.push('x'),
        |line| line.note.action.push('x'),
        |line| line.note.object.push('x'),
        |line| line.note.reason.push('x'),
        |line| line.note.details.push('x'),
    ];
    for other in others {
        assert_ne!(change(other), same);
    }
    // a letter that moves from one text to the next is another line
    let mut moved = line.clone();
    moved.note.object.push('c');
    moved.note.reason = moved.note.reason[1..].to_owned();
    assert_ne!(hash(&moved), same);
}

#[test]
fn checkpoints_that_contradict_each_other_are_told() {
    let lines = written(&mut Dice(3));
    let (one, mut two) = (witness(&lines, 10, 0), witness(&lines, 10, 0));
    two.checkpoint.root = [5; 32];
    let bad = first_bad(&lines, &[one, two]).unwrap();
    assert_eq!(bad.id, 10);
}
