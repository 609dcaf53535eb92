//! Rules that can be taken out, to prove that the simulation notices: one mutant at a time, on one
//! thread. Without the feature `mutants` no rule can be taken out and nothing of this is compiled
//! into the program but the constant `false`.

/// A rule that can be taken out, by its number in the list of mutants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutant(pub u8);

#[cfg(feature = "mutants")]
mod switch {
    use super::Mutant;
    use std::cell::Cell;

    thread_local! {
        static ACTIVE: Cell<u8> = const { Cell::new(0) };
    }

    /// Takes a rule out on this thread, or puts all of them back.
    pub fn set_active(mutant: Option<Mutant>) {
        ACTIVE.set(mutant.map_or(0, |mutant| mutant.0));
    }

    /// Whether the rule with this number is out.
    pub fn lacks_rule(number: u8) -> bool {
        ACTIVE.get() == number
    }
}

#[cfg(not(feature = "mutants"))]
mod switch {
    /// Whether the rule with this number is out: never.
    pub const fn lacks_rule(_number: u8) -> bool {
        false
    }
}

pub use switch::*;
