//! Countries: ISO names, canonical keys, calling codes.
