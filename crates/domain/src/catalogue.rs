//! All offers, merged.
