//! Opening links as a browser does.

use anyhow::{Context, Result};

use crate::Stack;

/// The answer to a GET.
#[derive(Debug, Clone)]
pub struct Page {
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Page {
    /// A header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Stack {
    /// Gets a page; a redirect is not followed.
    pub async fn open(&self, url: &str) -> Result<Page> {
        let answer = self
            .http
            .get(url)
            .send()
            .await
            .with_context(|| format!("opening {url}"))?;
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        let body = answer.bytes().await?.to_vec();
        Ok(Page {
            status,
            headers,
            body,
        })
    }

    /// An object of the results bucket.
    pub async fn result(&self, key: &str) -> Result<Vec<u8>> {
        let bucket = self.output("ResultsBucketName")?;
        self.object(bucket, key).await
    }

    /// An object.
    pub async fn object(&self, bucket: &str, key: &str) -> Result<Vec<u8>> {
        let request = self.s3.get_object().bucket(bucket).key(key);
        let object = request
            .send()
            .await
            .with_context(|| format!("s3://{bucket}/{key}"))?;
        Ok(object.body.collect().await?.to_vec())
    }

    /// The keys of a bucket below a prefix.
    pub async fn keys(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        let mut pages = self
            .s3
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            .into_paginator()
            .send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let objects = page?.contents.unwrap_or_default();
            keys.extend(objects.into_iter().filter_map(|object| object.key));
        }
        Ok(keys)
    }
}
