//! The contract on maps.

use super::Memory;

macro_rules! contract {
    ($($room:ident: $($test:ident),+;)+) => {$(
        mod $room {
            $(#[test]
            fn $test() {
                crate::contract::$room::$test(&super::Memory::default());
            })+
        }
    )+};
}

crate::contract::of_orders!(contract);
