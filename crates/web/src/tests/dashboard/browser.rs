//! A browser without scripts: keeps its cookie, sends forms with the token of the page it saw.

use crate::tests::world::{Answered, World};
use axum::body::Body;
use axum::http::Request;
use domain::ids::AccountId;
use std::sync::atomic::{AtomicU64, Ordering};

/// A part of a form: its field, the name of a file if it is one, and what is in it.
pub(in crate::tests) type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

/// Between two of them.
const BOUNDARY: &str = "----between-parts";

pub(in crate::tests) struct Browser<'a> {
    pub world: &'a World,
    pub cookie: String,
    pub form_token: String,
    /// Where it is on the network.
    pub peer: String,
}

impl<'a> Browser<'a> {
    pub fn new(world: &'a World) -> Self {
        Self {
            world,
            cookie: String::new(),
            form_token: String::new(),
            peer: "127.0.0.1:4000".to_owned(),
        }
    }

    /// A browser somewhere else.
    pub fn at(world: &'a World, peer: &str) -> Self {
        Self {
            peer: peer.to_owned(),
            ..Self::new(world)
        }
    }

    pub async fn get(&mut self, path: &str) -> Answered {
        let request = Request::get(path).header("cookie", &self.cookie);
        let request = request.body(Body::empty()).unwrap();
        let answer = self.world.send_from(&self.peer, request).await;
        self.look(answer)
    }

    /// Sends a form as its page would.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answered {
        let token = self.form_token.clone();
        let mut fields = fields.to_vec();
        fields.push(("form_token", &token));
        self.post_bare(path, &fields).await
    }

    /// Sends a form that begins a top-up, as its page would.
    pub async fn tops_up(&mut self, fields: &[(&str, &str)]) -> Answered {
        let key = fresh_key();
        let mut fields = fields.to_vec();
        fields.push(("once", &key));
        self.post("/wallet/top-up", &fields).await
    }

    /// Sends a form with files as its page would; each part is a field, the name of a file if it is one,
    /// and what is in it.
    pub async fn post_parts(&mut self, path: &str, parts: &[Part<'_>]) -> Answered {
        let token = self.form_token.clone();
        let first = [("form_token", None, token.as_bytes())];
        self.post_parts_bare(path, &[&first, parts].concat()).await
    }

    /// The same without the token.
    pub async fn post_parts_bare(&mut self, path: &str, parts: &[Part<'_>]) -> Answered {
        let mut body = Vec::new();
        for (name, file, content) in parts {
            body.extend(
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"").bytes(),
            );
            if let Some(file) = file {
                body.extend(format!("; filename=\"{file}\"\r\nContent-Type: image/png").bytes());
            }
            body.extend(b"\r\n\r\n");
            body.extend(*content);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{BOUNDARY}--\r\n").bytes());
        let media_type = format!("multipart/form-data; boundary={BOUNDARY}");
        self.post_bytes(path, &media_type, body).await
    }

    /// Sends a body of any type.
    pub async fn post_bytes(&mut self, path: &str, media_type: &str, body: Vec<u8>) -> Answered {
        let request = Request::post(path)
            .header("cookie", &self.cookie)
            .header("content-type", media_type)
            .header("host", "127.0.0.1:8080")
            .header("origin", "http://127.0.0.1:8080");
        let request = request.body(Body::from(body)).unwrap();
        let answer = self.world.send_from(&self.peer, request).await;
        self.look(answer)
    }

    /// Sends a form as somebody else's page would: without the token.
    pub async fn post_bare(&mut self, path: &str, fields: &[(&str, &str)]) -> Answered {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let media_type = "application/x-www-form-urlencoded";
        self.post_bytes(path, media_type, body.into_bytes()).await
    }

    /// Takes over what the page gives: its cookie and its forms' token.
    fn look(&mut self, answer: Answered) -> Answered {
        if let Some(line) = answer.header("set-cookie") {
            assert!(
                line.contains("; Secure; HttpOnly; SameSite=") && line.contains("Path=/"),
                "{line}"
            );
            let pair = line.split(';').next().unwrap();
            self.cookie = pair.to_owned();
        }
        if let Some((_, after)) = answer.text.split_once("name=\"form_token\" value=\"") {
            self.form_token = after.split('"').next().unwrap().to_owned();
        }
        answer
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) -> Answered {
        self.get("/sign-in").await;
        self.post("/sign-in", &[("email", email), ("password", password)])
            .await
    }

    /// The link in the newest mail, as a path.
    pub async fn newest_link(&self) -> String {
        let mails = self.world.door.people.rows().mails(1).await.unwrap();
        let text = &mails[0].text;
        let start = text.find("http://127.0.0.1:8080/").unwrap() + "http://127.0.0.1:8080".len();
        let link = &text[start..];
        link[..link.find(char::is_whitespace).unwrap()].to_owned()
    }
}

/// Of a form that is sent once.
pub(in crate::tests) fn fresh_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{:032x}", NEXT.fetch_add(1, Ordering::SeqCst))
}

/// A page without its forms' tokens and keys, which are spelled anew each time.
pub(super) fn without_tokens(page: &str) -> String {
    let without = |page: String, name: &str| {
        let mark = format!("name=\"{name}\" value=\"");
        let mut parts = page.split(&mark);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |page, part| {
            page + part.split_once('"').map_or(part, |(_, rest)| rest)
        })
    };
    ["form_token", "once"]
        .into_iter()
        .fold(page.to_owned(), without)
}

pub(in crate::tests) fn location(answer: &Answered) -> &str {
    answer.header("location").unwrap_or_default()
}

/// Of every customer here.
pub(in crate::tests) const PASSWORD: &str = "violet anchor parade seven";

/// The world's own customer, signed in.
pub(in crate::tests) async fn customer(world: &World) -> Browser<'_> {
    signed_in(world, world.account).await
}

/// Whoever an account belongs to, signed in.
pub(in crate::tests) async fn signed_in(world: &World, id: AccountId) -> Browser<'_> {
    let account = world.door.engine.store().account(id).await;
    let account = account.unwrap().unwrap();
    let people = &world.door.people;
    people.set_password(id, PASSWORD).await.unwrap();
    let mut browser = Browser::new(world);
    let answer = browser.sign_in(&account.email, PASSWORD).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    browser
}

/// The code that an authenticator app shows now.
pub(in crate::tests) fn code(world: &World, secret: &str) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let now = u64::try_from(world.door.engine.now().0 / 1000).unwrap();
    totp.generate(now).to_string()
}

pub(in crate::tests) fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let start = text.find(before).unwrap() + before.len();
    let end = text[start..].find(after).unwrap();
    &text[start..start + end]
}
