//! What a diagnosis says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Cause, Owner, Phase};
use crate::text;

/// The longest quotation of AWS's words in a finding, in characters.
const QUOTATION_LENGTH: usize = 500;

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// AWS says so, or nothing else fits.
    Certain,
    /// What is known fits it, and other causes too.
    Likely,
    /// Nothing that is known tells a cause.
    Undetermined,
}

/// Why a job waits, does not start or has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// The cause.
    pub cause: Cause,
    /// Who can do something about it.
    pub owner: Owner,
    /// What is the matter, in sentences.
    pub sentence: String,
    /// What its owner does about it, in a sentence.
    pub fix: String,
    /// How sure it is.
    pub certainty: Certainty,
    /// The evidence for it, one line for each signal, in AWS's words where there are any.
    pub evidence: Vec<String>,
    /// The causes that were looked for and are not it; only for an undetermined finding.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<Cause>,
}

impl Finding {
    /// A finding in the words of the catalogue.
    pub(super) fn new(cause: Cause, certainty: Certainty) -> Self {
        let facts = cause.facts();
        Self {
            cause,
            owner: cause.owner(),
            sentence: facts.sentence.to_owned(),
            fix: facts.fix.to_owned(),
            certainty,
            evidence: Vec::new(),
            excluded: Vec::new(),
        }
    }

    pub(super) fn certain(cause: Cause) -> Self {
        Self::new(cause, Certainty::Certain)
    }

    pub(super) fn likely(cause: Cause) -> Self {
        Self::new(cause, Certainty::Likely)
    }

    /// Adds a sentence to what is the matter.
    pub(super) fn with_detail(mut self, sentence: &str) -> Self {
        self.sentence.push(' ');
        self.sentence.push_str(sentence);
        self
    }

    /// Adds evidence for it.
    pub(super) fn with_evidence(mut self, signal: &str, said: &str) -> Self {
        let said = text::shorten(&text::clean_line(said), QUOTATION_LENGTH);
        self.evidence.push(format!("{signal}: {said}"));
        self
    }

    /// What the person who uploaded the file is shown: only what concerns them.
    pub fn for_uploader(&self) -> String {
        if self.cause.facts().owners.contains(&Owner::Uploader) {
            return format!("{} {}", self.sentence, self.fix);
        }
        match (self.owner, self.cause.phase()) {
            (Owner::Nobody, Phase::Waiting) => self.sentence.clone(),
            (_, Phase::Waiting) => {
                "The run is waiting. The operator can see the reason.".to_owned()
            }
            (_, Phase::Starting) => {
                "The model could not be started. The operator can see the reason.".to_owned()
            }
            (Owner::Author, Phase::Ended) => {
                "The model did not finish. Its owner can see the reason.".to_owned()
            }
            (_, Phase::Ended) => {
                "The model did not finish. The operator can see the reason.".to_owned()
            }
        }
    }
}
