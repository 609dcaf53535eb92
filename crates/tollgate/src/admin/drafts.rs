//! Upstreams that are drafted at the console: checked as the settings file is, spoken to by the same
//! adapters, written down without their keys.

use super::upstreams::looked_up;
use crate::public_address::is_public;
use crate::settings::{Protocol, Settings};
use crate::wiring;
use app::{Drafted, KeyPlace, UpstreamDraft};
use toml::{Table, Value};
use url::Url;

/// Checks a draft and gives what speaks to it. Unless `near` is allowed, its address is a public one: the
/// form of a page must not be a way to this machine's neighbours.
pub async fn draft(draft: &UpstreamDraft, near: bool) -> Result<Drafted, Vec<String>> {
    let mut table = Table::new();
    for (key, value) in values(draft) {
        table.insert(key.to_owned(), Value::from(value));
    }
    table.insert("key".to_owned(), Value::from(draft.key.as_str()));
    let told = |problems: Vec<crate::settings::Problem>| {
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let upstream = Settings::upstream_of(&draft.name, table).map_err(told)?;
    if upstream.protocol == Protocol::OwnNumbers {
        let why = "protocol: a pool of own numbers is no account that could be tried out";
        return Err(vec![why.to_owned()]);
    }
    let wrong = |why: &str| vec![format!("upstreams.{}.url: {why}", draft.name)];
    let url = Url::parse(&upstream.url).map_err(|error| wrong(&error.to_string()))?;
    let host = url.host_str().ok_or_else(|| wrong("names no host"))?;
    let host = host.trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    // once: a second answer could be another than the one that was checked
    let found = looked_up(&host, port).await.map_err(|why| wrong(&why))?;
    if !near && found.iter().any(|one| !is_public(one.ip())) {
        return Err(wrong(
            "stands in no public network: write it into the settings file and test it there",
        ));
    }
    let place = found[0];
    let adapter = wiring::adapter(&upstream, Some(place));
    let adapter = adapter.map_err(|error| vec![error.to_string()])?;
    Ok(Drafted {
        adapter: adapter.ok_or_else(|| wrong("cannot be tried out"))?,
        host,
        place,
        section: section(draft),
    })
}

/// What the section says beside the key.
fn values(draft: &UpstreamDraft) -> impl Iterator<Item = (&'static str, &str)> {
    let first = [("protocol", &*draft.protocol), ("url", &*draft.url)];
    let others = draft.others.iter().map(|(key, value)| (*key, &**value));
    first.into_iter().chain(others)
}

fn section(draft: &UpstreamDraft) -> String {
    let (place, named) = &draft.key_at;
    let key = match place {
        KeyPlace::File => "key_file",
        KeyPlace::Environment => "key_env",
    };
    let mut lines = vec![format!("[upstreams.{}]", draft.name)];
    let all = values(draft).chain([(key, named.as_str())]);
    lines.extend(all.map(|(key, value)| format!("{key} = {}", Value::from(value))));
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn romeo(url: &str) -> UpstreamDraft {
        UpstreamDraft {
            name: "romeo2".to_owned(),
            protocol: "handler_api".to_owned(),
            url: url.to_owned(),
            key: "k3y-of-nobody".to_owned(),
            key_at: (KeyPlace::File, "/etc/tollgate/ro\"meo.key".to_owned()),
            others: vec![("float_stop_usd", "5".to_owned())],
        }
    }

    async fn refused(one: UpstreamDraft, near: bool) -> String {
        let wrong = draft(&one, near).await.err().unwrap();
        let wrong = wrong.join("\n");
        assert!(!wrong.contains("k3y-of-nobody"), "{wrong}");
        wrong
    }

    #[tokio::test]
    async fn a_section_names_the_place_of_the_key_and_reads_back() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let drafted = draft(&romeo("https://127.0.0.1/api"), true)
            .await
            .ok()
            .unwrap();
        assert_eq!(drafted.place, ([127, 0, 0, 1], 443).into());
        assert!(!drafted.section.contains("k3y"), "{}", drafted.section);
        let table: Table = drafted.section.parse().unwrap();
        let read = &table["upstreams"]["romeo2"];
        assert_eq!(read["key_file"].as_str(), Some("/etc/tollgate/ro\"meo.key"));
        assert_eq!(read["float_stop_usd"].as_str(), Some("5"));
    }

    /// What is handed on is the address that was checked and no name.
    #[tokio::test]
    async fn a_name_is_looked_up_once() {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let drafted = draft(&romeo("https://localhost:8443/api"), true).await;
        let place = drafted.ok().unwrap().place;
        assert!(place.ip().is_loopback() && place.port() == 8443, "{place}");
        let near = refused(romeo("https://localhost/api"), false).await;
        assert!(near.contains("stands in no public network"), "{near}");
    }

    #[tokio::test]
    async fn mistakes_are_named_and_no_neighbour_is_spoken_to() {
        let near = refused(romeo("https://127.0.0.1/api"), false).await;
        assert!(
            near.contains("upstreams.romeo2.url: stands in no"),
            "{near}"
        );
        let plain = refused(romeo("http://api.example.com/"), true).await;
        assert!(plain.contains("upstreams.romeo2.url: must begin with https"));
        let mut odd = romeo("https://127.0.0.1/");
        odd.others = vec![
            ("float_stop_usd", "-5".to_owned()),
            ("dialect", "x".to_owned()),
        ];
        let odd = refused(odd, true).await;
        assert!(
            odd.contains("float_stop_usd") && odd.contains("dialect"),
            "{odd}"
        );
        let mut own = romeo("https://127.0.0.1/");
        own.protocol = "own_numbers".to_owned();
        assert!(!refused(own, true).await.is_empty());
        let mut unnamed = romeo("https://127.0.0.1/");
        unnamed.name = "Romeo 2".to_owned();
        assert!(refused(unnamed, true).await.contains("must be named with"));
    }
}
