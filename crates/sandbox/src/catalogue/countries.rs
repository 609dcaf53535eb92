//! The countries on sale and what a mobile number looks like there.

/// One country with its numbering plan, as far as made-up numbers need it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Country {
    /// English name; a server may show a name of its own.
    pub(crate) name: &'static str,
    /// Calling code, digits only.
    pub(crate) calling_code: &'static str,
    /// Leading digits of mobile numbers after the calling code, separated by spaces.
    pub(crate) prefixes: &'static str,
    /// Length of a number after the calling code.
    pub(crate) national_digits: usize,
}

const fn country(
    name: &'static str,
    calling_code: &'static str,
    prefixes: &'static str,
    national_digits: usize,
) -> Country {
    Country {
        name,
        calling_code,
        prefixes,
        national_digits,
    }
}

/// Position of Pakistan in [`COUNTRIES`].
pub(crate) const PAKISTAN: usize = 0;
/// Position of the United States in [`COUNTRIES`].
pub(crate) const UNITED_STATES: usize = 1;

/// Every country; the first two are the ones that each server sells.
pub(crate) const COUNTRIES: &[Country] = &[
    country("Pakistan", "92", "30 31 32 33 34", 10),
    country(
        "United States",
        "1",
        "2022 2135 3124 4158 5126 6173 7026 8134 9175",
        10,
    ),
    country("Algeria", "213", "55 56 66 67 77 79", 9),
    country("Argentina", "54", "9114 9115 9116 9341 9351", 11),
    country("Armenia", "374", "41 55 77 91 93 94 98 99", 8),
    country("Australia", "61", "40 41 42 43 45", 9),
    country("Austria", "43", "660 664 676 699", 10),
    country("Azerbaijan", "994", "50 51 55 70 77", 9),
    country("Bangladesh", "880", "13 15 16 17 18 19", 10),
    country("Belgium", "32", "470 475 485 495", 9),
    country("Bolivia", "591", "70 71 72 76", 8),
    country("Brazil", "55", "119 219 319 419 519", 11),
    country("Bulgaria", "359", "87 88 89 98", 9),
    country("Cambodia", "855", "10 11 12 16 69 70 77 92 93", 8),
    country("Canada", "1", "4032 4164 5147 6045 6136 9053", 10),
    country("Chile", "56", "95 96 97 98 99", 9),
    country("China", "86", "130 135 138 150 186", 11),
    country("Colombia", "57", "300 301 310 311 320", 10),
    country("Costa Rica", "506", "60 70 83 87", 8),
    country("Croatia", "385", "91 95 98 99", 9),
    country("Czechia", "420", "601 605 720 728 737 770", 9),
    country("Denmark", "45", "20 21 26 30 31 40 50 60", 8),
    country("Dominican Republic", "1", "8092 8295 8496", 10),
    country("Ecuador", "593", "95 96 98 99", 9),
    country("Egypt", "20", "100 101 106 111 112 120 122", 10),
    country("Estonia", "372", "51 53 55 56 58", 8),
    country("Ethiopia", "251", "91 92 93 94", 9),
    country("Finland", "358", "40 44 45 50", 9),
    country("France", "33", "60 61 62 66 68 75", 9),
    country("Georgia", "995", "551 555 571 577 591 593 599", 9),
    country("Germany", "49", "151 152 157 176", 11),
    country("Ghana", "233", "20 24 26 27 50 54 55", 9),
    country("Greece", "30", "690 693 694 697 698", 10),
    country("Guatemala", "502", "30 40 50 55", 8),
    country(
        "Hong Kong",
        "852",
        "51 53 54 55 56 59 60 61 62 63 64 65 90",
        8,
    ),
    country("Hungary", "36", "20 30 70", 9),
    country("India", "91", "70 88 96 97 98", 10),
    country("Indonesia", "62", "812 813 852 857", 11),
    country("Ireland", "353", "83 85 86 87 89", 9),
    country("Israel", "972", "50 52 53 54 58", 9),
    country("Italy", "39", "320 328 333 338 347 349", 10),
    country("Japan", "81", "70 80 90", 10),
    country("Kazakhstan", "7", "701 702 705 707 777", 10),
    country("Kenya", "254", "70 71 72 74 79", 9),
    country("Kyrgyzstan", "996", "50 55 70 77", 9),
    country("Latvia", "371", "20 22 25 26 28 29", 8),
    country("Lithuania", "370", "60 61 65 67 68", 8),
    country("Malaysia", "60", "12 13 16 17 19", 9),
    country("Mexico", "52", "33 55 81", 10),
    country("Moldova", "373", "60 68 69 78 79", 8),
    country("Morocco", "212", "60 61 62 65 66 67", 9),
    country("Nepal", "977", "980 981 984 985 986", 10),
    country("Netherlands", "31", "61 62 63 64 65", 9),
    country("New Zealand", "64", "21 22 27", 9),
    country("Nigeria", "234", "703 803 805 806 813 905", 10),
    country("Norway", "47", "40 41 45 90 92 93 98", 8),
    country("Peru", "51", "92 94 95 97 98", 9),
    country("Philippines", "63", "905 917 918 927", 10),
    country("Poland", "48", "50 51 60 66 69 72", 9),
    country("Portugal", "351", "91 92 93 96", 9),
    country("Romania", "40", "72 73 74 75 76", 9),
    country("Russia", "7", "903 905 916 926 958", 10),
    country("Saudi Arabia", "966", "50 53 54 55 56 59", 9),
    country("Serbia", "381", "60 61 62 63 64 65", 9),
    country("Singapore", "65", "81 82 83 84 85 86 87 91 92 96", 8),
    country("Slovakia", "421", "901 905 907 910 948", 9),
    country("Slovenia", "386", "30 31 40 41 51 70", 8),
    country("South Africa", "27", "60 71 72 73 76 82 83 84", 9),
    country("South Korea", "82", "10", 10),
    country("Spain", "34", "60 61 62 65 66", 9),
    country("Sri Lanka", "94", "70 71 72 75 76 77 78", 9),
    country("Sweden", "46", "70 72 73 76 79", 9),
    country("Switzerland", "41", "76 77 78 79", 9),
    country("Taiwan", "886", "90 91 92 93 95 96 97 98", 9),
    country("Tanzania", "255", "65 71 74 75 76 78", 9),
    country("Thailand", "66", "81 82 86 89 91", 9),
    country("Tunisia", "216", "20 22 50 52 90 97 98", 8),
    country("Turkey", "90", "530 532 535 542 555", 10),
    country("Ukraine", "380", "50 63 66 67 93 96 97", 9),
    country("United Arab Emirates", "971", "50 52 54 55 56 58", 9),
    country("United Kingdom", "44", "74 75 77 78 79", 10),
    country("Uzbekistan", "998", "90 91 93 94 97 99", 9),
    country("Venezuela", "58", "412 414 416 424", 10),
    country("Vietnam", "84", "90 91 93 96 97", 9),
];
