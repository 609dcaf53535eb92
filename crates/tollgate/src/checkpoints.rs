//! Checkpoints of the audit log as signed files in a directory that should be another machine's:
//! whoever rewrites the log cannot rewrite what was carried away.

use crate::secrets;
use crate::settings::{Audit, too_open};
use anyhow::{Context, bail};
use app::Notary;
use domain::audit_log::{Checkpoint, Hash, Witness};
use domain::hex::hex;
use domain::time::Timestamp;
use ring::digest;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Value, json};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The one form of a file that there is.
const FORM: u64 = 1;

/// Longest file that is read: a hundred thousand hashes and some words.
const FILE_MAX: u64 = 8 * 1024 * 1024;

/// Signs checkpoints with an Ed25519 key and keeps them as files.
pub struct Checkpoints {
    directory: PathBuf,
    key: Ed25519KeyPair,
}

impl Checkpoints {
    /// With the key of the settings, made at the first start.
    pub fn open(settings: &Audit) -> anyhow::Result<Self> {
        let key = key(&settings.key_file)?;
        Ok(Self {
            directory: settings.directory.clone(),
            key,
        })
    }

    fn files(&self) -> Result<Vec<(u64, PathBuf)>, String> {
        let read = match std::fs::read_dir(&self.directory) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.cannot("read", &self.directory, &error)),
        };
        let mut files = Vec::new();
        for entry in read {
            let entry = entry.map_err(|error| self.cannot("read", &self.directory, &error))?;
            let name = entry.file_name();
            let size = name.to_str().and_then(|name| {
                let size = name.strip_prefix("checkpoint-")?.strip_suffix(".json")?;
                size.parse().ok()
            });
            files.extend(size.map(|size| (size, entry.path())));
        }
        files.sort_unstable();
        Ok(files)
    }

    fn cannot(&self, what: &str, path: &Path, error: &std::io::Error) -> String {
        format!("cannot {what} {}: {error}", path.display())
    }

    fn text(&self, witness: &Witness) -> String {
        let Checkpoint { size, root, at } = &witness.checkpoint;
        let signature = self.key.sign(signed(witness).as_bytes());
        let hashes: Vec<String> = witness.hashes.iter().map(|hash| hex(hash)).collect();
        let form = json!({
            "tollgate_audit_checkpoint": FORM,
            "size": size,
            "root": hex(root),
            "at": crate::admin::rfc3339(at.0),
            "at_ms": at.0,
            "hashes": hashes,
            "key": hex(self.key.public_key().as_ref()),
            "signature": hex(signature.as_ref()),
        });
        format!("{form}\n")
    }

    /// A file's checkpoint, if this installation signed it.
    fn read(&self, path: &Path) -> Result<Witness, String> {
        let shown = path.display();
        let size = std::fs::metadata(path).map_err(|error| self.cannot("read", path, &error))?;
        if size.len() > FILE_MAX {
            return Err(format!("{shown} is too long for a checkpoint"));
        }
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| self.cannot("read", path, &error))?;
        let form: Value = serde_json::from_str(&text).unwrap_or_default();
        let (witness, signature) =
            parts(&form).ok_or_else(|| format!("{shown} is no checkpoint of the audit log"))?;
        let key = UnparsedPublicKey::new(&ED25519, self.key.public_key().as_ref());
        let genuine = key.verify(signed(&witness).as_bytes(), &signature);
        genuine.map_err(|_| format!("{shown} was not signed with this installation's key"))?;
        Ok(witness)
    }
}

impl Notary for Checkpoints {
    fn newest(&self) -> Result<u64, String> {
        Ok(self.files()?.last().map_or(0, |(size, _)| *size))
    }

    fn keep(&self, witness: &Witness, file: Option<PathBuf>) -> Result<PathBuf, String> {
        let path = file.unwrap_or_else(|| {
            let name = format!("checkpoint-{:012}.json", witness.checkpoint.size);
            self.directory.join(name)
        });
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| self.cannot("make", folder, &error))?;
        let draft = path.with_extension("new");
        let write = || -> std::io::Result<()> {
            let mut file = std::fs::File::create(&draft)?;
            file.write_all(self.text(witness).as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&draft, &path)
        };
        write().map_err(|error| self.cannot("write", &path, &error))?;
        Ok(path)
    }

    fn kept(&self, file: Option<PathBuf>) -> (Vec<Witness>, Vec<String>) {
        let (mut kept, mut wrong) = (Vec::new(), Vec::new());
        let files = self.files().unwrap_or_else(|why| {
            wrong.push(why);
            Vec::new()
        });
        for path in files.into_iter().map(|(_, path)| path).chain(file) {
            match self.read(&path) {
                Ok(witness) => kept.push(witness),
                Err(why) => wrong.push(why),
            }
        }
        (kept, wrong)
    }
}

