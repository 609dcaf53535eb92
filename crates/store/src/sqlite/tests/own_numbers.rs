use super::Folder;
use crate::Database;
use crate::contract::own_numbers as contract;

macro_rules! both {
    ($($test:ident),+) => {$(
        #[test]
        fn $test() {
            let store = Database::in_memory().unwrap();
            contract::$test(&store, &store);
            let folder = Folder::new();
            let store = Database::open(folder.path()).unwrap();
            contract::$test(&store, &store);
        }
    )+};
}

both!(
    a_number_joins_once_and_comes_back_after_it_was_retired,
    one_living_allocation_for_a_number_and_the_longest_rested_first,
    a_number_is_only_rented_for_what_it_may_be,
    a_message_belongs_to_the_rent_during_which_it_came,
    an_allocation_with_a_message_is_not_cancelled
);
