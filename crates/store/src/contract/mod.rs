//! What every store must do, as functions over the port: each engine runs all of them.

pub(crate) mod access;
pub(crate) mod account_case;
pub(crate) mod api_log;
pub(crate) mod audit_log;
pub(crate) mod balance;
pub(crate) mod desk;
pub(crate) mod groups;
pub(crate) mod kit;
pub(crate) mod lawful;
pub(crate) mod lists;
pub(crate) mod low_balance;
pub(crate) mod money;
pub(crate) mod orders;
pub(crate) mod own_numbers;
pub(crate) mod pages;
pub(crate) mod people;
pub(crate) mod policy;
pub(crate) mod processor_movements;
pub(crate) mod proofs;
pub(crate) mod redeem;
pub(crate) mod requests;
pub(crate) mod sealed;
pub(crate) mod top_up;
pub(crate) mod top_up_days;
mod top_up_lists;

/// What carries orders and their money: the simulation's other store keeps this too.
macro_rules! of_orders {
    ($run:ident) => {
        $run! {
            money:
                a_hold_and_its_one_outcome,
                a_hold_fits_the_route_that_is_tried,
                a_refused_hold_takes_its_whole_change_with_it,
                two_holds_of_one_change_count_together,
                a_resolution_must_fit_its_hold,
                adjustments_stay_within_the_hold,
                credits_count_once,
                entries_balance_and_have_one_cause,
                nothing_is_spent_twice,
                a_refused_change_harms_no_neighbour;
            access:
                accounts_have_one_email_and_a_wallet,
                a_key_leads_to_its_account,
                an_account_and_its_key_in_one_change,
                a_claim_is_free_again_when_it_expires;
            orders:
                an_activation_keeps_every_member,
                an_smm_order_keeps_every_member,
                a_stale_writer_changes_nothing,
                a_received_activation_is_paid,
                a_code_stays_what_it_was_to_the_end,
                a_number_is_shown_to_one_account,
                an_upstream_id_belongs_to_one_order,
                one_open_order_for_a_link,
                attempts_tell_their_story,
                an_smm_order_is_settled,
                orphans_come_and_go;
            requests:
                a_request_keeps_every_member,
                one_request_of_a_kind_is_open,
                due_requests_come_longest_due_first,
                a_public_id_of_a_service_never_changes_hands;
            lists:
                a_page_holds_what_the_client_may_know,
                an_smm_page_follows_the_public_word,
                due_work_comes_longest_due_first,
                live_in_doubt_and_ended;
            balance:
                readings_follow_each_other,
                orders_under_way_are_in_the_position,
                suspects_are_what_was_released_or_given_up,
                what_may_be_taken_again_is_suspect,
                a_reading_is_settled_if_it_left_no_difference,
                the_house_knows_what_each_event_was_about,
                tickets_open_once_and_close_once,
                a_closed_ticket_comes_again_with_something_else;
        }
    };
}
pub(crate) use of_orders;

