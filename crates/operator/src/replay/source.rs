//! Where records come from: files, folders, standard input, prefixes of buckets. Nothing is collected: each file is handed on
//! as it is found, so that a million of them need no memory.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;

use super::bucket::Bucket;

/// What is named on the command line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Named {
    /// A file or a folder.
    Path(PathBuf),
    /// Standard input.
    Stdin,
    /// Everything in a bucket whose key begins so.
    Prefix {
        /// The bucket.
        bucket: String,
        /// The beginning of the keys.
        prefix: String,
    },
}

/// One file to read.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// Standard input.
    Stdin,
    /// An object of a bucket.
    Object {
        /// The bucket.
        bucket: String,
        /// The object's key.
        key: String,
    },
}

impl Named {
    /// What an argument names.
    #[must_use]
    pub fn of(argument: &str) -> Self {
        if argument == "-" {
            return Self::Stdin;
        }
        match argument.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, ""))) {
            Some((bucket, prefix)) => Self::Prefix { bucket: bucket.to_owned(), prefix: prefix.to_owned() },
            None => Self::Path(argument.into()),
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Stdin => write!(f, "standard input"),
            Self::Object { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

impl Source {
    /// Opens it; compressed or not is told by its first bytes, whatever its name is. `read` is told of what is taken from it.
    pub fn open<'a>(
        &self,
        bucket: Option<&'a Bucket>,
        read: impl Fn(usize) + 'a,
    ) -> Result<Box<dyn Read + 'a>, String> {
        let raw: Box<dyn Read + 'a> = match self {
            Self::File(path) => Box::new(std::fs::File::open(path).map_err(|e| e.to_string())?),
            Self::Stdin => Box::new(std::io::stdin()),
            Self::Object { bucket: name, key } => {
                let bucket = bucket.ok_or_else(|| "there is no connection to S3".to_owned())?;
                Box::new(bucket.open(name, key)?)
            }
        };
        let mut buffered = BufReader::with_capacity(64 << 10, Counted { raw, read });
        let is_gzip = buffered.fill_buf().map_err(|e| e.to_string())?.starts_with(&[0x1f, 0x8b]);
        Ok(if is_gzip { Box::new(MultiGzDecoder::new(buffered)) } else { Box::new(buffered) })
    }
}

struct Counted<R, F> {
    raw: R,
    read: F,
}

impl<R: Read, F: Fn(usize)> Read for Counted<R, F> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let count = self.raw.read(into)?;
        (self.read)(count);
        Ok(count)
    }
}

/// Whether a name is that of a digest, which proves the integrity of log files and holds no events.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>
#[must_use]
pub fn is_digest(name: &str) -> bool {
    name.rsplit('/').take(7).any(|part| part == "CloudTrail-Digest" || part.contains("_CloudTrail-Digest_"))
}

/// What is found on the way through folders.
#[derive(Debug)]
pub enum Step {
    /// A file, and its size in bytes.
    File(PathBuf, u64),
    /// Something that cannot be read, and why.
    Unread(PathBuf, std::io::Error),
}

/// Every file at or below a path. Links to folders are not followed, as they can lead in a circle; what is neither file nor folder is
/// left out below a folder, and read where it is named itself, as a pipe may be. `go` says whether to go on.
pub fn walk(path: &Path, go: &mut impl FnMut(Step) -> bool) -> bool {
    let of = |path: PathBuf, size: u64| Step::File(path, size);
    let mut folders = match std::fs::metadata(path) {
        Ok(data) if data.is_dir() => vec![path.to_owned()],
        Ok(data) => return go(of(path.to_owned(), data.len())),
        Err(error) => return go(Step::Unread(path.to_owned(), error)),
    };
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                if go(Step::Unread(folder, error)) {
                    continue;
                }
                return false;
            }
        };
        for entry in entries {
            let step = match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
                Ok((path, kind)) if kind.is_dir() => {
                    folders.push(path);
                    continue;
                }
                Ok((path, kind)) => match std::fs::metadata(&path) {
                    Ok(data) if data.is_file() => of(path, data.len()),
                    Ok(_) => continue,
                    Err(error) if kind.is_symlink() && error.kind() == std::io::ErrorKind::NotFound => {
                        continue;
                    }
                    Err(error) => Step::Unread(path, error),
                },
                Err(error) => Step::Unread(folder.clone(), error),
            };
            if !go(step) {
                return false;
            }
        }
    }
    true
}
