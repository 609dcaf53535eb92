//! Which panels' rows are asked for.

/// Panels are looked after one by one, so that one that hangs keeps no other waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtPanels {
    /// This one, by name.
    One(String),
    /// None of these: what is left of panels that are no longer configured.
    NoneOf(Vec<String>),
}

impl AtPanels {
    /// Whether rows at this panel are asked for.
    pub fn takes_in(&self, upstream: &str) -> bool {
        match self {
            Self::One(name) => name == upstream,
            Self::NoneOf(names) => !names.iter().any(|name| name == upstream),
        }
    }
}
