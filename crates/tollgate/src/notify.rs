//! Tells the service manager how far the program is, where one asked (`Type=notify` of systemd).

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// Everything answers.
pub const READY: &str = "READY=1";
/// A stop was asked for; what is open ends.
pub const STOPPING: &str = "STOPPING=1";

/// Asks for this much time from now on, on top of what the unit grants for a stop.
pub fn more_time(needed: Duration) {
    tell(&format!("EXTEND_TIMEOUT_USEC={}", needed.as_micros()));
}

/// Sends one state; a manager that is not there or does not listen is no failure of ours.
pub fn tell(state: &str) {
    let Some(place) = std::env::var("NOTIFY_SOCKET").ok() else {
        return;
    };
    if let Err(error) = send(&place, state) {
        tracing::warn!(%error, "the service manager could not be told {state}");
    }
}

/// A name that begins with "@" is one outside the file system.
fn send(place: &str, state: &str) -> std::io::Result<()> {
    let address = match place.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(place)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.send_to_addr(state.as_bytes(), &address).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reaches_either_kind_of_socket() {
        let name = format!("tollgate-notify-{}", std::process::id());
        let abstract_one = SocketAddr::from_abstract_name(&name).unwrap();
        let path = std::env::temp_dir().join(&name);
        let by_path = SocketAddr::from_pathname(&path).unwrap();
        for (address, place) in [
            (abstract_one, format!("@{name}")),
            (by_path, path.display().to_string()),
        ] {
            let manager = UnixDatagram::bind_addr(&address).unwrap();
            send(&place, READY).unwrap();
            let mut heard = [0; 32];
            let length = manager.recv(&mut heard).unwrap();
            assert_eq!(&heard[..length], READY.as_bytes());
        }
        std::fs::remove_file(&path).unwrap();
        assert!(send(&path.display().to_string(), READY).is_err());
    }
}
