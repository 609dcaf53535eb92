//! Places where the process can be made to die, to prove that a restart mends whatever it left
//! behind. Without the feature `failpoints` nothing of this is compiled into the program.
//!
//! A place is a moment and a change, such as `written:number_bought`. `TOLLGATE_DIE_AT` names one,
//! with `#3` behind it for the third time the process comes by.

#[cfg(feature = "failpoints")]
mod switch {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// The place and how often it is still passed alive.
    static DIE_AT: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
        let wanted = std::env::var("TOLLGATE_DIE_AT").ok()?;
        let (place, time) = wanted.split_once('#').unwrap_or((&wanted, "1"));
        let time: u32 = time.parse().ok()?;
        Some((place.to_owned(), AtomicU32::new(time.checked_sub(1)?)))
    });

    /// Ends the process here, at once and without a clean-up, if it is to die in this moment of
    /// this change.
    pub fn pass(moment: &str, change: &str) {
        let Some((place, alive)) = DIE_AT.as_ref() else {
            return;
        };
        let here = place.split_once(':') == Some((moment, change));
        let passes = |left: u32| left.checked_sub(1);
        if here
            && alive
                .fetch_update(Ordering::AcqRel, Ordering::Acquire, passes)
                .is_err()
        {
            std::process::abort();
        }
    }
}

#[cfg(not(feature = "failpoints"))]
mod switch {
    /// Nothing: the process goes on.
    pub const fn pass(_moment: &str, _change: &str) {}
}

pub use switch::*;
