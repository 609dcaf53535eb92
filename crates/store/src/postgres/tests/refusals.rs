//! Servers that must not be used, or cannot be, each in words that name what is wrong; waits that end.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::JoinHandle;
use std::time::Duration;

use domain::change::CommitError;

use super::server::refusal;
use super::{Private, intruder, private};
use crate::Database;
use crate::contract::{PLAN, PRICE, World};
use crate::postgres::PostgresSettings;

/// A server that says one thing to whoever comes first.
fn says(answer: Vec<u8>) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 512];
        assert!(stream.read(&mut hello).unwrap() > 0);
        stream.write_all(&answer).unwrap();
        // until the other side has understood
        let _ended = stream.read(&mut hello);
    });
    (address.to_string(), thread)
}

/// An error as a server sends it.
fn error(code: &str, words: &str) -> Vec<u8> {
    let fields = format!("SFATAL\0VFATAL\0C{code}\0M{words}\0\0");
    let length = u32::try_from(fields.len() + 4).unwrap();
    [b"E", &length.to_be_bytes()[..], fields.as_bytes()].concat()
}

#[test]
fn a_refusal_at_the_door_is_told_as_what_it_is() {
    let password = error("28P01", "password authentication failed for user \"u\"");
    let crowded = error("53300", "sorry, too many clients already");
    let starting = error("57P03", "the database system is starting up");
    let cases = [
        (password, "", "refuses the user or the password"),
        (crowded, "", "lower store.connections"),
        (starting, "", "starting up"),
        (b"N".to_vec(), "?sslmode=require", "speaks no TLS"),
    ];
    for (answer, query, expected) in cases {
        let (address, thread) = says(answer);
        let url = format!("postgres://u:geheim@{address}/t{query}");
        let text = refusal(&PostgresSettings::new(&url));
        assert!(text.contains(expected), "{text:?} lacks {expected:?}");
        assert!(text.contains(&address), "{text}");
        assert!(!text.contains("geheim"), "{text}");
        thread.join().unwrap();
    }
}

#[test]
fn a_lax_or_closed_server_is_refused() {
    let lax = Private::with("lax", &["fsync = off"]);
    let text = refusal(&lax.settings("postgres"));
    assert!(text.contains("fsync is off"), "{text}");

    let mut settings = private().database();
    let link = intruder(&private().settings("postgres"));
    link.batch("CREATE ROLE closed LOGIN SUPERUSER").unwrap();
    link.batch("ALTER ROLE closed SET default_transaction_read_only = on")
        .unwrap();
    settings.url = settings.url.replace("tollgate@", "closed@");
    let text = refusal(&settings);
    assert!(text.contains("set to read-only"), "{text}");
}

/// A certificate for a name, signed by itself, that the server's user may read.
fn certificate(folder: &Path, name: &str) -> PathBuf {
    let (key, file) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let script = format!(
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} \
         -addext subjectAltName=DNS:{name} -addext basicConstraints=critical,CA:false \
         -keyout {key} -out {file} 2>/dev/null && chmod 755 {folder} && chmod 644 {file} && \
         chmod 600 {key} && {{ [ $(id -u) != 0 ] || chown postgres {key}; }}",
        key = key.display(),
        file = file.display(),
        folder = folder.display()
    );
    let made = Command::new("sh").args(["-c", &script]).status().unwrap();
    assert!(made.success(), "openssl");
    file
}

#[test]
fn a_certificate_is_believed_only_where_somebody_vouches_for_its_name() {
    let folder = std::env::temp_dir().join(format!("tollgate-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = certificate(&folder, "localhost");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let port = free.unwrap().port();
    let lines = [
        "ssl = on".to_owned(),
        format!("ssl_cert_file = '{}'", file.display()),
        format!("ssl_key_file = '{}'", folder.join("key.pem").display()),
        "listen_addresses = 'localhost'".to_owned(),
        format!("port = {port}"),
    ];
    let lines = lines.each_ref().map(String::as_str);
    let server = Private::with("tls", &lines);
    let url = |host: &str, roots: &str| {
        PostgresSettings::new(&format!(
            "postgres://tollgate@{host}:{port}/postgres?sslmode=verify-full{roots}"
        ))
    };
    let roots = format!("&sslrootcert={}", file.display());
    drop(Database::connect(&url("localhost", &roots)).unwrap());
    for (host, roots) in [("localhost", ""), ("127.0.0.1", &*roots)] {
        let text = refusal(&url(host, roots));
        assert!(text.contains("its certificate is not believed"), "{text}");
    }
    drop(server);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_role_without_connections_left_is_told_so() {
    let maker = intruder(&private().settings("postgres"));
    maker
        .batch("CREATE ROLE narrow LOGIN CONNECTION LIMIT 2")
        .unwrap();
    maker.batch("CREATE DATABASE narrow OWNER narrow").unwrap();
    let mut settings = private().settings("narrow");
    settings.url = settings.url.replace("tollgate@", "narrow@");
    let text = refusal(&settings);
    assert!(text.contains("has no connection left"), "{text}");
}

#[test]
fn a_wait_for_another_node_ends_and_money_goes_on_after_it() {
    let settings = PostgresSettings {
        lock_timeout: Duration::from_millis(100),
        ..private().database()
    };
    let store = Database::connect(&settings).unwrap();
    let world = World::new(&store);
    let ana = world.customer(PRICE);
    let other = intruder(&PostgresSettings {
        idle_timeout: Duration::from_secs(60),
        ..settings
    });
    other
        .batch("BEGIN; SELECT pg_advisory_xact_lock(7413829)")
        .unwrap();
    let open = world.new_activation(ana).open(&PLAN);
    let refused = world.commit(open.clone());
    let timed_out = matches!(&refused, Err(CommitError::Storage(why)) if why.contains("55P03"));
    assert!(timed_out, "{refused:?}");
    other.batch("ROLLBACK").unwrap();
    world.commit(open).unwrap();
    world.audited();
}
