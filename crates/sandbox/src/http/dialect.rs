//! What the dialects of handler_api print differently.

use super::text;
use crate::accounts::Dialect;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use wire::handler_api::{
    ActiveList, ActiveShape, Countries, History, ServiceShape, Services, hero_problem, words,
};

impl Dialect {
    /// How a text is sent.
    pub(super) fn say(self) -> fn(String) -> Response {
        match self {
            Self::Hero => |word| problem_or_text(word, None),
            Self::Classic | Self::SmsBower | Self::Grizzly => text,
        }
    }

    /// A cancel that comes too early: one dialect tells from which age it is granted.
    pub(super) fn too_early(self, lock_s: u32) -> Response {
        let word = "EARLY_CANCEL_DENIED".to_owned();
        match self {
            Self::Hero => problem_or_text(word, Some(lock_s)),
            Self::Classic | Self::SmsBower | Self::Grizzly => text(word),
        }
    }

    pub(super) fn countries(self, list: &Countries) -> String {
        match self {
            Self::Classic => list.print(),
            Self::Hero | Self::SmsBower | Self::Grizzly => list.print_array(),
        }
    }

    pub(super) fn services(self, list: &Services) -> String {
        list.print(match self {
            Self::Classic => ServiceShape::Wrapped,
            Self::SmsBower => ServiceShape::Object,
            Self::Hero | Self::Grizzly => ServiceShape::Array,
        })
    }

    pub(super) fn active(self, list: &ActiveList) -> String {
        list.print(match self {
            Self::Classic | Self::SmsBower => ActiveShape::Wrapped,
            Self::Hero => ActiveShape::Data,
            Self::Grizzly => ActiveShape::Bare,
        })
    }

    /// Whether an empty list is spelled as an error.
    pub(super) fn has_a_word_for_empty(self) -> bool {
        matches!(self, Self::Classic | Self::SmsBower)
    }

    pub(super) fn history(self, list: &History) -> String {
        match self {
            Self::Hero => list.print_data(),
            Self::Classic | Self::SmsBower | Self::Grizzly => list.print(),
        }
    }

    /// Whether a sale tells from when it can be cancelled.
    pub(super) fn tells_cancel_time(self) -> bool {
        self == Self::Grizzly
    }

    /// Whether a repeat of a purchase is recognised by the buyer's id.
    pub(super) fn recognises_repeats(self) -> bool {
        self == Self::Classic
    }
}

/// An error word as a JSON problem with its status, under a content type that denies it; any other
/// text as it is.
fn problem_or_text(body: String, cancel_age_s: Option<u32>) -> Response {
    if words::class_of(&body).is_none() {
        return text(body);
    }
    let status = StatusCode::from_u16(words::hero_status(&body));
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let details = "see the title";
    (status, text(hero_problem(&body, details, cancel_age_s))).into_response()
}
