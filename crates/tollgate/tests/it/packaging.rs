//! What is shipped beside the program: the package has everything in its place, and dashboards, alerts
//! and the unit speak of things that there are.

use crate::world::Scratch;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap().to_owned()
}

fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// Names of metrics in a text, without what Prometheus adds to histograms.
fn metric_names(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let named = words.filter(|word| word.starts_with("tollgate_"));
    named
        .map(|word| {
            let ends = ["_bucket", "_sum", "_count"];
            let bare = ends.iter().find_map(|end| word.strip_suffix(end));
            bare.unwrap_or(word).to_owned()
        })
        .collect()
}

/// What the program describes, which is what it counts.
fn described() -> BTreeSet<String> {
    let described = metric_names(&text("crates/tollgate/src/metrics.rs"));
    assert!(described.len() > 15, "{described:?}");
    described
}

#[test]
fn every_panel_of_the_dashboard_asks_for_metrics_that_there_are() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&text("packaging/grafana/tollgate.json")).unwrap();
    assert_eq!(dashboard["title"], "Tollgate");
    let panels = dashboard["panels"].as_array().unwrap();
    let known = described();
    let mut asked = BTreeSet::new();
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{}", panel["title"]);
        for target in targets {
            let names = metric_names(target["expr"].as_str().unwrap());
            assert!(!names.is_empty(), "{}", panel["title"]);
            asked.extend(names);
        }
    }
    let unknown: Vec<_> = asked.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let unseen: Vec<_> = known.difference(&asked).collect();
    assert!(unseen.is_empty(), "no panel shows {unseen:?}");
}

/// One alert as its lines say it.
#[derive(Debug, Default)]
struct Alert {
    name: String,
    expression: String,
    severity: String,
    summary: String,
}

fn alerts(rules: &str) -> Vec<Alert> {
    let mut alerts: Vec<Alert> = Vec::new();
    for line in rules.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("- alert: ") {
            alerts.push(Alert {
                name: name.to_owned(),
                ..Alert::default()
            });
            continue;
        }
        let (Some(alert), Some((key, value))) = (alerts.last_mut(), line.split_once(": ")) else {
            continue;
        };
        match key {
            "expr" => alert.expression = value.to_owned(),
            "labels" => alert.severity = value.trim_matches(['{', '}']).to_owned(),
            "summary" => alert.summary = value.trim_matches('"').to_owned(),
            _ => {}
        }
    }
    alerts
}

#[test]
fn every_alert_rule_is_whole_and_asks_for_metrics_that_there_are() {
    let rules = text("packaging/prometheus/tollgate.rules.yml");
    let known = described();
    let alerts = alerts(&rules);
    assert!(alerts.len() > 10);
    let manual = text("docs/operating.md");
    for alert in &alerts {
        assert!(alert.name.starts_with("Tollgate"), "{alert:?}");
        assert!(!alert.summary.is_empty(), "{alert:?}");
        assert!(
            ["severity: page", "severity: ticket"].contains(&alert.severity.as_str()),
            "{alert:?}"
        );
        let names = metric_names(&alert.expression);
        let is_its_own = alert.expression.starts_with("up{job=\"tollgate\"}");
        assert!(is_its_own || !names.is_empty(), "{alert:?}");
        assert!(names.is_subset(&known), "{alert:?}");
        assert!(
            manual.contains(&alert.name),
            "docs/operating.md says what to do about {}",
            alert.name
        );
    }
    // as a reader of YAML sees it: no tabs, no line that is indented by an odd number
    for line in rules.lines() {
        let indent = line.len() - line.trim_start().len();
        assert!(!line.contains('\t') && indent % 2 == 0, "{line}");
    }
}

#[test]
fn the_manual_has_every_metric_and_no_other() {
    let manual = text("docs/operating.md");
    let section = manual.split("## Metrics").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut said = metric_names(section);
    // written once for three of them
    for short in [
        "tollgate_upstream_in_doubt",
        "tollgate_upstream_balance_usd",
    ] {
        said.insert(short.to_owned());
    }
    assert_eq!(said, described());
}

