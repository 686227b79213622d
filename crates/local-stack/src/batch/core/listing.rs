//! `ListJobs`: filters and pages.

use super::{
    super::{
        error::ApiError,
        wire::{
            details::ListedJobs,
            requests::{Filter, ListJobs},
        },
    },
    job::{Job, Status},
    retry::glob,
};

/// A checked `ListJobs` request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Selection {
    WithStatus(Status),
    Named(String),
    OfDefinition(String),
    CreatedBefore(i64),
    CreatedAfter(i64),
}

impl Selection {
    /// Reads what is asked for. A filter sets the status aside, as in AWS.
    pub(crate) fn parse(request: &ListJobs) -> Result<Self, ApiError> {
        if request.array_job_id.is_some() || request.multi_node_job_id.is_some() {
            return Err(ApiError::client(
                "The local Batch runs neither array jobs nor multi-node parallel jobs; list jobs by jobQueue.",
            ));
        }
        match request.filters.as_deref().unwrap_or_default() {
            [] => {
                let status = request.job_status.as_deref().unwrap_or("RUNNING");
                Status::parse(status)
                    .map(Self::WithStatus)
                    .ok_or_else(|| ApiError::client(format!("{status} is no status of a job.")))
            }
            [filter] => Self::parse_filter(filter),
            _ => Err(ApiError::client("Only one filter can be used at a time.")),
        }
    }

    fn parse_filter(filter: &Filter) -> Result<Self, ApiError> {
        let name = filter.name.as_deref().unwrap_or_default();
        let [value] = filter.values.as_deref().unwrap_or_default() else {
            return Err(ApiError::client(format!(
                "The filter {name} needs exactly one value."
            )));
        };
        let time = || {
            value.parse().map_err(|_| {
                ApiError::client(format!(
                    "The value of the filter {name} must be a number of milliseconds since 1970, not {value}."
                ))
            })
        };
        match name {
            "JOB_NAME" => Ok(Self::Named(value.to_lowercase())),
            "JOB_DEFINITION" => Ok(Self::OfDefinition(value.clone())),
            "BEFORE_CREATED_AT" => Ok(Self::CreatedBefore(time()?)),
            "AFTER_CREATED_AT" => Ok(Self::CreatedAfter(time()?)),
            "SHARE_IDENTIFIER" => Err(ApiError::client(
                "The filter SHARE_IDENTIFIER needs a queue with a fair-share scheduling policy; the local queue has none.",
            )),
            _ => Err(ApiError::client(format!(
                "{name} is no filter of ListJobs; the filters are JOB_NAME, JOB_DEFINITION, BEFORE_CREATED_AT and AFTER_CREATED_AT."
            ))),
        }
    }

    fn takes(&self, job: &Job) -> bool {
        match self {
            Self::WithStatus(status) => job.status == *status,
            Self::Named(name) => glob(name, &job.name.to_lowercase()),
            Self::OfDefinition(arn) if arn.starts_with("arn:") => job.definition_arn == *arn,
            Self::OfDefinition(name) => glob(name, &job.definition_name),
            Self::CreatedBefore(time) => job.created_at < *time,
            Self::CreatedAfter(time) => job.created_at > *time,
        }
    }

    /// The longest page: AWS gives 1000 jobs by status and 100 by filter.
    const fn max_page_size(&self) -> usize {
        match self {
            Self::WithStatus(_) => 1000,
            _ => 100,
        }
    }
}

/// One page of the jobs that are asked for. `newest_first` are all jobs in that order.
pub(crate) fn list<'a>(
    newest_first: impl Iterator<Item = &'a Job>,
    request: &ListJobs,
) -> Result<ListedJobs, ApiError> {
    let selection = Selection::parse(request)?;
    let found: Vec<&Job> = newest_first.filter(|job| selection.takes(job)).collect();
    let (page, next_token) = page(
        &found,
        request.max_results,
        selection.max_page_size(),
        request.next_token.as_deref(),
        |job| job.id.clone(),
    )?;
    Ok(ListedJobs {
        job_summary_list: page.iter().map(|job| job.summary()).collect(),
        next_token,
    })
}

