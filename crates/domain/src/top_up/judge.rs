//! What a processor's word means for a top-up. The one place that says "credit".

use super::fact::{Fact, Stand};
use super::{TopUp, TopUpState, reference};

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
        /// More was paid than asked; what, for the operator.
        surplus: Option<String>,
    },
    /// Something does not fit; what, for the operator.
    Review(String),
    /// All that was credited goes back.
    TakeBack,
}

/// What is to be done about a row, given a verified fact that names it.
pub fn judge(row: &TopUp, fact: &Fact) -> Verdict {
    use TopUpState as S;
    match (row.state, &fact.stand) {
        // only an operator goes on from there
        (S::Review, _) => Verdict::Nothing,
        (S::Credited, Stand::Paid | Stand::PaidOver) => second_payment(row, fact),
        (S::Credited, Stand::Void | Stand::Refunded) if row.payment_ref == fact.payment_ref => {
            Verdict::TakeBack
        }
        (S::Credited, _) => Verdict::Nothing,
        (S::Rejected, Stand::Paid | Stand::PaidOver | Stand::Odd(_)) => {
            Verdict::Review("a payment came after the top-up was closed".to_owned())
        }
        (S::Rejected, _) => Verdict::Nothing,
        (_, Stand::Paid | Stand::PaidOver) => payment(row, fact),
        (_, Stand::Odd(what)) => Verdict::Review(what.clone()),
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

fn payment(row: &TopUp, fact: &Fact) -> Verdict {
    match checked(row, fact) {
        Ok((payment, surplus)) => Verdict::Credit { payment, surplus },
        Err(why) => Verdict::Review(why),
    }
}

fn checked(row: &TopUp, fact: &Fact) -> Result<(String, Option<String>), String> {
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
    let over = paid > asked || fact.stand == Stand::PaidOver;
    let surplus = over.then(|| format!("{sum} was paid; {asked} USD was asked and credited"));
    Ok((payment, surplus))
}

/// A second payment for a row that is credited is somebody's money, but not this row's.
fn second_payment(row: &TopUp, fact: &Fact) -> Verdict {
    let second = fact.payment_ref.as_ref();
    match second.filter(|second| row.payment_ref.as_ref() != Some(second)) {
        Some(second) => Verdict::Review(format!("a second payment, {second:?}")),
        None => Verdict::Nothing,
    }
}
