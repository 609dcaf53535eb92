//! Users of the machine, as the audit log names them.

use std::os::unix::fs::MetadataExt;

/// Where the machine keeps their names.
const PASSWD: &str = "/etc/passwd";

/// The name of a user; the number where the machine has no name for it.
pub fn name_of(uid: u32) -> String {
    let known = std::fs::read_to_string(PASSWD).unwrap_or_default();
    name_in(&known, uid).unwrap_or_else(|| format!("uid {uid}"))
}

/// The name of the user this process runs as.
pub fn own() -> String {
    std::fs::metadata("/proc/self").map_or_else(|_| "unknown".to_owned(), |me| name_of(me.uid()))
}

fn name_in(passwd: &str, uid: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        let number = parts.nth(1)?.parse::<u32>().ok()?;
        (number == uid && !name.is_empty()).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_have_the_names_of_their_machine() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\n# c\nana:x:1000:1000::/home/ana:/bin/sh\n";
        assert_eq!(name_in(passwd, 0).as_deref(), Some("root"));
        assert_eq!(name_in(passwd, 1000).as_deref(), Some("ana"));
        assert_eq!(name_in(passwd, 7), None);
        assert!(!own().is_empty());
    }
}
