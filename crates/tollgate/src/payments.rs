//! From settings to top-ups: the processors behind the ways to pay.

use crate::settings::{PaymentWay, Secret, Settings};
use app::limits::Limits;
use app::{Engine, Offer, TopUpSettings, TopUps};
use domain::ports::TopUpRows;
use domain::top_up::{PaymentProcessor, Processor};
use std::sync::Arc;
use upstream::{
    Account, BtcPay, BtcPaySettings, NowPayments, NowPaymentsSettings, Stripe, StripeSettings,
};

/// Longest wait for an answer of a processor: it may be waiting for ours meanwhile.
const TIMEOUT_MS: u64 = 8_000;

/// Use cases about top-ups. Pages and hooks are at `base_url`.
pub fn top_ups(
    settings: &Settings,
    engine: &Arc<Engine>,
    rows: Arc<dyn TopUpRows>,
    limits: &Arc<Limits>,
    base_url: String,
) -> anyhow::Result<Arc<TopUps>> {
    let payments = &settings.payments;
    let mut processors = Vec::new();
    for way in &payments.ways {
        processors.extend(processor(way, payments.lifetime.0 / 60_000)?);
    }
    let offers = payments.ways.iter().map(|way| Offer {
        processor: way.processor,
        terms: way.terms.clone(),
        instructions: way.instructions.clone(),
    });
    let top_ups = TopUpSettings {
        base_url,
        offers: offers.collect(),
        lifetime: payments.lifetime,
        on_fraud_warning: payments.on_fraud_warning,
        second_person_from: payments.second_person_from,
        seller: payments.seller.clone(),
        odd_amounts: payments.odd_amounts,
    };
    let (engine, limits) = (Arc::clone(engine), Arc::clone(limits));
    Ok(Arc::new(TopUps::new(
        engine, rows, limits, processors, top_ups,
    )))
}

/// The processor of a way to pay; nothing for a bank transfer, which an operator has to find.
fn processor(way: &PaymentWay, minutes: i64) -> anyhow::Result<Option<Arc<dyn PaymentProcessor>>> {
    let exposed = |secrets: &[Secret]| -> Vec<String> {
        secrets
            .iter()
            .map(|secret| secret.expose().to_owned())
            .collect()
    };
    let account = Account {
        timeout_ms: TIMEOUT_MS,
        ..Account::new(way.processor.slug(), &way.url, way.key.expose())
    };
    let webhook_secrets = exposed(&way.webhook_secrets);
    Ok(match way.processor {
        Processor::Stripe => Some(Arc::new(Stripe::new(StripeSettings {
            account,
            webhook_secrets,
            live: way.live,
        })?)),
        Processor::BtcPay => Some(Arc::new(BtcPay::new(BtcPaySettings {
            account,
            store: way.store.clone(),
            webhook_secrets,
            minutes: u32::try_from(minutes).unwrap_or(60),
            live: way.live,
        })?)),
        Processor::NowPayments => Some(Arc::new(NowPayments::new(NowPaymentsSettings {
            account,
            ipn_secrets: webhook_secrets,
            live: way.live,
        })?)),
        Processor::Manual => None,
    })
}
