//! A model's name.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The name of a model: `[a-z][a-z0-9-]{0,62}`.
///
/// It is part of S3 keys, job definition names and execution inputs, all of
/// which take exactly these characters without escaping.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(
    description = "The name of a model.",
    extend("pattern" = "^[a-z][a-z0-9-]{0,62}$")
)]
pub struct ModelName(String);

/// Why a text is no model name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ModelNameError {
    /// Nothing was given.
    #[error("a model's name must not be empty")]
    Empty,
    /// More than 63 characters.
    #[error("a model's name has at most 63 characters")]
    TooLong,
    /// The first character is no lower-case letter.
    #[error("a model's name begins with a letter from a to z")]
    FirstCharacter,
    /// Some other character is not allowed.
    #[error("a model's name consists of a to z, 0 to 9 and -")]
    Character,
}

impl ModelName {
    /// The longest name, in characters.
    pub const MAX_CHARS: usize = 63;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ModelName {
    type Err = ModelNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let first = text.bytes().next().ok_or(ModelNameError::Empty)?;
        if !first.is_ascii_lowercase() {
            return Err(ModelNameError::FirstCharacter);
        }
        if !text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        {
            return Err(ModelNameError::Character);
        }
        if text.len() > Self::MAX_CHARS {
            return Err(ModelNameError::TooLong);
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for ModelName {
    type Error = ModelNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ModelName> for String {
    fn from(name: ModelName) -> Self {
        name.0
    }
}

impl AsRef<str> for ModelName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ModelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_would_need_escaping_are_refused() {
        for (text, error) in [
            ("", ModelNameError::Empty),
            ("9lives", ModelNameError::FirstCharacter),
            ("Revenue", ModelNameError::FirstCharacter),
            ("-a", ModelNameError::FirstCharacter),
            ("a b", ModelNameError::Character),
            ("a/b", ModelNameError::Character),
            ("é", ModelNameError::FirstCharacter),
            ("aé", ModelNameError::Character),
            (&*"a".repeat(64), ModelNameError::TooLong),
        ] {
            assert_eq!(text.parse::<ModelName>(), Err(error), "{text}");
        }
        assert!("a".repeat(63).parse::<ModelName>().is_ok());
    }

    proptest! {
        #[test]
        fn every_name_of_the_pattern_survives_serialisation(text in "[a-z][a-z0-9-]{0,62}") {
            let name: ModelName = text.parse().unwrap();
            let json = serde_json::to_string(&name).unwrap();
            prop_assert_eq!(&json, &format!("\"{text}\""));
            prop_assert_eq!(serde_json::from_str::<ModelName>(&json).unwrap(), name);
        }
    }
}
