//! Places where the process can be made to die, to prove that a restart mends whatever it left
//! behind. Without the feature `failpoints` nothing of this is compiled into the program.
//!
//! A place is a moment and a change, such as `written:number_bought`. `TOLLGATE_DIE_AT` names one,
//! with `#3` behind it for the third time the process comes by. `answering:WORDS` is in the middle of
//! the first answer that has these words in it.

#[cfg(feature = "failpoints")]
mod switch {
    use std::io::IoSlice;
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

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

    /// Half of an answer, where the process is to die in the middle of this one: it does as the rest
    /// is about to be written.
    pub fn half_of(answer: &[IoSlice<'_>]) -> Option<Vec<u8>> {
        static HALF_WRITTEN: AtomicBool = AtomicBool::new(false);
        let (place, _) = DIE_AT.as_ref()?;
        let words = place.strip_prefix("answering:")?;
        if HALF_WRITTEN.load(Ordering::Acquire) {
            std::process::abort();
        }
        let mut bytes: Vec<u8> = answer
            .iter()
            .flat_map(|part| part.iter().copied())
            .collect();
        let is_this = String::from_utf8_lossy(&bytes).contains(words);
        HALF_WRITTEN.store(is_this, Ordering::Release);
        bytes.truncate(bytes.len() / 2);
        is_this.then_some(bytes)
    }
}

#[cfg(not(feature = "failpoints"))]
mod switch {
    use std::io::IoSlice;

    /// Nothing: the process goes on.
    pub const fn pass(_moment: &str, _change: &str) {}

    /// Nothing: the answer is written whole.
    pub const fn half_of(_answer: &[IoSlice<'_>]) -> Option<Vec<u8>> {
        None
    }
}

pub use switch::*;
