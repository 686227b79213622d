//! `s3://bucket/key`.

use std::fmt;

/// A bucket and a key, or a key prefix. The key is raw, not URL-encoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Uri {
    /// The bucket's name; never empty.
    pub bucket: String,
    /// The key or the prefix; may be empty, never begins with the separating slash.
    pub key: String,
}

impl S3Uri {
    /// Parses `s3://bucket/key`. The error says what is wrong, without the variable's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text
            .strip_prefix("s3://")
            .ok_or_else(|| format!("must begin with s3://, found {text:?}"))?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(format!("names no bucket, found {text:?}"));
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }

    /// The same bucket with `suffix` put after the key, one slash between them.
    #[must_use]
    pub fn join(&self, suffix: &str) -> Self {
        let mut key = self.key.clone();
        if !key.is_empty() && !key.ends_with('/') {
            key.push('/');
        }
        key.push_str(suffix);
        Self {
            bucket: self.bucket.clone(),
            key,
        }
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_taken_as_it_is() {
        let uri = S3Uri::parse("s3://b/runs/a+b%20c é/x").unwrap();
        assert_eq!(uri.bucket, "b");
        assert_eq!(uri.key, "runs/a+b%20c é/x");
        assert_eq!(uri.to_string(), "s3://b/runs/a+b%20c é/x");
    }

    #[test]
    fn joining_puts_exactly_one_slash_between() {
        for prefix in ["s3://b/runs/1/outputs", "s3://b/runs/1/outputs/"] {
            assert_eq!(
                S3Uri::parse(prefix).unwrap().join("j/1/").key,
                "runs/1/outputs/j/1/"
            );
        }
        assert_eq!(S3Uri::parse("s3://b").unwrap().join("j/").key, "j/");
    }

    #[test]
    fn what_is_not_an_s3_address_is_refused() {
        for bad in ["", "b/k", "https://b/k", "s3://", "s3:///k"] {
            assert!(S3Uri::parse(bad).is_err(), "{bad}");
        }
    }
}
