//! One file over HTTP: in pieces if it must be, checked, and then put in its place.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use ureq::Agent;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

use super::{FetchError, Progress, Remote, add, hex};
use crate::file::write_atomically;

/// So often a download that broke off goes on by itself.
const TRIES: usize = 3;
/// A server that says nothing for so long has gone.
const PATIENCE: Duration = Duration::from_secs(30);
/// No member of an archive is larger.
const MOST_MEMBER: u64 = 1 << 30;

/// Downloads a file, or what is to be taken out of it, into a folder.
pub(super) fn get(
    file: &Remote,
    folder: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), FetchError> {
    make(folder)?;
    let part = folder.join(format!(".{}.part", file.name));
    let agent = agent();
    let mut failed = None;
    for &url in file.urls {
        match from(&agent, url, file, &part, progress) {
            Ok(()) => {
                failed = None;
                break;
            }
            // What broke off can go on with another server: it has the same file.
            Err(
                error @ (FetchError::Refused { .. }
                | FetchError::BrokeOff { .. }
                | FetchError::WrongSum { .. }),
            ) => {
                failed = Some(error);
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(error) = failed {
        return Err(error);
    }
    let io = |source| FetchError::Io { path: part.clone(), source };
    if file.members.is_empty() {
        return fs::rename(&part, folder.join(file.name)).map_err(io);
    }
    take_out(file, &part, folder)?;
    fs::remove_file(&part).map_err(io)
}

fn agent() -> Agent {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::WebPki)
        .unversioned_rustls_crypto_provider(Arc::new(rustls_graviola::default_provider()));
    let config = Agent::config_builder()
        .tls_config(tls.build())
        .http_status_as_error(false)
        .timeout_connect(Some(PATIENCE))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_per_read(Some(PATIENCE));
    config.build().into()
}

/// Fills `part` from one address.
fn from(
    agent: &Agent,
    url: &str,
    file: &Remote,
    part: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), FetchError> {
    let mut tries = 0;
    loop {
        let mut hash = Sha256::new();
        let before = if part.exists() { add(&mut hash, part)? } else { 0 };
        match piece(agent, url, file.name, part, (before, hash), progress) {
            Ok(hash) => {
                let found = hex(hash);
                if found == file.sha256 {
                    return Ok(());
                }
                fs::remove_file(part).map_err(|source| FetchError::Io { path: part.to_owned(), source })?;
                // The beginning may have been wrong since an earlier run; then all of it is asked for once.
                if before == 0 || tries == TRIES {
                    let (url, expected) = (url.into(), file.sha256.into());
                    return Err(FetchError::WrongSum { url, expected, found });
                }
            }
            Err(error @ FetchError::BrokeOff { done, .. }) if done <= before || tries == TRIES => {
                return Err(error);
            }
            Err(FetchError::BrokeOff { .. }) => {}
            Err(error) => return Err(error),
        }
        tries += 1;
    }
}

/// Asks for all that is missing, and adds what comes to `part`; the sum of the whole.
fn piece(
    agent: &Agent,
    url: &str,
    name: &str,
    part: &Path,
    (before, mut hash): (u64, Sha256),
    progress: &mut dyn FnMut(Progress),
) -> Result<Sha256, FetchError> {
    let io = |source| FetchError::Io { path: part.to_owned(), source };
    let refused = |what: String| FetchError::Refused { url: url.into(), what };
    let mut request = agent.get(url);
    if before > 0 {
        request = request.header("Range", format!("bytes={before}-"));
    }
    let response = request.call().map_err(|error| match before {
        0 => refused(error.to_string()),
        done => FetchError::BrokeOff { url: url.into(), done, what: error.to_string() },
    })?;
    let header =
        |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let length = header("content-length").and_then(|text| text.parse::<u64>().ok());
    let mut done = match response.status().as_u16() {
        206 if header("content-range")
            .is_some_and(|range| range.starts_with(&format!("bytes {before}-"))) =>
        {
            before
        }
        // All that there is has come before.
        416 if before > 0 => return Ok(hash),
        200 => {
            hash = Sha256::new();
            0
        }
        status => return Err(refused(format!("the server answers with status {status}"))),
    };
    let all = length.map(|length| done + length);
    let mut options = OpenOptions::new();
    let mut out = if done == 0 { File::create(part) } else { options.append(true).open(part) }.map_err(io)?;
    let mut body = response.into_body().into_reader();
    let mut buffer = vec![0; 1 << 16];
    let broke_off = |done, what: String| FetchError::BrokeOff { url: url.into(), done, what };
    loop {
        let n = match body.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) => return Err(broke_off(done, error.to_string())),
        };
        out.write_all(&buffer[..n]).map_err(io)?;
        hash.update(&buffer[..n]);
        done += n as u64;
        progress(Progress { file: name, done, all });
    }
    if let Some(all) = all.filter(|&all| done < all) {
        return Err(broke_off(done, format!("{all} were announced")));
    }
    out.sync_all().map_err(io)?;
    Ok(hash)
}

/// Writes the members of an archive whose sum is right.
fn take_out(file: &Remote, part: &Path, folder: &Path) -> Result<(), FetchError> {
    let io = |source| FetchError::Io { path: part.to_owned(), source };
    let archive = |what: String| FetchError::Archive { path: part.to_owned(), what };
    let mut missing: BTreeSet<&str> = file.members.iter().copied().collect();
    let mut members = tar::Archive::new(GzDecoder::new(File::open(part).map_err(io)?));
    for member in members.entries().map_err(io)? {
        let member = member.map_err(|error| archive(error.to_string()))?;
        let name = String::from_utf8_lossy(&member.path_bytes()).into_owned();
        // Only names that stand here are written, so that no other can lead anywhere.
        if !member.header().entry_type().is_file() || !missing.remove(name.as_str()) {
            continue;
        }
        let mut bytes = Vec::new();
        member.take(MOST_MEMBER).read_to_end(&mut bytes).map_err(|error| archive(error.to_string()))?;
        let path = folder.join(&name);
        make(path.parent().unwrap_or(folder))?;
        write_atomically(&path, &bytes).map_err(|source| FetchError::Io { path, source })?;
    }
    match missing.first() {
        None => Ok(()),
        Some(name) => Err(archive(format!("it does not hold {name}"))),
    }
}

fn make(folder: &Path) -> Result<(), FetchError> {
    fs::create_dir_all(folder).map_err(|source| FetchError::Io { path: folder.to_owned(), source })
}
