use super::*;

const CHECKING: &str = include_str!("../../../fixtures/panel_v2/challenge_checking.html");
const BLOCKED: &str = include_str!("../../../fixtures/panel_v2/challenge_blocked.html");
const ERROR_PAGE: &str = include_str!("../../../fixtures/panel_v2/error_page.html");

fn answered(status: u16, body: &str, trusted: bool) -> Purchase<String> {
    let profile = Profile {
        challenge_means_refused: trusted,
        ..Profile::default()
    };
    purchase(Answer { status, body }, [], profile)
}

#[test]
fn a_browser_check_refuses_an_order_only_where_the_profile_says_so() {
    let throttled = Purchase::Refused(Refusal::Throttled);
    for body in [CHECKING, BLOCKED] {
        for status in [200, 403, 429, 503] {
            let trusted = answered(status, body, true);
            assert_eq!(trusted, throttled, "{status}");
            assert_eq!(answered(status, body, false), Purchase::Unknown, "{status}");
        }
        assert_eq!(answered(500, body, true), Purchase::Unknown);
    }
}

#[test]
fn an_error_page_of_what_is_behind_the_check_stays_unknown() {
    for status in [200, 502, 503] {
        let answer = answered(status, ERROR_PAGE, true);
        assert_eq!(answer, Purchase::Unknown, "{status}");
    }
    let quoted = r#"{"note":"just a moment"}"#;
    assert_eq!(answered(200, quoted, true), Purchase::Unknown);
}

#[test]
fn a_browser_check_in_the_place_of_a_list_is_no_list() {
    for body in [CHECKING, BLOCKED, ERROR_PAGE] {
        let answer = Answer::ok(body);
        assert!(matches!(Services::parse(answer), Err(Failure::Html)));
        assert!(matches!(Statuses::parse(answer), Err(Failure::Html)));
        assert!(matches!(Balance::parse(answer), Err(Failure::Html)));
    }
}
