//! Writes the manifest from S3's listing, in memory that does not grow with it.
//!
//! S3 lists keys in UTF-8 byte order, and the job's runner wrote its own list, with the checksums,
//! in the same order. So both are read side by side, and each object is written to the manifest at
//! once.

use dropcast_aws::CallError;
use dropcast_domain::{
    ids::{JobId, RunId},
    keys::RunKeys,
    model::{OutputKind, OutputMatcher, OutputPatternError, OutputSpec},
    output::Output,
    run::{MAX_HEADLINE_OUTPUTS, Run},
};
use serde::{Deserialize, Serialize};

use crate::results::{ListedObject, Results};

/// One line of the runner's list.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RunnersLine {
    path: String,
    bytes: u64,
    sha256: String,
    #[serde(default)]
    media_type: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    path: &'a str,
    title: &'a str,
    kind: OutputKind,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
    media_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_id: Option<&'a str>,
    declared: bool,
}

/// Turns listed objects into manifest entries and keeps the declared ones.
#[derive(Debug)]
pub struct Indexer<'a> {
    run: RunId,
    declared: &'a [OutputSpec],
    matcher: OutputMatcher,
    keys: RunKeys,
    prefix: String,
    /// Per declaration, the first outputs that match it.
    found: Vec<Vec<Output>>,
    count: u64,
}

/// The result of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The outputs for the record, in the manifest's order.
    pub headline: Vec<Output>,
    /// Titles and paths of required outputs that nothing matches.
    pub missing: Vec<String>,
    /// How many objects there are.
    pub count: u64,
}

impl<'a> Indexer<'a> {
    /// An index of one attempt's outputs.
    pub fn new(
        run: &Run,
        declared: &'a [OutputSpec],
        job: &JobId,
        attempt: u32,
    ) -> Result<Self, OutputPatternError> {
        Ok(Self {
            run: run.id.clone(),
            declared,
            matcher: OutputMatcher::new(declared)?,
            prefix: run.keys().attempt(job, attempt),
            keys: run.keys(),
            found: vec![Vec::new(); declared.len()],
            count: 0,
        })
    }

    /// Adds one object, with the runner's line about it if there is one, and returns its manifest
    /// entry as JSON.
    fn take(&mut self, object: &ListedObject, line: Option<&RunnersLine>) -> Vec<u8> {
        let path = object.key.strip_prefix(&self.prefix).unwrap_or(&object.key);
        // A line with another size is about another object.
        let line = line.filter(|line| line.path == path && line.bytes == object.bytes);
        let media_type = line
            .and_then(|line| line.media_type.clone())
            .unwrap_or_else(|| media_type_of(path));
        let sha256 = line.map(|line| line.sha256.clone());
        self.count += 1;
        let declaration = self.matcher.declaration_of(path);
        let spec = declaration.and_then(|at| self.declared.get(at));
        let entry = Entry {
            path,
            title: spec.map_or(path, |spec| &spec.title),
            kind: spec.map_or(OutputKind::Data, |spec| spec.kind),
            bytes: object.bytes,
            sha256: sha256.as_deref(),
            media_type: &media_type,
            version_id: object.version_id.as_deref(),
            declared: spec.is_some(),
        };
        let json = serde_json::to_vec(&entry).unwrap_or_default();
        if let (Some(found), Some(spec)) = (declaration.and_then(|at| self.found.get_mut(at)), spec)
            && found.len() < MAX_HEADLINE_OUTPUTS
        {
            found.push(Output {
                path: path.to_owned(),
                title: spec.title.clone(),
                kind: spec.kind,
                bytes: object.bytes,
                sha256,
                media_type,
                key: object.key.clone(),
                version_id: object.version_id.clone(),
            });
        }
        json
    }

    fn finish(self) -> Summary {
        let missing = self
            .declared
            .iter()
            .zip(&self.found)
            .filter(|(spec, found)| spec.required && found.is_empty())
            .map(|(spec, _)| format!("“{}” ({})", spec.title, spec.path))
            .collect();
        let headline = self
            .found
            .into_iter()
            .flatten()
            .take(MAX_HEADLINE_OUTPUTS)
            .collect();
        Summary {
            headline,
            missing,
            count: self.count,
        }
    }
}

fn media_type_of(path: &str) -> String {
    mime_guess::from_path(path)
        .first_or_octet_stream()
        .essence_str()
        .to_owned()
}

/// Reads S3's listing and the runner's side by side and writes the manifest.
pub(crate) async fn write_manifest<R: Results>(
    results: &R,
    mut indexer: Indexer<'_>,
    listing_key: &str,
) -> Result<Summary, CallError> {
    let mut lines = results.lines(listing_key).await?;
    let mut next: Option<RunnersLine> = lines.next().await?;
    let mut manifest = results.manifest(&indexer.keys.manifest()).await?;
    manifest
        .write(format!("{{\"runId\":\"{}\",\"outputs\":[", indexer.run).as_bytes())
        .await?;
    let mut last_key = String::new();
    let mut page = Some(results.page(&indexer.prefix, None).await?);
    while let Some(objects) = page {
        for object in objects.objects {
            // S3 may begin a page with the key that the last one ended with.
            if last_key == object.key {
                continue;
            }
            let path = object.key.strip_prefix(&indexer.prefix).unwrap_or_default();
            while next
                .as_ref()
                .is_some_and(|line| line.path.as_bytes() < path.as_bytes())
            {
                next = lines.next().await?;
            }
            let separator: &[u8] = if indexer.count == 0 { b"\n" } else { b",\n" };
            manifest.write(separator).await?;
            let entry = indexer.take(&object, next.as_ref());
            manifest.write(&entry).await?;
            last_key = object.key;
        }
        page = match objects.next {
            Some(marker) => Some(results.page(&indexer.prefix, Some(marker)).await?),
            None => None,
        };
    }
    manifest.write(b"\n]}\n").await?;
    manifest.close().await?;
    Ok(indexer.finish())
}
