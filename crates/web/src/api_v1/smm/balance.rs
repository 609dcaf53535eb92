//! `balance`: the same wallet as on the other path.

pub(crate) use crate::api_v1::otp::balance::handle;
