//! The engine denies what it must, whoever asks and however it is written, and nothing lawful.

mod disguise;
mod ladder;
mod loosening;
mod otp;
mod rules;
mod signals;
mod smm;
mod velocity;
