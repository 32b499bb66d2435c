//! Log files where CloudTrail puts them: in a bucket, with the operator's own credentials.

use std::io::{Cursor, Read};

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_types::SdkConfig;
use tokio::runtime::Handle;
use tourniquet::error::aws;

/// S3, for threads that wait.
#[derive(Debug)]
pub struct Bucket {
    client: Client,
    runtime: Handle,
}

impl Bucket {
    /// S3 with these credentials; the runtime is the one that this is called on.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Self {
        // Only an endpoint that somebody set has no host names for buckets.
        let builder = aws_sdk_s3::config::Builder::from(config);
        let builder = builder.force_path_style(config.endpoint_url().is_some());
        Self { client: Client::from_conf(builder.build()), runtime: Handle::current() }
    }

    /// Every object whose key begins with the prefix, page by page: key and size. `go` says whether to go on.
    pub fn list(
        &self,
        bucket: &str,
        prefix: &str,
        mut go: impl FnMut(&str, u64) -> bool,
    ) -> Result<(), tourniquet::Error> {
        let call = self.client.list_objects_v2().bucket(bucket).prefix(prefix);
        let mut pages = call.into_paginator().send();
        while let Some(page) = self.runtime.block_on(pages.next()) {
            let page = page.map_err(|e| aws("s3:ListBucket", e))?;
            for object in page.contents() {
                let size = object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                let key = object.key().unwrap_or_default();
                if !key.ends_with('/') && !go(key, size) {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// An object's bytes, as they come.
    pub(super) fn open(&self, bucket: &str, key: &str) -> Result<impl Read + use<>, String> {
        let call = self.client.get_object().bucket(bucket).key(key).send();
        let answer = self.runtime.block_on(call).map_err(|e| aws("s3:GetObject", e).to_string())?;
        Ok(Body { rest: answer.body, piece: Cursor::default(), runtime: self.runtime.clone() })
    }
}

struct Body {
    runtime: Handle,
    rest: ByteStream,
    piece: Cursor<Vec<u8>>,
}

impl Read for Body {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let count = self.piece.read(into)?;
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
            match self.runtime.block_on(self.rest.try_next()).map_err(std::io::Error::other)? {
                Some(piece) => self.piece = Cursor::new(piece.to_vec()),
                None => return Ok(0),
            }
        }
    }
}
