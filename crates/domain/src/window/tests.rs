//! Properties of the sliding window against a model that remembers every admission.

use super::*;
use proptest::prelude::*;

/// Every admission ever made, and the rule in one line.
#[derive(Default)]
struct Model(Vec<i64>);

impl Model {
    fn admit(&mut self, limit: u32, now_ms: i64) -> bool {
        let admitted = self.counted(now_ms) < limit as usize;
        if admitted {
            self.0.push(now_ms);
        }
        admitted
    }

    fn counted(&self, now_ms: i64) -> usize {
        self.0.iter().filter(|&&at| at > now_ms - WINDOW_MS).count()
    }

    fn first_admitted_second(&self, limit: u32, now_ms: i64) -> u32 {
        (1..)
            .find(|s| self.counted(now_ms + i64::from(*s) * 1_000) < limit as usize)
            .unwrap()
    }
}

fn most_in_any_window(times: &[i64]) -> usize {
    let within = |start: i64| {
        let window = start..start + WINDOW_MS;
        times.iter().filter(|time| window.contains(time)).count()
    };
    times.iter().map(|&start| within(start)).max().unwrap_or(0)
}

fn times(steps: &[i64]) -> Vec<i64> {
    let mut now_ms = 1_700_000_000_000;
    let mut walk = |step: &i64| {
        now_ms += step;
        now_ms
    };
    steps.iter().map(&mut walk).collect()
}

#[test]
fn sixty_pass_and_the_next_waits_for_the_oldest() {
    let mut window = Window::new();
    for i in 0..60 {
        let admission = window.admit(60, i * 100);
        assert!(admission.admitted);
        assert_eq!(admission.remaining, 59 - i as u32);
    }
    let refused = Admission {
        admitted: false,
        limit: 60,
        remaining: 0,
        reset_s: 54,
    };
    assert_eq!(window.admit(60, 6_000), refused);
    assert_eq!(window.admit(60, 59_001).reset_s, 1);
    assert!(!window.admit(60, 59_999).admitted);
    assert!(window.admit(60, 60_000).admitted);
    assert!(!window.admit(60, 60_099).admitted);
    assert!(window.admit(60, 60_100).admitted);
}

#[test]
fn while_some_remain_reset_is_when_the_oldest_leaves() {
    let mut window = Window::new();
    assert_eq!(window.admit(60, 0).reset_s, 60);
    assert_eq!(window.admit(60, 10_500).reset_s, 50);
}

#[test]
fn a_lowered_limit_waits_until_enough_have_left() {
    let mut window = Window::new();
    for second in 0..10 {
        window.admit(10, second * 1_000);
    }
    let refused = window.admit(3, 10_000);
    // seven of ten still count at 62 s, two at 67 s
    assert_eq!(
        (refused.admitted, refused.remaining, refused.reset_s),
        (false, 0, 57)
    );
    assert!(!window.admit(3, 66_999).admitted);
    assert!(window.admit(3, 67_000).admitted);
}

#[test]
fn a_raised_limit_keeps_what_was_counted() {
    let mut window = Window::new();
    (0..1_000).for_each(|i| assert!(window.admit(1_000, i).admitted));
    assert_eq!(window.admit(5_000, 1_000).remaining, 3_999);
    assert!(!window.admit(1_000, 1_001).admitted);
}

#[test]
fn a_limit_of_zero_refuses_always() {
    let refused = Admission {
        admitted: false,
        limit: 0,
        remaining: 0,
        reset_s: 60,
    };
    assert_eq!(Window::new().admit(0, 5), refused);
}

#[test]
fn a_clock_set_back_frees_nothing_and_the_answer_stays_true() {
    let mut window = Window::new();
    assert!(window.admit(2, 100_000).admitted);
    assert!(window.admit(2, 100_000).admitted);
    let refused = window.admit(2, 40_000);
    assert_eq!((refused.admitted, refused.reset_s), (false, 120));
    assert!(!window.admit(2, 159_999).admitted);
    assert!(window.admit(2, 160_000).admitted);
}

#[test]
fn a_million_a_minute_stays_small_and_never_passes_the_limit() {
    let limit = 1_000_000;
    let mut window = Window::new();
    let mut admitted = 0;
    for i in 0..1_500_000_i64 {
        admitted += u32::from(window.admit(limit, i / 50).admitted);
    }
    assert_eq!(admitted, limit);
    assert!(window.runs.len() <= 601, "{} runs", window.runs.len());
    // the first slot left with its last millisecond, 99
    assert!(!window.admit(limit, 60_098).admitted);
    assert!(window.admit(limit, 60_099).admitted);
}

