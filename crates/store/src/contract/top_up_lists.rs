//! Lists of top-ups, as the console narrows them.

use super::wait;
use domain::ids::AccountId;
use domain::ports::TopUpRows;
use domain::top_up::{Processor, TopUpState, TopUpsOf};

/// Lists by everything that they can be narrowed by.
pub(super) fn filters_narrow<S: TopUpRows>(
    store: &S,
    (ana, bob): (AccountId, AccountId),
    [card, bank, failed]: [i64; 3],
) {
    let wanted = |wanted: TopUpsOf| {
        let rows = wait(store.top_ups(&wanted)).unwrap();
        rows.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let all = || TopUpsOf {
        limit: 10,
        ..TopUpsOf::default()
    };
    let waiting = TopUpsOf {
        waiting: true,
        account: Some(ana),
        ..all()
    };
    assert_eq!(wanted(waiting), [bank]);
    for row in wait(store.top_ups(&all())).unwrap() {
        assert_eq!(row.waits(), row.id == bank, "{row:?}");
    }
    let newest = TopUpsOf { limit: 2, ..all() };
    assert_eq!(wanted(newest), [failed, bank]);
    for (narrow, fit) in [
        (
            TopUpsOf {
                account: Some(bob),
                ..all()
            },
            vec![],
        ),
        (
            TopUpsOf {
                processor: Some(Processor::Manual),
                ..all()
            },
            vec![bank],
        ),
        (
            TopUpsOf {
                state: Some(TopUpState::Failed),
                ..all()
            },
            vec![failed],
        ),
        (
            TopUpsOf {
                before: Some(bank),
                ..all()
            },
            vec![card],
        ),
    ] {
        assert_eq!(wanted(narrow.clone()), fit, "{narrow:?}");
    }
}