/// What a signature is over: every member, the hashes by their digest.
fn signed(witness: &Witness) -> String {
    let Checkpoint { size, root, at } = &witness.checkpoint;
    let all = digest::digest(&digest::SHA256, witness.hashes.as_flattened());
    let (root, hashes) = (hex(root), hex(all.as_ref()));
    let count = witness.hashes.len();
    format!(
        "tollgate audit checkpoint {FORM}\n{size}\n{root}\n{}\n{count}\n{hashes}\n",
        at.0
    )
}

fn parts(form: &Value) -> Option<(Witness, Vec<u8>)> {
    if form["tollgate_audit_checkpoint"] != FORM {
        return None;
    }
    let hash = |value: &Value| -> Option<Hash> { bytes(value.as_str()?)?.try_into().ok() };
    let hashes = form["hashes"].as_array()?.iter().map(hash);
    let witness = Witness {
        checkpoint: Checkpoint {
            size: form["size"].as_u64()?,
            root: hash(&form["root"])?,
            at: Timestamp(form["at_ms"].as_i64()?),
        },
        hashes: hashes.collect::<Option<_>>()?,
    };
    Some((witness, bytes(form["signature"].as_str()?)?))
}

/// The signing key: 32 bytes in hexadecimal, in a file for the program's eyes only.
fn key(path: &Path) -> anyhow::Result<Ed25519KeyPair> {
    let seed = match std::fs::metadata(path) {
        Ok(about) => {
            if let Some(why) = too_open(&about) {
                bail!("audit.key_file: {} {why}", path.display());
            }
            std::fs::read_to_string(path)
                .with_context(|| format!("audit.key_file: cannot read {}", path.display()))?
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let seed = hex(&secrets::random()?);
            secrets::write_private(path, &seed)?;
            seed
        }
        Err(error) => {
            return Err(error)
                .with_context(|| format!("audit.key_file: cannot read {}", path.display()));
        }
    };
    let seed = bytes(seed.trim()).filter(|seed| seed.len() == 32);
    let seed = seed.with_context(|| {
        format!(
            "audit.key_file: {} must hold 64 hexadecimal digits",
            path.display()
        )
    })?;
    Ed25519KeyPair::from_seed_unchecked(&seed)
        .map_err(|_| anyhow::anyhow!("audit.key_file: {} holds no usable key", path.display()))
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    let pair = |at: usize| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    (0..hex.len()).step_by(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let name = format!("tollgate-checkpoints-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        path
    }

    fn open(folder: &Path) -> Checkpoints {
        let settings = Audit {
            checkpoint: domain::time::Millis::minutes(10),
            directory: folder.join("kept"),
            key_file: folder.join("audit.key"),
        };
        Checkpoints::open(&settings).unwrap()
    }

    fn witness(size: u64) -> Witness {
        let checkpoint = Checkpoint {
            size,
            root: [7; 32],
            at: Timestamp(1_700_000_000_000),
        };
        let hashes = vec![[1; 32], [2; 32]];
        Witness { checkpoint, hashes }
    }

    #[test]
    fn a_checkpoint_is_kept_signed_and_believed_only_as_it_was() {
        let folder = folder("signed");
        let kept = open(&folder);
        assert_eq!(kept.newest(), Ok(0));
        let file = kept.keep(&witness(12), None).unwrap();
        assert_eq!(kept.newest(), Ok(12));
        // the key is read again
        let again = open(&folder);
        assert_eq!(again.kept(None), (vec![witness(12)], Vec::new()));
        let text = std::fs::read_to_string(&file).unwrap();
        for (from, to) in [
            ("\"size\":12", "\"size\":11"),
            ("0707", "0708"),
            ("0101", "0102"),
            ("1700000000000", "1700000000001"),
        ] {
            std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
            let (found, wrong) = again.kept(None);
            assert!(found.is_empty() && wrong.len() == 1, "{to}: {wrong:?}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder("open");
        drop(open(&folder));
        let file = folder.join("audit.key");
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refused = key(&file).unwrap_err();
        assert!(
            refused.to_string().starts_with("audit.key_file"),
            "{refused}"
        );
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_checkpoint_of_another_installation_is_not_believed() {
        let (here, there) = (folder("here"), folder("there"));
        let file = open(&there).keep(&witness(3), None).unwrap();
        let (found, wrong) = open(&here).kept(Some(file));
        assert!(found.is_empty(), "{found:?}");
        assert!(wrong[0].contains("was not signed with"), "{wrong:?}");
        for folder in [here, there] {
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
}
