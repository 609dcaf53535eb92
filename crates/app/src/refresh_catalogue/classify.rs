//! Classifying services while the program runs: what nobody has classified is not sold.

use crate::engine::Engine;
use domain::policy::{OtpClass, Rules};
use domain::ports::StoreError;
use std::sync::Arc;

impl Engine {
    /// Classifies a service by its name, from now on and over restarts.
    ///
    /// # Errors
    /// There is no place to remember it, or it cannot be written.
    pub async fn classify_service(&self, name: &str, class: OtpClass) -> Result<(), StoreError> {
        let none = || StoreError("there is no place to remember classes".to_owned());
        let archive = self.outside.archive.clone().ok_or_else(none)?;
        // the archive is no part of the store: what is to be done is written down before it
        let object = format!("service {name:?}: {}", class.slug());
        let noted = self.note("classify_service", None, object).await;
        noted.map_err(|error| StoreError(error.to_string()))?;
        let service = name.to_owned();
        let written = self
            .compute(move || archive.classify(&service, class))
            .await;
        written.unwrap_or_else(|| Err(none()))?;
        self.listings
            .last_good()
            .classes
            .insert(name.to_owned(), class);
        let rules = self.rules_in_force();
        {
            let mut listings = self.listings.last_good();
            for shelf in listings.numbers.values_mut() {
                *shelf = Arc::new(shelf.classified(&rules));
            }
        }
        self.rebuild_catalogue();
        Ok(())
    }

    /// Classes that the operator gave to services by name: in the settings, and since.
    pub fn classes_given(&self) -> Vec<(String, OtpClass)> {
        let rules = self.rules_in_force();
        let named = rules.otp_names();
        named
            .map(|(name, class)| (name.to_owned(), class))
            .collect()
    }

    /// The rules of the settings and what the operator classified since.
    pub(super) fn rules_in_force(&self) -> Rules {
        let mut rules = self.settings.rules.clone();
        for (name, class) in &self.listings.last_good().classes {
            rules.classify_otp_name_as(name, *class);
        }
        rules
    }
}