/// Names every contract to a macro: each engine runs all of them.
macro_rules! for_every_store {
    ($run:ident) => {
        $crate::contract::of_orders!($run);
        $run! {
            policy:
                sixty_four_at_once_never_pass_a_bound,
                the_past_counts_as_it_was,
                a_purpose_is_asked_for_once,
                nobody_is_given_what_is_blocked,
                a_report_is_kept_closed_once_and_counted,
                a_number_is_forgotten_unless_it_is_held,
                there_is_room_for_so_many_keys,
                what_a_later_version_loosened_is_passed_over;
            account_case:
                one_case_of_a_signal_is_open_and_keeps_every_member,
                the_hardest_measure_is_in_force_until_it_is_dismissed,
                whoever_goes_on_is_neither_held_nor_to_be_closed,
                of_a_deleted_account_no_case_says_anything,
                what_signals_are_read_from,
                withheld_messages_are_counted_by_account,
                devices_are_shared_by_three_accounts;
            lawful:
                each_hold_ends_by_itself,
                a_hold_placed_meanwhile_keeps_the_number,
                an_account_goes_with_nothing_left,
                what_upstreams_wrote_is_forgotten_in_time,
                mails_and_reporters_are_forgotten_in_time,
                who_is_suspended_is_signed_out;
            redeem:
                one_of_twenty_has_it,
                what_is_over_pays_nothing;
            kit:
                the_kits_checks_hold,
                each_planted_defect_breaks_its_own_check;
            people:
                an_owner_who_has_joined_is_left;
            low_balance:
                a_crossing_is_seen_once;
            own_numbers:
                a_number_joins_once_and_comes_back_after_it_was_retired,
                one_living_allocation_for_a_number_and_the_longest_rested_first,
                a_number_is_only_rented_for_what_it_may_be,
                a_message_belongs_to_the_rent_during_which_it_came,
                an_allocation_with_a_message_is_not_cancelled;
            pages:
                a_statement_tells_every_event_of_its_owner,
                spending_is_summed_up_with_every_order;
            audit_log:
                lines_are_chained_and_questions_find_them,
                a_refused_change_leaves_no_line,
                checkpoints_are_kept_once_and_compared,
                many_at_once_make_one_log;
            desk:
                a_debit_takes_what_is_there_and_is_in_the_books,
                a_request_is_made_once_and_decided_on_once,
                notes_and_announcements_come_back,
                an_upstream_is_paused_once_and_resumed_once,
                tickets_of_an_order_are_found_whatever_became_of_them,
                orders_and_accounts_are_found,
                a_number_is_found_when_its_hash_is_all_that_is_kept,
                figures_follow_the_journal;
            api_log:
                equal_requests_are_one_line,
                lines_are_filtered_and_paged,
                old_lines_are_forgotten_some_at_a_time;
            top_up:
                one_payment_is_credited_once,
                a_debt_grows_blocks_and_is_paid_first,
                a_won_dispute_comes_back_once,
                new_money_is_spent_only_once_it_is_cleared,
                what_we_return_ourselves_is_there,
                a_refund_is_told_until_it_is_answered,
                a_compared_day_is_kept_once,
                the_inbox_keeps_each_event_once,
                lists_say_what_is_waiting,
                a_shower_of_events_credits_each_payment_once;
            processor_movements:
                a_line_is_booked_once,
                what_is_open_at_a_processor_follows_the_books;
            proofs:
                a_file_is_kept_with_its_transfer,
                there_is_room_for_so_many_files,
                a_file_is_forgotten_in_time;
            top_up_days:
                a_days_bound_counts_what_did_not_come_to_nothing,
                a_days_bound_holds_for_many_at_once;
        }
    };
}
pub(crate) use for_every_store;

use domain::access::{Account, ApiKey, Scope};
use domain::activation::{Activation, ActivationState, Plan, Wanted};
use domain::change::{Change, CommitError, Refused, Write};
use domain::ids::{AccountId, KeyId, OrderId};
use domain::ledger::Wallet;
use domain::order::Told;
use domain::phone::Phone;
use domain::ports::Store;
use domain::smm_order::{SmmOrder, SmmPlan, SmmState};
use domain::time::{Millis, Timestamp};
use domain::upstream::{Number, Progress};
use domain::usd::Usd;

use std::sync::{Arc, OnceLock};

use crate::vault::fresh_keys;
use crate::{Database, Vault};

/// The store as an installation has it: with keys for what is sealed.
pub(crate) fn sealing(store: Database) -> Database {
    static VAULT: OnceLock<Arc<Vault>> = OnceLock::new();
    let vault = VAULT.get_or_init(|| {
        let daily = std::env::temp_dir().join(format!("tollgate-sealing-{}", std::process::id()));
        let keys = fresh_keys().unwrap();
        let vault = Vault::open(&keys, &daily, Millis::minutes(30 * 24 * 60), NOW).unwrap();
        // nothing is forgotten here, so the file is not asked for again
        std::fs::remove_dir_all(daily).unwrap();
        Arc::new(vault)
    });
    store.with_vault(Arc::clone(vault))
}

