//! The services that misbehave on purpose, sold by every server in every country.

/// What goes wrong with a number of such a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misbehaviour {
    /// Stock is shown, nothing is sold.
    NoNumbers,
    /// Sold, but no message ever comes.
    NeverACode,
    /// The code comes 60 s after the purchase.
    LateCode,
    /// Booked at once, answered after 5 s.
    SlowAnswer,
    /// Booked, then the connection is closed without a byte.
    LostAfterSale,
    /// The connection is closed without a byte and without booking.
    LostBeforeSale,
    /// An HTML page with status 200, nothing booked.
    Garbage,
    /// The provider cancels by itself after 6 s and refunds.
    CancelledUpstream,
    /// A second code follows the first.
    SecondCode,
    /// The message reads like a bank's transfer warning.
    BankText,
}

/// One misbehaving service.
#[derive(Clone, Copy, Debug)]
pub struct MisbehavingService {
    /// What it does.
    pub behaviour: Misbehaviour,
    /// Name, always beginning with `Sandbox:`.
    pub name: &'static str,
    /// Service code on servers with codes.
    pub code: &'static str,
    /// Service id on `peter` and `andrew`, whose ids are numbers.
    pub numeric_id: u32,
}

const fn service(
    behaviour: Misbehaviour,
    name: &'static str,
    code: &'static str,
    numeric_id: u32,
) -> MisbehavingService {
    MisbehavingService {
        behaviour,
        name,
        code,
        numeric_id,
    }
}

static MISBEHAVING: [MisbehavingService; 10] = [
    service(
        Misbehaviour::NoNumbers,
        "Sandbox: no numbers",
        "sbnonumbers",
        990_001,
    ),
    service(
        Misbehaviour::NeverACode,
        "Sandbox: never a code",
        "sbnever",
        990_002,
    ),
    service(
        Misbehaviour::LateCode,
        "Sandbox: code after 60 s",
        "sblate",
        990_003,
    ),
    service(
        Misbehaviour::SlowAnswer,
        "Sandbox: slow answer",
        "sbslow",
        990_004,
    ),
    service(
        Misbehaviour::LostAfterSale,
        "Sandbox: answer lost after the sale",
        "sblostafter",
        990_005,
    ),
    service(
        Misbehaviour::LostBeforeSale,
        "Sandbox: answer lost before the sale",
        "sblostbefore",
        990_006,
    ),
    service(
        Misbehaviour::Garbage,
        "Sandbox: garbage",
        "sbgarbage",
        990_007,
    ),
    service(
        Misbehaviour::CancelledUpstream,
        "Sandbox: cancelled upstream",
        "sbcancelled",
        990_008,
    ),
    service(
        Misbehaviour::SecondCode,
        "Sandbox: second code",
        "sbsecond",
        990_009,
    ),
    service(
        Misbehaviour::BankText,
        "Sandbox: text of a bank",
        "sbbank",
        990_010,
    ),
];

/// Every misbehaving service with its ids.
pub fn misbehaving_services() -> &'static [MisbehavingService] {
    &MISBEHAVING
}
