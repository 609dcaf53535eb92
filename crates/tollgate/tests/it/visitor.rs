//! A browser without scripts: pages, forms with their tokens, cookies. Redirects are shown, not
//! followed.

use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// Somebody who looks at pages.
pub struct Visitor {
    http: reqwest::Client,
    base: String,
    cookies: BTreeMap<String, String>,
}

/// A page, or where the browser is sent.
#[derive(Debug)]
pub struct Seen {
    pub status: u16,
    pub location: String,
    pub text: String,
}

impl Seen {
    /// The first value of an attribute in the page, given what stands before it.
    pub fn after(&self, mark: &str) -> Option<&str> {
        let (_, rest) = self.text.split_once(mark)?;
        rest.split('"').next()
    }

    /// A page with everything between angle brackets left out and spaces as one.
    pub fn words(&self) -> String {
        let parts = self.text.split('<');
        let texts = parts.map(|part| part.split_once('>').map_or(part, |(_, text)| text));
        let words = texts.collect::<Vec<_>>().join(" ");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

impl Visitor {
    pub fn new(base: &str) -> Self {
        // taken by whoever was first
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(40))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            http,
            base: base.to_owned(),
            cookies: BTreeMap::new(),
        }
    }

    /// Signed in as the demo's customer.
    pub async fn customer(facts: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut visitor = Self::new(&text(&facts["base_url"]));
        let email = text(&facts["customer"]["email"]);
        let password = text(&facts["customer"]["password"]);
        let fields = [("email", email.as_str()), ("password", password.as_str())];
        let sent = visitor.send("/sign-in", "/sign-in", &fields).await;
        assert_eq!(sent.status, 303, "{}", sent.text);
        visitor
    }

    pub async fn page(&mut self, path: &str) -> Seen {
        let request = self.http.get(self.url(path));
        self.ask(request).await.expect("an answer")
    }

    /// As [`Self::page`]; nothing where no answer came.
    pub async fn try_page(&mut self, path: &str) -> Option<Seen> {
        let request = self.http.get(self.url(path));
        self.ask(request).await
    }

    /// Sends a form with the token of the page that it is on.
    pub async fn send(&mut self, on: &str, to: &str, fields: &[(&str, &str)]) -> Seen {
        self.try_send(on, to, fields).await.expect("an answer")
    }

    /// As [`Self::send`]; nothing where no answer came.
    pub async fn try_send(&mut self, on: &str, to: &str, fields: &[(&str, &str)]) -> Option<Seen> {
        let page = self.try_page(on).await?;
        let token = page
            .after("name=\"form_token\" value=\"")
            .unwrap_or_default();
        let mut form = form(fields);
        form.push_str("&form_token=");
        form.push_str(token);
        if let Some(once) = page.after("name=\"once\" value=\"")
            && !fields.iter().any(|(name, _)| *name == "once")
        {
            form.push_str("&once=");
            form.push_str(once);
        }
        let request = self.http.post(self.url(to)).body(form);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.ask(request).await
    }

    /// Begins a top-up; gives its number.
    pub async fn top_up(&mut self, method: &str, amount: &str) -> Option<i64> {
        let fields = [
            ("method", method),
            ("amount", amount),
            ("currency", "USD"),
            ("note", "from Ana"),
        ];
        let path = "/wallet/top-up";
        let sent = self.try_send(path, path, &fields).await?;
        assert_eq!(sent.status, 303, "{}", sent.words());
        let id = sent.location.rsplit('/').next().unwrap();
        Some(id.parse().unwrap())
    }

    /// Pays a top-up on the processor's page with one of its buttons; gives where the processor
    /// sends the browser.
    pub async fn pay(&mut self, id: i64, button: &str) -> String {
        let page = self.page(&format!("/wallet/top-up/{id}")).await;
        let url = page
            .after("class=\"button\" href=\"")
            .expect("a page to pay on");
        let url = url.replace("&amp;", "&").replace("&#x2f;", "/");
        let shown = self.http.get(&url).send().await.unwrap();
        assert_eq!(shown.status(), 200);
        let html = shown.text().await.unwrap();
        assert!(html.contains(&format!("value=\"{button}\"")), "{html}");
        let pressed = self.http.post(&url).body(format!("do={button}"));
        let back = pressed.send().await.unwrap();
        assert_eq!(back.status(), 303);
        back.headers()["location"].to_str().unwrap().to_owned()
    }

    /// State of a top-up as its page has it.
    pub async fn state(&mut self, id: i64) -> String {
        let page = self.page(&format!("/wallet/top-up/{id}")).await;
        page.after("data-state=\"").unwrap().to_owned()
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    async fn ask(&mut self, request: reqwest::RequestBuilder) -> Option<Seen> {
        let pairs = self.cookies.iter();
        let cookies: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = request.header("cookie", cookies.join("; "));
        let response = request.send().await.ok()?;
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = response.headers().get("location");
        Some(Seen {
            status: response.status().as_u16(),
            location: location.map_or_else(String::new, |to| to.to_str().unwrap().to_owned()),
            text: response.text().await.ok()?,
        })
    }
}

/// Fields as a form; tests write plain words.
fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        let bytes = text.bytes();
        let hex = bytes.map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        });
        hex.collect()
    };
    let pairs = fields.iter();
    let pairs = pairs.map(|(name, value)| format!("{name}={}", encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}
