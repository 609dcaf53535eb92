//! The accounts at providers as the operator sees and tries them.

use crate::world::{PROGRAM, Scratch, World, discord};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

#[tokio::test]
async fn every_account_can_be_listed_and_tried_out_and_a_dead_one_is_named() {
    let mut world = World::new().await;
    let list = world.cli(&["upstream", "list"]);
    let names: Vec<&str> = list["upstreams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert!(names.len() >= 10, "{list}");
    for name in &names {
        let trial = world.cli(&["upstream", "test", name]);
        assert_eq!(trial["ok"], true, "{trial}");
        assert!(trial["steps"].as_array().unwrap().len() >= 3, "{trial}");
    }
    let text = list.to_string();
    for key in sandbox::accounts().iter().map(|account| account.key) {
        assert!(!text.contains(key), "a credential is shown");
    }

    for _ in 0..5 {
        let bought = world.client.buy(discord()).await.data();
        let id = &bought["order_id"];
        let received = Duration::from_secs(30);
        world.wait_for(id, &["received"], received).await;
    }
    let measured = |row: &Value| row["measured"].clone();
    let list = world.cli(&["upstream", "list"]);
    let of = |name: &str| {
        let rows = list["upstreams"].as_array().unwrap();
        measured(rows.iter().find(|row| row["name"] == name).unwrap())
    };
    let good = of("peter1");
    assert_eq!(
        (&good["samples"], &good["success_rate"]),
        (&5.into(), &100.into())
    );
    assert!(
        good["success_rate_at_least"].as_u64().unwrap() < 100,
        "{good}"
    );
    assert!(good["delivery_p50_s"].as_u64().unwrap() <= 30, "{good}");
    assert_eq!(good["cancel_rate"], 0);
    assert_eq!(of("paul")["success_rate"], Value::Null);
    let stats = world.cli(&["catalogue", "stats"]);
    let routes = stats["routes"].as_array().unwrap();
    assert_eq!(routes.len(), 1, "{stats}");
    assert_eq!(
        (&routes[0]["server"], &routes[0]["country_id"]),
        (&"peter".into(), &"61".into())
    );
    assert_eq!(measured(&routes[0]), good);

    world.close_providers();
    let output = world.cli_output(&["upstream", "test", names[0]]);
    assert_eq!(output.status.code(), Some(1));
    let trial: Value = serde_json::from_slice(&output.stdout).unwrap();
    let step = &trial["steps"][0];
    assert_eq!(
        (&step["step"], &step["ok"]),
        (&"connect".into(), &false.into())
    );
    assert!(step["advice"].as_str().unwrap().contains("url"), "{trial}");
    let unknown = world.cli_output(&["upstream", "test", "nobody"]);
    assert_eq!(unknown.status.code(), Some(1));
}

/// A proxy that sends each request twice, as some do when a connection breaks.
fn repeating_proxy() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let mut client = listener.accept().unwrap().0;
        let mut request = [0; 4096];
        let length = client.read(&mut request).unwrap();
        let text = String::from_utf8_lossy(&request[..length]).into_owned();
        let target = text.split("http://").nth(1).unwrap().split('/').next();
        for _ in 0..2 {
            let mut to = TcpStream::connect(target.unwrap()).unwrap();
            to.write_all(&request[..length]).unwrap();
            let _ = to.read(&mut [0; 10]);
        }
        let _ = client.read(&mut request);
    });
    url
}

#[test]
fn nothing_is_sold_behind_a_proxy_that_repeats_purchases() {
    let dir = Scratch::new();
    let run = |args: &[&str]| {
        let mut command = Command::new(PROGRAM);
        command.args(args).current_dir(dir.path()).output().unwrap()
    };
    assert!(run(&["init"]).status.success());
    let path = dir.path().join("tollgate.toml");
    let settings = std::fs::read_to_string(&path).unwrap();
    assert!(settings.contains("127.0.0.1:8080"));
    let settings = settings.replace("127.0.0.1:8080", "127.0.0.1:0");
    let upstream = format!(
        "\n[upstreams.first]\nprotocol = \"handler_api\"\nurl = \"http://127.0.0.1:9/api\"\n\
         key = \"s3cret\"\nallow_plain_http = true\nproxy = \"{}\"\n",
        repeating_proxy()
    );
    std::fs::write(&path, settings + &upstream).unwrap();
    let ended = run(&["serve"]);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(!ended.status.success());
    assert!(
        said.contains("upstreams.first.proxy") && said.contains("made twice"),
        "{said}"
    );
}
