//! Proxies on the way to upstreams, looked at before anything is bought through them.

use crate::settings::Settings;
use std::collections::BTreeMap;
use upstream::{ProxyConduct, check_proxy};

/// Refuses a proxy that sends a request again by itself: a purchase would be made twice. Only those
/// are looked at that can read what they carry: HTTP proxies in front of `http://` upstreams.
pub async fn check(settings: &Settings) -> anyhow::Result<()> {
    let mut proxies = BTreeMap::new();
    for one in &settings.upstreams {
        let Some(proxy) = &one.proxy else { continue };
        if one.url.starts_with("http://") && proxy.expose().starts_with("http") {
            proxies.entry(proxy.expose()).or_insert(&one.name);
        }
    }
    for (proxy, name) in proxies {
        match check_proxy(proxy).await {
            Ok(ProxyConduct::Once) => {}
            Ok(ProxyConduct::Repeats) => anyhow::bail!(
                "upstreams.{name}.proxy: this proxy sends a GET again by itself when its connection breaks, so one \
                 purchase would be made twice; turn its retries off, or use an https:// address of the upstream"
            ),
            Ok(ProxyConduct::NotSeen) => tracing::warn!(
                upstream = %name,
                "whether the proxy repeats purchases could not be tested: it does not come back to this machine; \
                 make sure that it never sends a request again by itself"
            ),
            Err(error) => anyhow::bail!("upstreams.{name}.proxy: {error}"),
        }
    }
    Ok(())
}
