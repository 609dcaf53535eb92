//! The engine denies what it must, whoever asks and however it is written, and nothing lawful.

mod disguise;
mod otp;
mod rules;
mod smm;
mod velocity;
