//! What a processor's word means for a top-up. The one place that says "credit".

use super::fact::{Fact, MICROS_IN_CENT, Stand};
use super::{TopUp, TopUpState, reference};
use crate::usd::Usd;

/// What the operator does about payments of another amount than was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OddAmounts {
    /// What was paid beyond the charge goes into the wallet, too; else the operator is told of it.
    pub credit_surplus: bool,
    /// What arrived of a payment that ended short is credited; else the operator decides.
    pub credit_part: bool,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Nothing,
    /// The row moves on without money.
    Move(TopUpState),
    /// The amount goes into the wallet.
    Credit {
        /// The processor's id of the payment.
        payment: String,
        /// How much goes into the wallet.
        amount: Usd,
        /// Another amount was paid than asked; what, for the operator.
        odd: Option<String>,
    },
    /// Something does not fit; what, for the operator.
    Review(String),
    /// All that was credited goes back.
    TakeBack,
    /// Nothing changes, and the operator is told why.
    Tell(String),
}

/// What is to be done about a row, given a verified fact that names it.
pub fn judge(row: &TopUp, fact: &Fact, odd: OddAmounts) -> Verdict {
    use TopUpState as S;
    match (row.state, &fact.stand) {
        (_, Stand::Unknown(what)) => Verdict::Tell(with_received(what, fact)),
        // only an operator goes on from there
        (S::Review, _) => Verdict::Nothing,
        (S::Credited, Stand::Paid | Stand::PaidOver) => second_payment(row, fact),
        (S::Credited, Stand::Void | Stand::Refunded) if row.payment_ref == fact.payment_ref => {
            Verdict::TakeBack
        }
        (S::Credited, _) => Verdict::Nothing,
        (S::Rejected, Stand::Paid | Stand::PaidOver | Stand::PaidPart | Stand::Odd(_)) => {
            Verdict::Review("a payment came after the top-up was closed".to_owned())
        }
        (S::Rejected, _) => Verdict::Nothing,
        (_, Stand::Paid | Stand::PaidOver) => payment(row, fact, odd.credit_surplus),
        (_, Stand::PaidPart) => part(row, fact, odd.credit_part),
        (_, Stand::Odd(what)) => Verdict::Review(with_received(what, fact)),
        (S::Created, Stand::Pending) if belongs(row, fact).is_ok() => Verdict::Move(S::Pending),
        (S::Created | S::Pending, Stand::Expired) if belongs(row, fact).is_ok() => {
            Verdict::Move(S::Expired)
        }
        (S::Created | S::Pending, Stand::Failed | Stand::Void | Stand::Refunded)
            if belongs(row, fact).is_ok() =>
        {
            Verdict::Move(S::Failed)
        }
        _ => Verdict::Nothing,
    }
}

/// Whether a fact is about this row; else what speaks against it.
fn belongs(row: &TopUp, fact: &Fact) -> Result<(), String> {
    let ours = reference(row.id);
    match &fact.reference {
        Some(theirs) if *theirs != ours => {
            return Err(format!("the payment names {theirs:?} instead of {ours}"));
        }
        Some(_) if fact.contradicts => {
            return Err(format!("the payment does not name {ours} in both places"));
        }
        None => return Err(format!("the payment does not name {ours}")),
        Some(_) => {}
    }
    if let (Some(known), Some(theirs)) = (&row.processor_ref, &fact.processor_ref)
        && known != theirs
    {
        return Err(format!("the payment is of {theirs:?}, we opened {known:?}"));
    }
    match fact.live {
        Some(live) if live != row.live => Err(match live {
            true => "real money for a top-up in test mode".to_owned(),
            false => "test money for a real top-up".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn with_received(what: &str, fact: &Fact) -> String {
    match &fact.received {
        Some(sum) => format!("{what}; {sum} arrived"),
        None => what.to_owned(),
    }
}

fn payment(row: &TopUp, fact: &Fact, credit_surplus: bool) -> Verdict {
    let checked = checked(row, fact);
    let (payment, paid) = match checked {
        Ok(checked) => checked,
        Err(why) => return Verdict::Review(why),
    };
    let asked = row.charge();
    let received = fact.received.as_ref().and_then(|sum| sum.usd());
    let surplus = Usd((received.unwrap_or(paid).max(paid).0 - asked.0).max(0));
    let is_over = surplus > Usd::ZERO || fact.stand == Stand::PaidOver;
    let credited = match credit_surplus {
        true => Usd(row.amount.0 + surplus.0),
        false => row.amount,
    };
    let told = || {
        let arrived = Usd(asked.0 + surplus.0);
        format!("{arrived} USD was paid, {asked} USD was asked: {credited} USD credited")
    };
    Verdict::Credit {
        payment,
        amount: credited,
        odd: is_over.then(told),
    }
}

/// A payment that ended short: its share of the amount, or a person's decision.
fn part(row: &TopUp, fact: &Fact, credit_part: bool) -> Verdict {
    let review = Verdict::Review(with_received("paid in part", fact));
    let received = fact.received.as_ref().and_then(|sum| sum.usd());
    let credited = received.map(|received| Usd(received.0 - row.fee.0));
    let credited = credited.filter(|amount| *amount >= Usd(MICROS_IN_CENT) && *amount < row.amount);
    match (checked(row, fact), credited) {
        (Ok((payment, _)), Some(amount)) if credit_part => Verdict::Credit {
            payment,
            amount,
            odd: Some(with_received("paid in part, and credited as far", fact)),
        },
        _ => review,
    }
}

/// The payment's id and the sum that it was for, where that is what was asked.
fn checked(row: &TopUp, fact: &Fact) -> Result<(String, Usd), String> {
    belongs(row, fact)?;
    let asked = row.charge();
    let sum = fact.sum.as_ref();
    let sum = sum.ok_or_else(|| "the payment does not say how much it is".to_owned())?;
    let paid = sum.usd();
    let paid = paid.ok_or_else(|| format!("{sum} was paid; {asked} USD was asked"))?;
    if paid < asked {
        return Err(format!("{sum} was paid; {asked} USD was asked"));
    }
    let payment = fact.payment_ref.clone();
    let payment = payment.ok_or_else(|| "the payment has no id".to_owned())?;
    if let Some(known) = &row.payment_ref
        && *known != payment
    {
        return Err(format!("payment {payment:?} beside {known:?}"));
    }
    Ok((payment, paid))
}

/// A second payment for a row that is credited is somebody's money, but not this row's; and so is
/// the rest of one that was credited in part.
fn second_payment(row: &TopUp, fact: &Fact) -> Verdict {
    let second = fact.payment_ref.as_ref();
    match second.filter(|second| row.payment_ref.as_ref() != Some(second)) {
        Some(second) => Verdict::Review(format!("a second payment, {second:?}")),
        None if row.credited < row.amount => {
            let credited = row.credited;
            Verdict::Review(format!(
                "now paid in full; {credited} USD was credited of it"
            ))
        }
        None => Verdict::Nothing,
    }
}