#[test]
fn memory_stays_bounded_when_the_limit_swings() {
    let mut window = Window::new();
    for now_ms in 0..200_000 {
        window.admit(if now_ms % 2 == 0 { 1_000 } else { 2_000_000 }, now_ms);
        assert!(
            window.runs.len() <= 1_602,
            "{} runs at {now_ms}",
            window.runs.len()
        );
    }
}

#[test]
fn idle_means_nothing_is_lost_by_forgetting() {
    let mut window = Window::new();
    assert!(window.is_idle(0));
    window.admit(5, 1_000);
    assert!(!window.is_idle(60_999));
    assert!(window.is_idle(61_000));
}

#[test]
fn the_ends_of_time_do_not_overflow() {
    for limit in [1, 5_000] {
        let mut window = Window::new();
        window.admit(limit, i64::MIN);
        window.admit(limit, i64::MAX);
        window.admit(limit, i64::MIN);
        window.admit(limit, 0);
    }
}

proptest! {
    #[test]
    fn small_limits_agree_with_the_model(
        limit in 1..8_u32,
        steps in prop::collection::vec(prop_oneof![0..50_i64, 0..30_000_i64], 1..200),
    ) {
        let (mut window, mut model) = (Window::new(), Model::default());
        for now_ms in times(&steps) {
            let admission = window.admit(limit, now_ms);
            prop_assert_eq!(admission.admitted, model.admit(limit, now_ms));
            prop_assert_eq!(admission.remaining as usize, limit as usize - model.counted(now_ms));
            if admission.remaining == 0 {
                prop_assert_eq!(admission.reset_s, model.first_admitted_second(limit, now_ms));
            }
        }
        prop_assert!(most_in_any_window(&model.0) <= limit as usize);
    }

    #[test]
    fn a_limit_that_moves_agrees_with_the_model(
        asks in prop::collection::vec((0..12_u32, 0..9_000_i64), 1..200),
    ) {
        let (mut window, mut model) = (Window::new(), Model::default());
        let mut now_ms = 0;
        for (limit, step) in asks {
            now_ms += step;
            let admission = window.admit(limit, now_ms);
            prop_assert_eq!(admission.admitted, model.admit(limit, now_ms));
            if !admission.admitted && limit > 0 {
                prop_assert_eq!(admission.reset_s, model.first_admitted_second(limit, now_ms));
            }
        }
    }

    #[test]
    fn while_the_clock_is_back_time_stands_still(
        asks in prop::collection::vec((0..6_u32, -90_000..60_000_i64), 1..200),
    ) {
        let (mut window, mut model) = (Window::new(), Model::default());
        let (mut now_ms, mut latest_ms) = (0, i64::MIN);
        for (limit, step) in asks {
            now_ms += step;
            latest_ms = now_ms.max(latest_ms);
            let admission = window.admit(limit, now_ms);
            prop_assert_eq!(admission.admitted, model.admit(limit, latest_ms));
        }
        prop_assert!(most_in_any_window(&model.0) < 6);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn slots_never_admit_more_and_lose_no_more_than_their_width(
        limit in 1_001..1_400_u32,
        bursts in prop::collection::vec((0..20_000_i64, 1..900_u32), 1..25),
    ) {
        let mut window = Window::new();
        let mut admitted: Vec<i64> = Vec::new();
        let mut now_ms = 77;
        for (step, asks) in bursts {
            now_ms += step;
            for _ in 0..asks {
                if window.admit(limit, now_ms).admitted {
                    admitted.push(now_ms);
                    continue;
                }
                let since_ms = now_ms - WINDOW_MS - SLOT_MS;
                let counted = admitted.iter().filter(|&&at| at > since_ms).count();
                prop_assert!(counted >= limit as usize, "refused with {counted} of {limit}");
            }
        }
        prop_assert!(most_in_any_window(&admitted) <= limit as usize);
    }

    #[test]
    fn whoever_waits_as_told_is_admitted_and_not_a_second_earlier(
        limit in prop_oneof![1..20_u32, 1_001..1_100_u32],
        steps in prop::collection::vec(0..40_i64, 1_200..1_300),
    ) {
        let mut window = Window::new();
        for now_ms in times(&steps) {
            let admission = window.admit(limit, now_ms);
            if !admission.admitted {
                prop_assert!(admission.reset_s >= 1);
                let wait_ms = i64::from(admission.reset_s) * 1_000;
                prop_assert!(window.clone().admit(limit, now_ms + wait_ms).admitted);
                prop_assert!(!window.clone().admit(limit, now_ms + wait_ms - 1_000).admitted);
            }
        }
    }
}