/// When the tests happen.
pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000);

/// Price of every order here.
pub(crate) const PRICE: Usd = Usd(40_000);

pub(crate) const PLAN: Plan = Plan {
    lease: Millis::seconds(60),
    in_doubt_window: Millis::minutes(20),
    min_cancel_age: Millis::minutes(2),
    lifetime: Millis::minutes(20),
    retry: Millis::seconds(5),
};

pub(crate) fn smm_plan() -> SmmPlan {
    SmmPlan {
        lease: Millis::seconds(60),
        in_doubt_window: Millis::minutes(20),
        confirmation: Millis::seconds(2),
        remains_patience: SmmPlan::REMAINS_PATIENCE,
        poll: vec![Millis::seconds(1), Millis::seconds(60)],
        retry: Millis::seconds(5),
        watch: Millis::minutes(60),
        refill_window: None,
        correction_max: Usd(10_000_000),
    }
}

pub(crate) type Outcome = Result<(), CommitError>;

pub(crate) fn refused(why: Refused) -> Outcome {
    Err(CommitError::Refused(why))
}

/// Waits for an answer of the store.
pub(crate) fn wait<T>(answer: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(answer)
}

/// A store with customers in it.
pub(crate) struct World<'a> {
    pub(crate) store: &'a dyn Store,
}

impl<'a> World<'a> {
    pub(crate) fn new(store: &'a dyn Store) -> Self {
        Self { store }
    }

    pub(crate) fn commit(&self, writes: Vec<Write>) -> Outcome {
        self.commit_at(NOW, writes)
    }

    pub(crate) fn commit_at(&self, at: Timestamp, writes: Vec<Write>) -> Outcome {
        wait(self.store.commit(Change::new("contract", at, writes)))
    }

    /// A customer with this much money.
    pub(crate) fn customer(&self, money: Usd) -> AccountId {
        let account = account(AccountId(self.store.next_row_id()));
        let id = account.id;
        let mut writes = vec![Write::InsertAccount(Box::new(account))];
        if money > Usd::ZERO {
            writes.push(self.credit(id, money));
        }
        self.commit(writes).unwrap();
        id
    }

    pub(crate) fn credit(&self, account: AccountId, amount: Usd) -> Write {
        Write::Credit {
            account,
            row: self.store.next_row_id(),
            amount,
            note: "paid in cash".into(),
        }
    }

    pub(crate) fn wallet(&self, account: AccountId) -> Wallet {
        wait(self.store.wallet(account)).unwrap().unwrap()
    }

    /// Available and held, in micro-dollars.
    pub(crate) fn money(&self, account: AccountId) -> (i64, i64) {
        let wallet = self.wallet(account);
        (wallet.available.0, wallet.held.0)
    }

    /// An activation that is not stored yet.
    pub(crate) fn new_activation(&self, account: AccountId) -> Activation {
        activation(self.store.next_order_id(), account)
    }

    /// An activation in `Calling`.
    pub(crate) fn calling(&self, account: AccountId) -> Activation {
        let new = self.new_activation(account);
        let id = new.id;
        self.commit(new.open(&PLAN)).unwrap();
        self.activation(id)
    }

    /// An activation with a number.
    pub(crate) fn active(&self, account: AccountId, number: &Number) -> Activation {
        let calling = self.calling(account);
        let id = calling.id;
        self.commit(calling.bought(number, &PLAN, NOW, "raw".into()))
            .unwrap();
        self.activation(id)
    }

    pub(crate) fn activation(&self, id: OrderId) -> Activation {
        wait(self.store.activation(id)).unwrap().unwrap()
    }

    /// An SMM order that is not stored yet.
    pub(crate) fn new_smm_order(&self, account: AccountId, link: &str) -> SmmOrder {
        smm_order(self.store.next_order_id(), account, link)
    }

