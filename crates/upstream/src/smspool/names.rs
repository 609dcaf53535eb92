//! From the names in the list of orders back to the ids that are bought.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use wire::smspool::{Country, Named};

/// A country as the list of orders means it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its id; nothing where several ids share the two letters.
    pub(super) id: Option<String>,
    /// Its calling code.
    pub(super) calling_code: Option<String>,
}

/// What names mean.
#[derive(Debug, Default)]
pub(super) struct Names {
    services: HashMap<String, String>,
    places: HashMap<String, Place>,
}

impl Names {
    /// Puts the two lists together. Of services with one name the first counts.
    pub(super) fn new(countries: &[Country], services: &[Named]) -> Self {
        let mut names = Self::default();
        for service in services {
            // an id is never shadowed by another service's name
            names
                .services
                .insert(service.id.to_lowercase(), service.id.clone());
        }
        for service in services {
            let id = || service.id.clone();
            names
                .services
                .entry(folded(&service.name))
                .or_insert_with(id);
        }
        for country in countries {
            if let Some(letters) = &country.short_name {
                names.add(folded(letters), country);
            }
        }
        names
    }

    fn add(&mut self, letters: String, country: &Country) {
        match self.places.entry(letters) {
            Entry::Occupied(mut shared) => shared.get_mut().id = None,
            Entry::Vacant(place) => {
                place.insert(Place {
                    id: Some(country.id.clone()),
                    calling_code: country.calling_code.clone(),
                });
            }
        }
    }

    /// Id of a service that is named, or given by its id; the text itself where it is neither.
    pub(super) fn service(&self, text: &str) -> String {
        let known = self.services.get(&folded(text));
        known.cloned().unwrap_or_else(|| text.to_owned())
    }

    /// The country with these two letters.
    pub(super) fn place(&self, letters: Option<&str>) -> Option<&Place> {
        self.places.get(&folded(letters?))
    }
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}
