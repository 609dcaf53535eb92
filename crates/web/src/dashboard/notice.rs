//! Sentences that a page shows after a form was done: named in the address, so that a reload does
//! not do it again, and fixed here, so that an address cannot put words into our mouth.

/// Name and sentence of those that both doors have.
const EVERYWHERE: &[(&str, &str)] = &[
    ("signed-out", "You are signed out."),
    ("password-set", "Your password is set. Sign in with it."),
];

/// Those of the dashboard.
const DASHBOARD: &[(&str, &str)] = &[
    ("verified", "Your address is confirmed. Sign in to go on."),
    (
        "signed-out-everywhere",
        "All other sessions are signed out.",
    ),
    (
        "password-changed",
        "Your password is changed; all other sessions are signed out.",
    ),
    ("challenge-met", "Thank you: that was you. Purchases go on."),
    (
        "appealed",
        "Your appeal is on file: somebody reads it and decides.",
    ),
    ("purpose-stated", "Thank you: your statement is on file."),
    ("totp-off", "Two-step sign-in is off."),
    ("session-ended", "That session is signed out."),
    (
        "api-on",
        "API access is on. Create a key to make your first request.",
    ),
    (
        "api-off",
        "API access is off: requests with your keys are refused.",
    ),
    ("key-changed", "The key is changed."),
    ("key-revoked", "The key is revoked and refused from now on."),
    ("proved", "Thank you. Go on where you were."),
    (
        "link-sent",
        "If that address has an account, a link is on its way to it.",
    ),
    (
        "number-bought",
        "The number is yours. Its code appears below as soon as it arrives.",
    ),
    (
        "purchase-pending",
        "The purchase is not settled yet: it appears below, and nothing is charged if it failed.",
    ),
    (
        "redeemed",
        "The code is redeemed: its worth is in your balance.",
    ),
    (
        "redeemed-before",
        "You had redeemed this code before, see below. Nothing was added now.",
    ),
    (
        "cancel-asked",
        "The cancel is asked for. What comes of it shows in the order's status.",
    ),
    (
        "cancel-asked-before",
        "This cancel was asked for before. What comes of it shows in the order's status.",
    ),
    (
        "order-over",
        "This order was over already: there was nothing left to cancel. How it ended shows below.",
    ),
    (
        "order-placed",
        "The order is placed. How far it has come shows below.",
    ),
    (
        "order-running",
        "The order is being placed: it appears below in a moment. Sent twice it is placed once.",
    ),
    (
        "order-pending",
        "The order is not settled yet: what comes of it shows below, and nothing is charged if it \
         failed.",
    ),
    (
        "balance-watched",
        "You get a mail each time your available balance falls below this amount.",
    ),
    ("balance-not-watched", "No mail is sent about your balance."),
    ("refill-asked", "The refill is asked for."),
    (
        "refill-asked-before",
        "This refill was asked for before. What comes of it shows below.",
    ),
    (
        "refilled-before",
        "This order was refilled within the last 24 hours, see below. Nothing was asked for now.",
    ),
    ("top-up-withdrawn", "The top-up is withdrawn."),
    ("number-cancelled", "Cancelled, and refunded in full."),
    (
        "looking-ended",
        "You no longer look at the dashboard as a customer.",
    ),
];

/// Those of the console.
const CONSOLE: &[(&str, &str)] = &[
    (
        "suspended",
        "The account is suspended: it buys nothing, and its open orders settle.",
    ),
    ("resumed", "The account may buy again."),
    ("account-changed", "The account is changed, at once."),
    ("noted", "The note is kept."),
    ("top-up-credited", "The top-up is in the wallet."),
    ("top-up-rejected", "The top-up is closed without money."),
    (
        "top-up-refunded",
        "The money left the wallet, and the processor returns it.",
    ),
    (
        "second-person",
        "Kept: it takes effect once somebody else says the same.",
    ),
    ("event-replayed", "The event was tried once more."),
    ("money-moved", "The money has moved."),
    (
        "money-asked",
        "This is above what one person may move: it waits for somebody else to grant it.",
    ),
    (
        "money-refused",
        "Somebody else refused this meanwhile: nothing has moved.",
    ),
    ("decided", "Decided."),
    ("case-opened", "The case is open."),
    (
        "upstream-paused",
        "Nothing more is bought here. What was bought before goes on.",
    ),
    ("classified", "The service has its class, at once."),
    ("blocked", "Nobody is sold this from now on."),
    ("unblocked", "It is off the list."),
    ("upstream-resumed", "Purchases come here again."),
    ("ticket-closed", "The ticket is closed."),
    ("settled", "The order is settled."),
    ("code-off", "The code is switched off."),
    ("announced", "All customers see it from now on."),
    ("announcement-ended", "It shows no longer."),
    (
        "verified-log",
        "Every line was looked at: see the result below.",
    ),
    ("checkpoint", "All lines are signed for."),
    ("staff-changed", "Changed; their sessions have ended."),
];

/// The sentence behind a name at this door; one of the other door is none here.
pub(crate) fn sentence(name: &str, at_console: bool) -> Option<&'static str> {
    let own = if at_console { CONSOLE } else { DASHBOARD };
    let mut all = EVERYWHERE.iter().chain(own);
    all.find(|(known, _)| *known == name)
        .map(|(_, sentence)| *sentence)
}

#[cfg(test)]
mod tests {
    use super::sentence;

    #[test]
    fn each_door_says_its_own() {
        assert!(sentence("money-moved", true).is_some());
        assert_eq!(sentence("money-moved", false), None);
        assert_eq!(sentence("number-bought", true), None);
        for door in [true, false] {
            assert!(sentence("signed-out", door).is_some());
            assert_eq!(sentence("", door), None);
        }
    }
}
