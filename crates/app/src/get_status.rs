//! Reading an activation: from our own state, never from the upstream.

use crate::engine::Engine;
use crate::refusal::Refusal;
use domain::access::Caller;
use domain::activation::Activation;
use domain::ids::OrderId;
use domain::order::Told;
use domain::ports::Page;
use domain::smm_order::SmmOrder;

impl Engine {
    /// One of the caller's activations.
    pub async fn get_status(&self, caller: &Caller, order: OrderId) -> Result<Activation, Refusal> {
        let activation = self.own_activation(caller, order).await?;
        if activation.told == Told::Pending && activation.disclosed_at.is_none() {
            return self.disclose(activation).await;
        }
        Ok(activation)
    }

    /// An order of another account, and one whose client was told that it failed, does not exist.
    pub(crate) async fn own_activation(
        &self,
        caller: &Caller,
        order: OrderId,
    ) -> Result<Activation, Refusal> {
        let found = self.store().activation(order).await?;
        found
            .filter(|activation| activation.account == caller.account.id)
            .filter(Activation::known_to_client)
            .ok_or(Refusal::OrderNotFound)
    }

    /// A page of the caller's activations. Numbers not shown before are not shown here either.
    pub async fn list_activations(
        &self,
        caller: &Caller,
        page: &Page,
    ) -> Result<Vec<Activation>, Refusal> {
        Ok(self.store().activations(caller.account.id, page).await?)
    }

    /// One of the caller's SMM orders.
    pub async fn order_status(&self, caller: &Caller, order: OrderId) -> Result<SmmOrder, Refusal> {
        let found = self.store().smm_order(order).await?;
        found
            .filter(|known| known.account == caller.account.id)
            .filter(SmmOrder::known_to_client)
            .ok_or(Refusal::OrderNotFound)
    }

    /// A page of the caller's SMM orders.
    pub async fn list_smm_orders(
        &self,
        caller: &Caller,
        page: &Page,
    ) -> Result<Vec<SmmOrder>, Refusal> {
        Ok(self.store().smm_orders(caller.account.id, page).await?)
    }

    /// The caller's wallet.
    pub async fn balance(&self, caller: &Caller) -> Result<domain::ledger::Wallet, Refusal> {
        let wallet = self.store().wallet(caller.account.id).await?;
        wallet.ok_or(Refusal::StorageUnavailable)
    }
}
