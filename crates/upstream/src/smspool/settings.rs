//! What an operator says about an account at SMSPool.

use crate::account::Account;
use domain::upstream::Capabilities;

/// One account.
#[derive(Clone, Debug)]
pub struct SmsPoolSettings {
    /// Where it is and how it is paid. URL: the base address, below which every call has its path.
    pub account: Account,
    /// What it can do.
    pub capabilities: Capabilities,
}

impl SmsPoolSettings {
    /// A dollar account: connect 5 s, answer 30 s, the capabilities of a seller of numbers.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            capabilities: Capabilities::numbers(),
        }
    }
}