    /// An SMM order that its panel has accepted.
    pub(crate) fn accepted(&self, account: AccountId, link: &str, panel_id: &str) -> SmmOrder {
        let new = self.new_smm_order(account, link);
        let id = new.id;
        self.commit(new.open(&smm_plan())).unwrap();
        let writes = self
            .smm_order(id)
            .accepted(panel_id, &smm_plan(), NOW, "raw".into());
        self.commit(writes).unwrap();
        self.smm_order(id)
    }

    pub(crate) fn smm_order(&self, id: OrderId) -> SmmOrder {
        wait(self.store.smm_order(id)).unwrap().unwrap()
    }

    /// The books are in order.
    pub(crate) fn audited(&self) {
        let audit = wait(self.store.audit(NOW)).unwrap();
        assert_eq!(audit.violations, []);
    }
}

pub(crate) fn account(id: AccountId) -> Account {
    Account {
        id,
        email: format!("customer{id}@example.com"),
        tier: 2,
        api_access: true,
        suspended: false,
        created_at: NOW,
    }
}

pub(crate) fn api_key(id: i64, account: AccountId) -> ApiKey {
    ApiKey {
        id: KeyId(id),
        account,
        public_id: format!("public{id}"),
        mac: [7; 32],
        name: "shop".into(),
        last4: "abcd".into(),
        scopes: vec![Scope::Otp, Scope::Read],
        rate_limit: Some(120),
        allowed_addresses: vec!["10.0.0.0/8".into(), "::1".into()],
        created_at: NOW,
        expires_at: Some(NOW + Millis::minutes(60)),
        disabled: true,
        revoked: false,
    }
}

pub(crate) fn number(id: &str, phone: &str) -> Number {
    Number {
        id: id.into(),
        phone: Phone::parse(phone).unwrap(),
        cost: Some(Usd(30_000)),
        lifetime: None,
        cancel_after: None,
    }
}

pub(crate) fn activation(id: OrderId, account: AccountId) -> Activation {
    Activation {
        id,
        account,
        version: 1,
        state: ActivationState::Calling,
        told: Told::Pending,
        wanted: Wanted {
            server: "peter".into(),
            provider_type: 1,
            country_id: "61".into(),
            country_key: "pk".into(),
            service_id: "306343".into(),
            service_name: "Discord".into(),
            pool_id: Some("7".into()),
        },
        price: PRICE,
        cost_quote: Usd(30_000),
        policy: ("messaging".into(), 3),
        upstream: "peter1".into(),
        attempt: 1,
        upstream_id: None,
        phone: None,
        cost: None,
        disclosed_at: None,
        message: None,
        messages: 0,
        created_at: NOW,
        in_doubt_until: None,
        expires_at: None,
        cancel_allowed_at: None,
        late_code_at: None,
        due_at: None,
        tries: 0,
        failure: None,
    }
}

pub(crate) fn smm_order(id: OrderId, account: AccountId, link: &str) -> SmmOrder {
    SmmOrder {
        id,
        account,
        version: 1,
        state: SmmState::Calling,
        told: Told::Pending,
        service_id: "1".into(),
        service_name: "Followers".into(),
        link: link.into(),
        members: "quantity=1000\nlink=x".into(),
        quantity: 1000,
        flat: false,
        price: PRICE,
        cost_quote: Usd(30_000),
        policy: ("social".into(), 3),
        upstream: "panel1".into(),
        upstream_service: "88".into(),
        attempt: 1,
        upstream_id: None,
        progress: Progress::Pending,
        remains: 1000,
        start_count: 0,
        charge: None,
        candidate: None,
        observations: 0,
        returned: Usd::ZERO,
        adjustments: 0,
        created_at: NOW,
        in_doubt_until: None,
        resolved_at: None,
        due_at: None,
        tries: 0,
        failure: None,
    }
}