#[test]
fn the_unit_runs_the_program_locked_in_and_reloads_it() {
    let unit = text("packaging/tollgate.service");
    for line in [
        "Type=notify",
        "User=tollgate",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "NoNewPrivileges=true",
        "CapabilityBoundingSet=",
        "ProtectSystem=strict",
        "ProtectHome=true",
        "PrivateTmp=true",
        "MemoryDenyWriteExecute=true",
        "SystemCallFilter=@system-service",
        "StateDirectoryMode=0700",
    ] {
        assert!(unit.lines().any(|known| known == line), "{line}");
    }
    // the program stops within ten seconds; the manager must not be quicker
    assert!(unit.contains("TimeoutStopSec=20"));
    // where the manual says that backups go, the service may write, and the package makes it
    let backups = "/var/backups/tollgate";
    assert!(unit.contains(&format!("\nReadWritePaths=-{backups}\n")));
    let made = format!("install -d -o tollgate -g tollgate -m 0700 {backups}\n");
    assert!(text("packaging/debian/postinst").contains(&made));
    let manual = text("docs/operating.md");
    assert!(manual.contains(&format!("tollgate backup {backups}/")));
}

/// Every page of a folder leads only to what is there.
fn links_lead_somewhere(folder: &Path) {
    let pages = std::fs::read_dir(folder).unwrap();
    let pages = pages.map(|page| page.unwrap().path());
    let mut links = 0;
    for page in pages.filter(|path| path.extension().is_some_and(|end| end == "md")) {
        let text = std::fs::read_to_string(&page).unwrap();
        for rest in text.split("](").skip(1) {
            let target = rest.split([')', '#']).next().unwrap();
            if target.is_empty() || target.contains("://") || target.contains(' ') {
                continue;
            }
            links += 1;
            let there = folder.join(target).exists();
            assert!(there, "{}: {target}", page.display());
        }
    }
    assert!(links > 20, "{links}");
}

#[test]
fn one_script_makes_a_tarball_and_a_package_the_same_each_time() {
    let place = Scratch::new();
    // the shape of the package does not depend on what the program is
    let program = place.path().join("tollgate");
    std::fs::write(&program, "#!/bin/sh\necho tollgate 9.8.7\n").unwrap();
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    let make = |folder: &str| {
        let folder = place.path().join(folder);
        let made = Command::new(root().join("packaging/make"))
            .args([&program, &folder])
            .output()
            .unwrap();
        let why = String::from_utf8_lossy(&made.stderr).into_owned();
        assert!(made.status.success(), "{why}");
        let files = String::from_utf8(made.stdout).unwrap();
        let files: Vec<PathBuf> = files.lines().map(PathBuf::from).collect();
        assert_eq!(files.len(), 2);
        files
    };
    let (one, other) = (make("one"), make("other"));
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one.file_name(), other.file_name());
        assert!(std::fs::read(one).unwrap() == std::fs::read(other).unwrap());
    }
    let asked = |arguments: &[&str], file: &Path| {
        let mut command = Command::new("dpkg-deb");
        let output = command.args(arguments).arg(file).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let contents = asked(&["--contents"], &one[1]);
    for line in [
        "-rwxr-xr-x root/root",
        "./usr/bin/tollgate\n",
        "./usr/lib/systemd/system/tollgate.service\n",
        "./usr/share/doc/tollgate/operating.md\n",
        "./usr/share/doc/tollgate/copyright\n",
        "./usr/share/doc/tollgate/grafana/tollgate.json\n",
        "./usr/share/doc/tollgate/prometheus/tollgate.rules.yml\n",
    ] {
        assert!(contents.contains(line), "{line}: {contents}");
    }
    let unpacked = place.path().join("unpacked");
    Command::new("dpkg-deb")
        .arg("--extract")
        .args([&one[1], &unpacked])
        .status()
        .unwrap();
    links_lead_somewhere(&unpacked.join("usr/share/doc/tollgate"));
    let facts = asked(&["--field"], &one[1]);
    assert!(
        facts.contains("Package: tollgate\nVersion: 9.8.7\n"),
        "{facts}"
    );
    assert!(
        !facts.contains('@') || facts.contains("<tollgate@localhost>"),
        "{facts}"
    );
    for step in ["postinst", "prerm", "postrm"] {
        let script = root().join("packaging/debian").join(step);
        let checked = Command::new("sh").arg("-n").arg(&script).status().unwrap();
        assert!(checked.success(), "{step}");
    }
    // what the steps of the installation change in the settings has to be there
    let example = text("tollgate.example.toml");
    for line in ["url = \"sqlite:data\"", "data_dir = \"data\""] {
        assert!(example.lines().any(|known| known == line), "{line}");
    }
}
