//! What each kind of reply reads, prints and survives.