/// Cuts a page out of a list. The token holds the key of the last item given, so that items that
/// come or go before it do not shift the next page, and its place, in case that item is gone.
pub(crate) fn page<'a, T>(
    all: &'a [T],
    max_results: Option<i64>,
    longest: usize,
    token: Option<&str>,
    key: impl Fn(&T) -> String,
) -> Result<(&'a [T], Option<String>), ApiError> {
    let length = match max_results {
        None => longest,
        Some(asked) => match usize::try_from(asked) {
            Ok(asked) if asked >= 1 => asked.min(longest),
            _ => return Err(ApiError::client("maxResults must be at least 1.")),
        },
    };
    let begin = match token {
        None => 0,
        Some(token) => {
            let (place, last) = token
                .split_once('~')
                .and_then(|(place, last)| Some((place.parse::<usize>().ok()?, last)))
                .ok_or_else(|| {
                    ApiError::client("nextToken is not one that this operation gave.")
                })?;
            all.iter()
                .position(|item| key(item) == last)
                .map_or(place, |last| last + 1)
        }
    };
    let rest = all.get(begin..).unwrap_or_default();
    let page = rest.get(..length).unwrap_or(rest);
    let next = match page.last() {
        Some(last) if page.len() < rest.len() => {
            Some(format!("{}~{}", begin + page.len(), key(last)))
        }
        _ => None,
    };
    Ok((page, next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(text: &str) -> Result<Selection, ApiError> {
        Selection::parse(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn without_a_status_running_jobs_are_listed() {
        assert_eq!(selection("{}"), Ok(Selection::WithStatus(Status::Running)));
        assert_eq!(
            selection(r#"{"jobStatus":"FAILED"}"#),
            Ok(Selection::WithStatus(Status::Failed))
        );
        assert!(selection(r#"{"jobStatus":"DONE"}"#).is_err());
    }

    #[test]
    fn a_filter_sets_the_status_aside() {
        assert_eq!(
            selection(
                r#"{"jobStatus":"FAILED","filters":[{"name":"JOB_NAME","values":["Run*"]}]}"#
            ),
            Ok(Selection::Named("run*".to_owned()))
        );
    }

    #[test]
    fn one_filter_with_one_value_is_taken() {
        for wrong in [
            r#"{"filters":[{"name":"JOB_NAME","values":[]}]}"#,
            r#"{"filters":[{"name":"JOB_NAME","values":["a","b"]}]}"#,
            r#"{"filters":[{"name":"JOB_NAME","values":["a"]},{"name":"JOB_NAME","values":["b"]}]}"#,
            r#"{"filters":[{"name":"job_name","values":["a"]}]}"#,
            r#"{"filters":[{"name":"AFTER_CREATED_AT","values":["noon"]}]}"#,
            r#"{"arrayJobId":"x"}"#,
        ] {
            assert!(selection(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pages_follow_each_other_while_items_come_in_front() {
        let key = |item: &i32| item.to_string();
        let before = [5, 4, 3, 2, 1];
        let (first, token) = page(&before, Some(2), 100, None, key).unwrap();
        assert_eq!(first, [5, 4]);
        let after = [7, 6, 5, 4, 3, 2, 1];
        let (second, token) = page(&after, Some(2), 100, token.as_deref(), key).unwrap();
        assert_eq!(second, [3, 2]);
        let (third, token) = page(&after, Some(2), 100, token.as_deref(), key).unwrap();
        assert_eq!((third, token), (&[1][..], None));
    }

    #[test]
    fn a_page_is_never_longer_than_aws_gives() {
        let all: Vec<i32> = (0..150).collect();
        let key = |item: &i32| item.to_string();
        let (first, token) = page(&all, Some(1000), 100, None, key).unwrap();
        assert_eq!(first.len(), 100);
        assert!(token.is_some());
        assert!(page(&all, Some(0), 100, None, key).is_err());
        assert!(page(&all, None, 100, Some("x"), key).is_err());
    }
}
