//! The local socket `DIR/tollgate.sock`: commands reach the running server through it, so that one
//! process writes and no cache is stale. One JSON line asks, one JSON line answers.

use crate::admin::{Office, Request};
use crate::os_user;
use serde_json::{Value, json};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Longest request line.
const LINE_MAX: u64 = 8 * 1024 * 1024;

/// Where the socket of a data directory is.
pub fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("tollgate.sock")
}

/// Answers requests until the stop. A socket file that nobody listens at was left by a process that
/// died; one that is alive is another server's, which needs a directory of its own.
pub fn listen(
    data_dir: &Path,
    office: Office,
    stop: CancellationToken,
    tasks: &TaskTracker,
) -> io::Result<()> {
    let path = path(data_dir);
    if std::os::unix::net::UnixStream::connect(&path).is_ok() {
        let why = format!("another server listens at {}", path.display());
        return Err(io::Error::new(io::ErrorKind::AddrInUse, why));
    }
    if path.exists() {
        std::fs::remove_file(&path)?;
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    let connections = tasks.clone();
    tasks.spawn(async move {
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => accepted,
            };
            if let Ok((stream, _)) = accepted {
                let office = office.clone();
                connections.spawn(async move {
                    if let Err(error) = answer(stream, &office).await {
                        tracing::debug!(%error, "a command hung up");
                    }
                });
            }
        }
        // a file that is gone already is as good as removed
        let _ = std::fs::remove_file(&path);
    });
    Ok(())
}

async fn answer(stream: UnixStream, office: &Office) -> io::Result<()> {
    let user = os_user::name_of(stream.peer_cred()?.uid());
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read.take(LINE_MAX))
        .read_line(&mut line)
        .await?;
    let outcome = match serde_json::from_str::<Request>(&line) {
        Ok(request) => office.answer(request, user).await,
        Err(error) => Err(format!(
            "the running server does not understand this command: {error}"
        )),
    };
    let reply = match outcome {
        Ok(result) => json!({ "result": result }),
        Err(error) => json!({ "error": error }),
    };
    write.write_all(format!("{reply}\n").as_bytes()).await
}

/// Asks the server that runs on a data directory; nothing where none does.
pub async fn ask(data_dir: &Path, request: &Request) -> io::Result<Option<Result<Value, String>>> {
    let stream = match UnixStream::connect(path(data_dir)).await {
        Ok(stream) => stream,
        Err(error) if nobody_listens(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let (read, mut write) = stream.into_split();
    let line = serde_json::to_string(request)?;
    write.write_all(format!("{line}\n").as_bytes()).await?;
    let mut reply = String::new();
    BufReader::new(read).read_line(&mut reply).await?;
    let mut reply: Value = serde_json::from_str(&reply)?;
    Ok(Some(match reply.get("error").and_then(Value::as_str) {
        Some(error) => Err(error.to_owned()),
        None => Ok(reply["result"].take()),
    }))
}

fn nobody_listens(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
    )
}
